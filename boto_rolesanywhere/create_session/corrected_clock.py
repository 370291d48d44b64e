"""The time by this machine's clock, set right where the service's is known to differ.

AWS refuses a signature whose time is more than 5 minutes off. A machine whose clock is off gets no
credentials then, and often no way to set its clock by them. So the service's ``Date`` is believed,
if it comes from where nobody on the way can change it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.redaction import logger_of

from .diagnosis import CLOCK_TOLERANCE, clock_finding, service_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from .transport import Answer

logger = logger_of(__name__)

OF_TIME: Final = frozenset({"certificate-expired", "certificate-not-yet-valid"})
"""The codes of errors that a wrong clock makes."""
_TOLERANCE: Final = timedelta(seconds=CLOCK_TOLERANCE)
# Whatever says it is another year is no service of AWS's.
_EARLIEST: Final = datetime(2020, 1, 1, tzinfo=timezone.utc)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=timezone.utc)


class CorrectedClock:
    """Gives the time, aware. Safe to use from several threads.

    Attributes:
        offset: what is added to the machine's time; zero as long as it is right.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` gives the machine's time, aware."""
        self._clock = clock
        self.offset = timedelta()

    def __call__(self) -> datetime:
        """The corrected time."""
        return self._clock() + self.offset

    def learn(self, answer: Answer) -> bool:
        """Set the time by the ``Date`` of an answer; True if it is another one now.

        Args:
            answer: over TLS that was verified, or from this machine.
        """
        theirs = service_time(answer.headers.get("date"))
        if theirs is None or not _EARLIEST <= theirs < _LATEST:
            return False
        if abs(theirs - self()) <= _TOLERANCE:
            return False
        now = self._clock()
        if abs(theirs - now) <= _TOLERANCE:  # somebody has set the machine's clock right
            self.offset = timedelta()
            logger.info("This machine's clock agrees with the service's again")
            return True
        self.offset = theirs - now
        logger.warning(
            "From now on CreateSession is signed by the service's time, since %s. Set this"
            " machine's clock (NTP): other requests to AWS may fail by it.",
            clock_finding(now, theirs),
        )
        return True
