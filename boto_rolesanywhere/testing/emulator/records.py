"""What the emulator remembers of the last requests, so that a test can look at them. No secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

CREATED = "created"
# An emulator may run for weeks, and a body may hold a revocation list.
MOST_RECORDS: Final = 10_000
MOST_BYTES: Final = 100_000_000  # of bodies


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request and what became of it.

    Attributes:
        received_at: by the emulator's clock, its offset included.
        method: as sent.
        path: as sent.
        query: as sent, without the question mark.
        headers: by lower-case name; repeated ones are joined by a comma.
        body: as sent.
        operation: such as ``CreateSession`` or ``ImportCrl``; None if there is no such.
        outcome: ``created``, the name of an operation of the control plane that was done, the error
            code that was answered, or ``fault: …`` where a fault took the service's place.
        status: the HTTP status; None where nothing was answered.
        message: what the service said, if it refused.
        reason: why it refused, in more detail than the service gives.
        fault: the injected fault that was played, if any, as text.
        trust_anchor_arn: as asked for; None if there is none. So are the next two.
        profile_arn: as asked for.
        role_arn: as asked for.
        certificate_serial: of X-Amz-X509; None if that cannot be read.
        access_key_id: of the session, if one was created. So are the next four.
        session_policy: of the profile: AWS limits the session by it.
        managed_policy_arns: of the profile: AWS limits the session by them.
        principal_tags: by key, such as ``x509Subject/CN``.
        origin_identity: ``Subject`` and ``SubjectType`` of trusted identity propagation; empty
            where the profile does not use it.
    """

    received_at: datetime
    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    operation: str | None = None
    outcome: str
    status: int | None
    message: str | None = None
    reason: str | None = None
    fault: str | None = None
    trust_anchor_arn: str | None = None
    profile_arn: str | None = None
    role_arn: str | None = None
    certificate_serial: int | None = None
    access_key_id: str | None = None
    session_policy: str | None = None
    managed_policy_arns: tuple[str, ...] = ()
    principal_tags: Mapping[str, str] = field(default_factory=dict)
    origin_identity: Mapping[str, str] = field(default_factory=dict)


class Records:
    """The last 10,000 requests, or those of the last 100 MB. Written by the server's thread."""

    def __init__(self, listener: Callable[[RequestRecord], None] | None = None) -> None:
        self._listener = listener
        self._changed = Condition()
        self._records: deque[RequestRecord] = deque()
        self._bytes = 0
        self._arrived = 0
        self._created = 0

    def append(self, record: RequestRecord) -> None:
        """Remember one more."""
        with self._changed:
            self._records.append(record)
            self._arrived += 1
            self._bytes += len(record.body)
            while len(self._records) > MOST_RECORDS or self._bytes > MOST_BYTES:
                self._bytes -= len(self._records.popleft().body)
            self._created += record.access_key_id is not None
            self._changed.notify_all()
        if self._listener is not None:
            self._listener(record)

    @property
    def created(self) -> int:
        """How many sessions were created."""
        with self._changed:
            return self._created

    def all(self) -> list[RequestRecord]:
        """A copy, in the order of arrival."""
        with self._changed:
            return list(self._records)

    def clear(self) -> None:
        """Forget all, the count of sessions included."""
        with self._changed:
            self._records.clear()
            self._bytes = self._arrived = self._created = 0

    def wait_for(self, count: int, timeout: float) -> list[RequestRecord]:
        """Wait until `count` have arrived, those included that are forgotten by now.

        Raises:
            TimeoutError: there were fewer after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._arrived >= count, timeout):
                raise TimeoutError(
                    f"{self._arrived} requests after {timeout} s, {count} were expected"
                )
            return list(self._records)
