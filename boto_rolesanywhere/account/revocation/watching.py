"""Keeps lists up to date for as long as it runs: when to look again, and what a fault changes."""

from __future__ import annotations

import random
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from boto_rolesanywhere.clock import Clock

    from .synchronising import Outcome

logger = logger_of(__name__)

IN_ORDER: Final = frozenset({"imported", "updated", "enabled", "unchanged", "empty", "spare"})
_FIRST_RETRY: Final = 15.0  # seconds; each further one waits twice as long
_SOONEST: Final = 60.0  # seconds
_JITTER: Final = 0.2  # so that many machines do not ask at once


@dataclass(slots=True)
class Watch:
    """Synchronises again and again.

    Attributes:
        synchronise: does it once.
        wait: waits so many seconds; whether to end.
        tell: takes what became of each time, an empty sequence for an error that was logged.
        every: how often to look, while all is in order.
        clock: gives the time.
        chance: gives a number from 0 to 1.
    """

    synchronise: Callable[[], Sequence[Outcome]]
    wait: Callable[[float], bool]
    tell: Callable[[Sequence[Outcome]], object]
    _: KW_ONLY
    every: timedelta
    clock: Clock = utc_now
    chance: Callable[[], float] = random.random
    _faults: int = field(default=0, init=False)

    def run(self) -> None:
        """Go on until `wait` says to end."""
        while True:
            outcomes: Sequence[Outcome] = ()
            try:
                outcomes = self.synchronise()
            except RolesAnywhereError as error:
                logger.warning("The lists are not synchronised: %s [%s]", error, error.code)
            self.tell(outcomes)
            if self.wait(self._pause(outcomes)):
                return

    def _pause(self, outcomes: Sequence[Outcome]) -> float:
        in_order = bool(outcomes) and all(outcome.state in IN_ORDER for outcome in outcomes)
        self._faults = 0 if in_order else self._faults + 1
        longest = self.every.total_seconds()
        if self._faults:
            longest = min(_FIRST_RETRY * 2.0 ** min(self._faults - 1, 20), longest)
        else:
            longest = min([longest, *map(self._due, outcomes)])
        return longest * (1 - _JITTER * self.chance())

    def _due(self, outcome: Outcome) -> float:
        """Seconds until a list should be looked at: well before its end."""
        if outcome.listed is None or outcome.listed.next_update is None:
            return self.every.total_seconds()
        left = (outcome.listed.next_update - self.clock()).total_seconds()
        return max(left / 2, _SOONEST)
