"""One call in the first of several Regions that can make it.

A Region that could not be reached, failed or throttled is passed over for a while. Then one call
tries it again: if that succeeds, the calls go there as before.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.credentials.policy import LONGEST_PAUSE, next_pause
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.identity import Identity

    from .client import SessionCreator

logger = logger_of(__name__)


class FailoverCreator:
    """Calls CreateSession in one of several Regions; the same call as `SessionCreator.create`.

    Safe to use from several threads and after a fork.
    """

    def __init__(
        self,
        creators: Sequence[SessionCreator],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Send nothing yet.

        Args:
            creators: one for each Region, in order of preference.
            monotonic: seconds that never go back.
            jitter: a random number from 0 to 1.
        """
        self._regions = [_Region(creator) for creator in creators]
        self._monotonic = monotonic
        self._jitter = jitter
        self._lock = threading.Lock()
        _instances.add(self)

    def create(self, identity: Identity | None = None) -> RolesAnywhereSession:
        """Call CreateSession.

        All calls together take no longer than one alone may: each Region has its share.

        Args:
            identity: signs the call; None: the current identity.

        Raises:
            RolesAnywhereError: a Region refused, or all failed; then it is the first one's.
        """
        failure: RolesAnywhereError | None = None
        for region in self._in_order():
            made = self._tried(region, identity)
            if not isinstance(made, RolesAnywhereError):
                return made
            failure = failure or made
        raise failure or AssertionError("there is no Region")

    def _tried(
        self, region: _Region, identity: Identity | None
    ) -> RolesAnywhereSession | RolesAnywhereError:
        """What came of a call in one Region: a session, or a failure that another may make good."""
        try:
            session = region.creator.create(identity, share=1 / len(self._regions))
        except RolesAnywhereError as error:
            # No other Region is asked after a refusal: it would hide a mistake.
            if not error.passing:
                region.closed_until = 0.0
                raise
            self._note_failure(region, error)
            return error
        region.failures, region.closed_until = 0, 0.0
        return session

    def learn_time(self) -> bool:
        """Correct the clock by the first Region that tells its time; whether that changed it."""
        return any(region.creator.learn_time() for region in self._regions)

    def _in_order(self) -> list[_Region]:
        """The Regions that are open, then those that failed a short while ago.

        One whose time is over is open to this caller alone, until the outcome is known.
        """
        with self._lock:
            now = self._monotonic()
            open_now = [region for region in self._regions if region.closed_until <= now]
            for region in open_now:
                if region.failures:
                    region.closed_until = now + LONGEST_PAUSE
            return open_now + [region for region in self._regions if region not in open_now]

    def _note_failure(self, region: _Region, error: RolesAnywhereError) -> None:
        with self._lock:
            region.failures += 1
            pause = next_pause(error, region.failures, None, self._jitter)
            region.closed_until = self._monotonic() + pause
        logger.warning(
            "IAM Roles Anywhere in %s failed; it is asked again after %s: %s",
            region.creator.config.region,
            in_words(pause),
            error,
        )


class _Region:
    """One Region, and whether it is passed over."""

    def __init__(self, creator: SessionCreator) -> None:
        self.creator = creator
        self.failures = 0
        self.closed_until = 0.0  # by the monotonic clock


_instances: WeakSet[FailoverCreator] = WeakSet()


def _new_locks_in_child() -> None:
    # If another thread held a lock at the fork, nobody releases it in the child.
    for creator in _instances:
        creator._lock = threading.Lock()  # noqa: SLF001  # this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_locks_in_child)
