"""Credentials that renew themselves, for any number of threads, and through forks.

`SessionCredentials` is a subclass of botocore's credentials. `SessionState` says what is needed at
each use, `Attempt` does it in a thread of its own. The caller says how a session is made.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials

from boto_rolesanywhere.clock import steady
from boto_rolesanywhere.errors import PROVIDER, ConfigurationError, RolesAnywhereError

from .attempt import Attempt
from .state import Held, Need, Received, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .session_value import RolesAnywhereSession


class _Frozen(ReadOnlyCredentials):
    """botocore's tuple of credentials, with a repr that does not show them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<credentials {self.access_key}>"


class SessionCredentials(RefreshableCredentials):
    """Credentials of IAM Roles Anywhere that renew themselves.

    The first CreateSession is made at the first use. When a renewal is due, the next use begins it
    in the background, and everybody goes on with the session that is held. In the last 5 seconds of
    that, callers wait for the renewal. If a renewal fails while the session is good, it is logged
    and tried again later. Without a good session every caller has the outcome of the one attempt
    that is under way. If it failed, they have the same failure at once until a pause is over.
    """

    def __init__(
        self,
        create: Callable[[], RolesAnywhereSession | Received],
        *,
        account_id: str | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = steady,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        """Make no session yet.

        Args:
            create: makes a session, in any thread; raises `RolesAnywhereError`. It gives `Received`
                if the session was not made just now.
            account_id: the account of the role, for endpoints that have it in their name.
            wall: seconds since the epoch.
            monotonic: seconds that never go back, those of a sleeping machine included.
            jitter: a random number from 0 to 1; the system's by default.
        """
        # RefreshableCredentials.__init__ wants credentials, and there are none yet (as in
        # botocore's deferred ones). The properties and get_frozen_credentials call `_refresh`
        # and return what `_publish` has put in these attributes.
        self._access_key = self._secret_key = self._token = ""
        self._account_id = account_id
        self._frozen_credentials = _Frozen("", "", "", account_id)
        self._expiry_time: datetime | None = None
        self._create = create
        self._state = SessionState(wall=wall, monotonic=monotonic, jitter=jitter)
        # Held for the begin of an attempt alone. A signal's handler may come in between and read
        # the credentials in the same thread, so it is an RLock.
        self._refresh_lock = threading.RLock()
        self._attempt: Attempt[None] | None = None
        self._process = os.getpid()
        self.method = PROVIDER
        _instances.add(self)

    def __copy__(self) -> SessionCredentials:
        """These themselves: copies of a session share what renews itself."""
        return self

    def __deepcopy__(self, _memo: object) -> SessionCredentials:
        return self

    def __reduce__(self) -> str:
        raise TypeError(
            "credentials that renew themselves cannot be pickled: their key stays in this process;"
            " ask for a session in the other process"
        )

    @property
    def session(self) -> RolesAnywhereSession:
        """The session in use. Waits for the first one, and for its renewal if it is about to end.

        Raises:
            RolesAnywhereError: there is no good session, and none could be made.
        """
        return self._current().session

    @property
    def held_session(self) -> RolesAnywhereSession | None:
        """The session in use, or None if it has ended. Makes none, and so never waits."""
        held = self._state.held
        return held.session if held and self._state.is_good() else None

    @property
    def pausing(self) -> bool:
        """Whether there is no good session, and it is too early for another attempt."""
        return self._state.need() is Need.PAUSE

    def renew(self) -> bool:
        """Make or renew the session if it is time, and wait for the outcome.

        Returns:
            Whether the session is a good one that is not due.

        Raises:
            RolesAnywhereError: there is no good session, and none could be made.
        """
        need = self._state.need()
        if need is not Need.NOTHING:
            self._renewed(Need.NOW if need is not Need.PAUSE else need)
        return not self._state.ends_within(None)

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Whether the credentials end within `refresh_in` seconds, or are due for renewal."""
        return self._state.ends_within(refresh_in)

    def _refresh(self) -> None:
        self._current()

    def _current(self) -> Held:
        need = self._state.need()
        held = self._state.held
        return held if need is Need.NOTHING and held else self._renewed(need)

    def _renewed(self, need: Need) -> Held:
        """The session to use, after as long a wait for its renewal as `need` asks for."""
        if need is Need.PAUSE:
            raise self._state.failure()
        if self._process != os.getpid():  # uWSGI forks without telling Python
            self._start_as_a_child()
        # The interpreter takes its modules apart: a call would most likely break off.
        if sys.is_finalizing() and (held := self._good()):
            return held
        attempt, begins = self._join()
        if attempt is None:  # another thread's has ended since `need` was worked out
            return self._current()
        if attempt.runs_here:
            return self._asked_by_its_own_renewal()
        if need is Need.SOON:
            attempt.wait(self._state.patience())
        if need is not Need.NOW and (held := self._good()):
            return held
        attempt.wait()
        return self._outcome(attempt, begins=begins)

    def _join(self) -> tuple[Attempt[None] | None, bool]:
        """The attempt that is under way, begun if there is none and one is needed.

        Also whether this caller began it.
        """
        with self._refresh_lock:
            attempt = self._attempt
            if attempt is not None and not attempt.future.done():
                return attempt, False
            if self._state.need() in (Need.NOTHING, Need.PAUSE):
                return None, False
            self._state.begun()
            attempt = Attempt(self._try)
            # Known to others only once it has begun: Ctrl-C in between must leave nobody waiting.
            if attempt.begin():
                self._attempt = attempt
            else:
                self._run_here(attempt)
            return attempt, True

    def _run_here(self, attempt: Attempt[None]) -> None:
        """Make the attempt in this thread, since the system gives no other one."""
        self._attempt = attempt
        try:
            attempt.run()
        finally:
            self._attempt = None

    def _outcome(self, attempt: Attempt[None], *, begins: bool) -> Held:
        if held := self._good():
            return held
        error = attempt.future.exception()
        if error is None:  # it succeeded so long ago that the session has ended
            return self._current()
        if begins and not isinstance(error, RolesAnywhereError):
            raise error
        raise self._state.failure()

    def _good(self) -> Held | None:
        held = self._state.held
        return held if self._state.is_good() else None

    def _asked_by_its_own_renewal(self) -> Held:
        """The session for code that asks for it within its own renewal.

        That is the client of a private key, for example.
        """
        if held := self._good():
            return held
        raise ConfigurationError(
            "what CreateSession needs asked for the very credentials that it is to give",
            code="credentials-need-themselves",
            remedy="Give the private key's own client (or the callable for its passphrase)"
            " credentials from elsewhere: a session of its own.",
        )

    def _try(self) -> None:
        """Make a session. Only the thread of the attempt comes here."""
        try:
            received = self._create()
        except BaseException as error:
            self._state.failed(error)
            raise
        else:
            self._publish(received.session if isinstance(received, Received) else received)
            self._state.received(received)  # last: who sees that it is good relies on the rest
        finally:
            self._forget_attempt()

    def _forget_attempt(self) -> None:
        # Or the last attempt and what it raised would keep these credentials, and they the attempt.
        with self._refresh_lock:  # whoever began it lets go of the lock when it is known
            if self._attempt is not None and self._attempt.runs_here:
                self._attempt = None

    def _publish(self, session: RolesAnywhereSession) -> None:
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

    def _start_as_a_child(self) -> None:
        # Of the parent's threads only the one that forked is here: nobody goes on with an attempt
        # or releases a lock.
        self._process = os.getpid()
        self._refresh_lock = threading.RLock()
        self._attempt = None
        self._state.draw_anew()


_instances: WeakSet[SessionCredentials] = WeakSet()


def _start_all_as_a_child() -> None:
    for credentials in _instances:
        credentials._start_as_a_child()  # noqa: SLF001  # this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_as_a_child)
