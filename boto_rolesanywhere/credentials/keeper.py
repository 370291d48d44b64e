"""A thread that keeps one role's credentials good, used or not. Knows no protocol.

Requests take what is held, so a slow call delays none as long as the last credentials are good.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    from .refreshing import SessionCredentials
    from .session_value import RolesAnywhereSession

logger = logger_of(__name__)


class Keeper:
    """Renews in the background, and gives the session in use.

    `SessionCredentials` decides when to renew and when to try again.
    """

    def __init__(
        self,
        name: str,
        credentials: SessionCredentials,
        *,
        tick: float = 1.0,
        patience: float = 10.0,
    ) -> None:
        """Call nothing yet.

        Args:
            name: the role's, for the log.
            credentials: the credentials to keep good.
            tick: seconds between two looks whether a renewal is due.
            patience: seconds that a request waits for a renewal when there are no credentials.
        """
        self.name = name
        self.failing = False
        self._credentials = credentials
        self._tick = tick
        self._patience = patience
        self._out = False  # of credentials
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._look = _new_look()

    def start(self) -> RolesAnywhereSession:
        """Make the first session in this thread, then start the thread that keeps it good.

        Raises:
            RolesAnywhereError: the first session could not be made.
        """
        session = self._credentials.session
        threading.Thread(target=self._run, name=f"keeper-{self.name}", daemon=True).start()
        return session

    def stop(self) -> None:
        """Renew no more. A call that is under way is not waited for."""
        self._stopped.set()
        self._wake.set()

    def current(self) -> RolesAnywhereSession | None:
        """The session in use, or None if it has ended. Never waits."""
        return self._credentials.held_session

    async def awaited(self) -> RolesAnywhereSession | None:
        """The session after the renewal that is under way or due.

        Does not wait during the pause between two tries.
        """
        if self._credentials.pausing:
            if not self._out:
                self._wake.set()  # it says at once that there are none
            return self.current()
        look = asyncio.wrap_future(self._look)
        self._wake.set()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(look, self._patience)
        return self.current()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(self._tick)
            self._wake.clear()
            if self._stopped.is_set():
                return
            # The first look after the end says that there are none, also in the midst of a pause.
            if self._credentials.refresh_needed() and not (self._out and self._credentials.pausing):
                self._renew()
            look, self._look = self._look, _new_look()
            look.set_result(None)

    def _renew(self) -> None:
        try:
            # If the renewal failed, `SessionCredentials` has logged it, and the old ones go on.
            self.failing = not self._credentials.renew()
            self._out = False
        except RolesAnywhereError as error:
            self._fail("%s: there are no credentials: %s", str(error))
        except BaseException as error:  # noqa: BLE001  # without this thread nothing is renewed
            # Its words are not ours, and could hold anything.
            self._fail("%s: the renewal broke off (%s)", type(error).__name__)

    def _fail(self, message: str, reason: str) -> None:
        self.failing = self._out = True
        logger.error(message, self.name, reason)


def _new_look() -> Future[None]:
    """What requests wait for: the end of the next look, and of the renewal if one is due."""
    look: Future[None] = Future()
    look.set_running_or_notify_cancel()  # who waits no longer cancels nobody else's wait
    return look
