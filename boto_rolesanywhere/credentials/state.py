"""What one role's credentials need next, worked out without threads, locks or waiting.

`SessionCredentials` uses a `SessionState` from threads, and an asynchronous side can from tasks, in
the same way. At each use it asks `need`:

- `Need.NOTHING`: use `held`.
- `Need.MEANWHILE`: begin an attempt unless one is under way, and use `held`.
- `Need.SOON`: the same, but wait for the attempt for `patience` seconds first.
- `Need.NOW`: begin an attempt or join the one that is under way, and wait for its outcome.
- `Need.PAUSE`: raise `failure()`.

There is one attempt at a time, and whoever begins it asks `need` again first, where nobody else can
begin one. It tells `begun`, and at its end `received` or `failed` before anybody else may begin
another. All who waited for an attempt take its outcome: `held` if it `is_good`, and else
`failure()`. Nobody who waited begins another one.
"""

from __future__ import annotations

import random
import time
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING

from boto_rolesanywhere.clock import in_words, steady
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import logger_of

from .policy import next_pause
from .windows import LONGEST_WAIT, RefreshWindows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session_value import RolesAnywhereSession

logger = logger_of(__name__)


class Need(Enum):
    """What a caller has to do before it uses the credentials."""

    NOTHING = "use them"
    MEANWHILE = "use them and have them renewed"
    SOON = "wait a few seconds for the renewal"
    NOW = "wait for new ones"
    PAUSE = "there are none, and it is too early for another attempt"


class Received(NamedTuple):
    """A session, with the times that hold for it when it was not made just now.

    Attributes:
        session: the session.
        windows: when it is renewed, counted from when this machine received it.
        age: seconds since then.
        pause: seconds until it is worth while to ask for another one, though it may be due; it
            delays nobody once the session has ended.
    """

    session: RolesAnywhereSession
    windows: RefreshWindows
    age: float
    pause: float = 0.0


class Held(NamedTuple):
    """A session in use, and when it was received by two clocks. It is replaced as a whole.

    While it is good, it is not renewed before `renewable_at`, by the monotonic clock.
    """

    session: RolesAnywhereSession
    windows: RefreshWindows
    wall: float
    monotonic: float
    renewable_at: float


class _Failure(NamedTuple):
    """The last attempt failed.

    Attributes:
        error: None if it was none of this package, whose text may hold anything.
        cold: failures in a row without good credentials.
        retry_at: by the monotonic clock.
    """

    error: RolesAnywhereError | None
    cold: int
    retry_at: float


