"""What a test turns while the emulator runs, and what it reads: faults, clock, quotas, records."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .service import Dials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from boto_rolesanywhere.testing.faults import Fault

    from .records import RequestRecord
    from .server import Server
    from .service import Service


class Controls(Dials):
    """The part of `Emulator` that works on the running service."""

    _service: Service
    _server: Server

    def inject(self, fault: Fault, *, times: int | None = 1, operation: str | None = None) -> None:
        """Let something go wrong for the next requests.

        Args:
            fault: one of `boto_rolesanywhere.testing.faults`.
            times: for how many requests; None: until `clear_faults`. Faults that were injected
                earlier are played first.
            operation: such as ``CreateSession`` or ``CreateProfile``: requests for others do not
                meet it. None: all do.
        """
        self._service.faults.add(fault, times, operation)

    @contextmanager
    def injected(self, fault: Fault) -> Iterator[None]:
        """Let something go wrong as long as the ``with`` block lasts; then nothing any more."""
        self.inject(fault, times=None)
        try:
            yield
        finally:
            self.clear_faults()

    def clear_faults(self) -> None:
        """Let nothing go wrong any more, and let hanging requests go."""
        self._service.faults.clear()
        self.release()

    def release(self) -> None:
        """Answer the requests that hang now."""
        self._server.release()

    def now(self) -> datetime:
        """The emulator's time, its offset included."""
        return self._service.now()

    @property
    def requests(self) -> list[RequestRecord]:
        """The last requests (10,000 at most), in the order of arrival."""
        return self._service.records.all()

    @property
    def created(self) -> int:
        """How many sessions were created."""
        return self._service.records.created

    def wait_for_requests(self, count: int, *, timeout: float = 10.0) -> list[RequestRecord]:
        """Wait until there are `count` requests; a hanging one counts when it has arrived.

        Raises:
            TimeoutError: there were fewer after `timeout` seconds.
        """
        return self._service.records.wait_for(count, timeout)

    def clear_requests(self) -> None:
        """Forget the requests so far, and the count of sessions."""
        self._service.records.clear()
