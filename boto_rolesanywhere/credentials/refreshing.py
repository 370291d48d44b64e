"""Credentials that renew themselves: when, who waits meanwhile, and what holds if it fails.

`SessionCredentials` is a subclass of botocore's credentials that follows the times of
`RefreshWindows`. The caller says how a session is made.
"""

from __future__ import annotations

import os
import random
import threading
import time
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials

from boto_rolesanywhere.errors import PROVIDER, ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

from .windows import RefreshWindows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .session_value import RolesAnywhereSession

logger = logger_of(__name__)

_LONGEST_PAUSE: Final = 60.0
_SHORTEST_PAUSE: Final = 1.0
# Seconds that callers wait for another's renewal while their credentials are good.
_LONGEST_WAIT: Final = 5.0
_NOBODY: Final = 0  # is no thread's number


class _Frozen(ReadOnlyCredentials):
    """botocore's tuple of credentials, with a repr that does not show them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<credentials {self.access_key}>"


@dataclass(frozen=True, slots=True)
class _Held:
    """A session in use, and when it was received by two clocks. It is replaced as a whole."""

    session: RolesAnywhereSession
    windows: RefreshWindows
    wall: float
    monotonic: float


class SessionCredentials(RefreshableCredentials):
    """Credentials of IAM Roles Anywhere that renew themselves.

    The first CreateSession is made at the first use. Later one caller renews while the others use
    the session they have. Near its end the others wait for the renewal, but only a few seconds. If
    a renewal fails while the session is good, it is logged and tried again later.

    The age of the session is the longer of two measurements: the monotonic clock stands still
    while a machine sleeps, and the wall clock may be set back.
    """

    def __init__(
        self,
        create: Callable[[], RolesAnywhereSession],
        *,
        account_id: str | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make no session yet.

        Args:
            create: makes a session; raises `RolesAnywhereError`.
            account_id: the account of the role, for endpoints that have it in their name.
            wall: seconds since the epoch.
            monotonic: seconds that never go back.
            jitter: a random number from 0 to 1.
        """
        # RefreshableCredentials.__init__ wants credentials, and there are none yet (as in
        # botocore's deferred ones). The properties and get_frozen_credentials call `_refresh`
        # and return what `_publish` has put in these attributes.
        self._access_key = self._secret_key = self._token = ""
        self._account_id = account_id
        self._frozen_credentials = _Frozen("", "", "", account_id)
        self._expiry_time: datetime | None = None
        self._create = create
        self._wall = wall
        self._monotonic = monotonic
        self._jitter = jitter
        self._held: _Held | None = None
        self._retry_at = 0.0
        self._tried_at = 0.0
        self._failures = 0
        self._last_failure: RolesAnywhereError | None = None
        # An RLock knows which thread holds it: released by another thread, it raises (see below).
        self._refresh_lock = threading.RLock()
        self._renewing = _NOBODY
        self.method = PROVIDER
        _instances.add(self)

    @property
    def session(self) -> RolesAnywhereSession:
        """The session in use, made or renewed first if it is time."""
        return self._current().session

    @property
    def held_session(self) -> RolesAnywhereSession | None:
        """The session in use, or None if it has ended. Makes none, and so never waits."""
        held = self._held
        return held.session if held and self._is_good(held) else None

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Whether the credentials end within `refresh_in` seconds, or are due for renewal."""
        held = self._held
        if held is None:
            return True
        if refresh_in is None:
            return self._age(held) >= held.windows.advisory
        return self._age(held) >= held.windows.expiry - refresh_in

    def _refresh(self) -> None:
        self._current()

    def _current(self) -> _Held:
        held = self._held
        if held is None:
            return self._renew_waiting(held)
        age = self._age(held)
        if age < held.windows.advisory:
            return held
        if age < held.windows.expiry and self._monotonic() < self._retry_at:
            return held
        if age < held.windows.mandatory:
            return self._renew_if_free(held)
        return self._renew_waiting(held)

    # Both methods take the lock within `try`, because Ctrl-C may raise as soon as the lock is held.
    # If this thread does not hold the lock, releasing it raises RuntimeError, which is ignored.

    def _renew_if_free(self, held: _Held) -> _Held:
        if self._renewing == threading.get_ident():
            return held
        lock = self._refresh_lock
        try:
            if not lock.acquire(blocking=False):
                return held
            # Another thread may have renewed them between the look and the lock.
            return self._attempt(held) if self._held is held else self._held or held
        finally:
            try:  # noqa: SIM105  # nothing may come between
                lock.release()
            except RuntimeError:
                pass

    def _renew_waiting(self, judged: _Held | None) -> _Held:
        if self._renewing == threading.get_ident():
            return self._asked_by_its_own_renewal(judged)
        failures, lock = self._failures, self._refresh_lock
        try:
            if not lock.acquire(timeout=self._patience(judged)):
                if judged is not None and self._is_good(judged):
                    return self._held or judged
                lock.acquire()
            held = self._held
            if held is not None and held is not judged:
                return held
            if self._failures != failures:
                # The attempt that this caller waited for has failed, and so has this one. If each
                # waiting caller tried again, they would all try one after the other.
                return self._outcome(held, self._last_failure)
            return self._attempt(held)
        finally:
            try:  # noqa: SIM105  # nothing may come between
                lock.release()
            except RuntimeError:
                pass

    def _asked_by_its_own_renewal(self, held: _Held | None) -> _Held:
        """The session for code that asks for it within its own renewal.

        That is the client of a private key, or a signal's handler in the thread of the call.
        """
        if held is not None and self._is_good(held):
            return held
        raise ConfigurationError(
            "what CreateSession needs asked for the very credentials that it is to give",
            code="credentials-need-themselves",
            remedy="Give the private key's own client (or the callable for its passphrase)"
            " credentials from elsewhere: a session of its own.",
        )

    def _patience(self, held: _Held | None) -> float:
        """Seconds to wait for the renewal that is under way; -1 for as long as it takes."""
        if held is None or not self._is_good(held):
            return -1
        return max(0.0, self._tried_at + _LONGEST_WAIT - self._monotonic())

    def _attempt(self, held: _Held | None) -> _Held:
        """Create a session. The lock is held."""
        self._tried_at = self._monotonic()
        self._renewing = threading.get_ident()
        try:
            session = self._create()
        except Exception as error:  # good credentials stay in use, whatever went wrong
            self._failures += 1
            self._last_failure = error if isinstance(error, RolesAnywhereError) else None
            if held is not None and self._is_good(held):
                pause = self._pause(held)
                self._retry_at = self._monotonic() + pause
                logger.warning(
                    "The credentials were not renewed and will be used until they end at %s;"
                    " next try in %.0f seconds: %s",
                    held.session.expiration.isoformat(),
                    pause,
                    self._last_failure or type(error).__name__,  # whose text may hold anything
                )
                return held
            raise
        finally:
            self._renewing = _NOBODY
        self._last_failure = None
        self._retry_at = 0.0
        held = self._publish(session)
        logger.debug("New credentials, good until %s", session.expiration.isoformat())
        return held

    def _outcome(self, held: _Held | None, failure: RolesAnywhereError | None) -> _Held:
        if held is not None and self._is_good(held):
            return held
        # A copy: threads that raise one exception object overwrite each other's traceback.
        raise (
            copy(failure)
            if failure
            else RolesAnywhereError("the renewal failed", code="renewal-failed")
        )

    def _publish(self, session: RolesAnywhereSession) -> _Held:
        self._access_key = session.access_key_id
        self._secret_key = session.secret_access_key
        self._token = session.session_token
        self._expiry_time = session.expiration
        self._frozen_credentials = _Frozen(
            session.access_key_id,
            session.secret_access_key,
            session.session_token,
            self._account_id,
        )
        windows = RefreshWindows.for_lifetime(session.lifetime, self._jitter())
        # Last: a thread that sees it relies on the rest.
        self._held = _Held(session, windows, self._wall(), self._monotonic())
        return self._held

    def _age(self, held: _Held) -> float:
        return max(self._monotonic() - held.monotonic, self._wall() - held.wall)

    def _is_good(self, held: _Held) -> bool:
        return self._age(held) < held.windows.expiry

    def _pause(self, held: _Held) -> float:
        """Seconds until the next try: a tenth of the time that is left, within limits."""
        left = held.windows.expiry - self._age(held)
        pause = min(max(left / 10, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        return pause * (1 + self._jitter() / 5)


_instances: WeakSet[SessionCredentials] = WeakSet()


def _new_locks_in_child() -> None:
    # If another thread held a lock at the fork, nobody releases it in the child.
    for credentials in _instances:
        credentials._refresh_lock = threading.RLock()  # noqa: SLF001  # this module's own class
        credentials._renewing = _NOBODY  # noqa: SLF001  # this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_locks_in_child)