class SessionState:
    """The session in use, the last failure, and what follows from them and from the clocks.

    The age of the session is measured by a clock that counts while the machine sleeps, where the
    system has one. The wall clock may be set, so it ends no credentials. But if it says that they
    have ended, it may be right (a virtual machine was stopped for hours): then a renewal is tried
    and waited for, and if that fails they stay in use.

    Attributes:
        held: the session in use, good or not; None before the first.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = steady,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        """Hold nothing yet.

        Args:
            wall: seconds since the epoch.
            monotonic: seconds that never go back, those of a sleeping machine included.
            jitter: a random number from 0 to 1; by default one that is the same in no two
                processes, whatever they seed.
        """
        self.held: Held | None = None
        self._wall = wall
        self._monotonic = monotonic
        self._jitter = jitter or random.SystemRandom().random
        self._failure: _Failure | None = None
        self._begun_at = 0.0

    def need(self) -> Need:
        """What is needed now."""
        held, now = self.held, self._monotonic()
        if held is not None:
            elapsed = now - held.monotonic
            due = held.windows.advisory
            if elapsed < due and self._wall() - held.wall < due:  # as nearly always
                return Need.NOTHING
            if elapsed < held.windows.expiry:
                return self._need_of_good(held, now)
        failure = self._failure
        return Need.PAUSE if failure is not None and now < failure.retry_at else Need.NOW

    def _need_of_good(self, held: Held, now: float) -> Need:
        """What is needed when `held` is due."""
        if now < max(self.retry_at, held.renewable_at):
            return Need.NOTHING
        age = max(now - held.monotonic, self._wall() - held.wall)
        return Need.MEANWHILE if age < held.windows.mandatory else Need.SOON

    @property
    def retry_at(self) -> float:
        """No attempt is needed before it, by the monotonic clock, since the last one failed."""
        return self._failure.retry_at if self._failure else 0.0

    def is_good(self) -> bool:
        """Whether `held` can be used."""
        return self.held is not None and self._left(self.held) > 0

    def ends_within(self, seconds: float | None) -> bool:
        """Whether the credentials end within `seconds` by either clock; None: are due."""
        held = self.held
        if held is None:
            return True
        age = max(self._monotonic() - held.monotonic, self._wall() - held.wall)
        windows = held.windows
        return age >= (windows.advisory if seconds is None else windows.expiry - seconds)

    def patience(self) -> float:
        """Seconds to wait, at `Need.SOON`, for the attempt that is under way."""
        now = self._monotonic()
        left = self._left(self.held) if self.held else 0.0
        return max(0.0, min(self._begun_at + LONGEST_WAIT - now, left))

    def begun(self) -> None:
        """Note that an attempt begins."""
        self._begun_at = self._monotonic()

    def received(self, session: RolesAnywhereSession | Received) -> None:
        """Take a session into use."""
        if isinstance(session, Received):
            new = session
        else:
            windows = RefreshWindows.for_lifetime(session.lifetime, self._jitter())
            new = Received(session, windows, age=0.0)
        self._failure = None
        wall, now = self._wall() - new.age, self._monotonic()
        self.held = Held(new.session, new.windows, wall, now - new.age, now + new.pause)
        logger.debug("New credentials, good until %s", new.session.expiration.isoformat())

    def failed(self, error: BaseException) -> None:
        """Note that an attempt failed, and when the next one may begin."""
        held, last = self.held, self._failure
        own = error if isinstance(error, RolesAnywhereError) else None
        left = self._left(held) if held is not None else 0.0
        good = left > 0
        cold = 0 if good else (last.cold if last else 0) + 1
        pause = next_pause(own, cold, left if good else None, self._jitter)
        # Kept without the frames that it passed, whose variables may be secret.
        kept = _copied(own) if own else None
        self._failure = _Failure(kept, cold, self._monotonic() + pause)
        if good and held is not None:
            logger.warning(
                "The credentials were not renewed and will be used until they end at %s;"
                " next try in %s: %s",
                held.session.expiration.isoformat(),
                in_words(pause),
                own or type(error).__name__,
            )
        else:
            logger.debug("There are no credentials; next try in %s", in_words(pause))

    def failure(self) -> RolesAnywhereError:
        """The last failure, to be raised.

        A copy: threads that raise one exception object overwrite each other's traceback.
        """
        error = self._failure.error if self._failure else None
        if error is None:
            return RolesAnywhereError("the renewal failed", code="renewal-failed")
        return _copied(error)

    def draw_anew(self) -> None:
        """Draw other times of the next attempt, in a process that was forked.

        Otherwise the parent and all its children would renew at the same moment.
        """
        now, held, failure = self._monotonic(), self.held, self._failure
        if held is not None:
            age = max(now - held.monotonic, self._wall() - held.wall)
            self.held = held._replace(windows=held.windows.drawn_anew(age, self._jitter()))
        if failure is not None and now < failure.retry_at:
            left = self._left(held) if held is not None and not failure.cold else None
            pause = next_pause(failure.error, failure.cold, left, self._jitter)
            self._failure = failure._replace(retry_at=now + pause)

    def _left(self, held: Held) -> float:
        return held.windows.expiry - (self._monotonic() - held.monotonic)


def _copied(error: RolesAnywhereError) -> RolesAnywhereError:
    copied = copy(error)
    copied.__cause__ = error.__cause__
    return copied
