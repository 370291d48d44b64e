"""When to try again after a failed CreateSession, worked out without a clock or a thread.

`windows` says when a good session is renewed, and `state` puts the two to use. The benchmark
``benchmarks/fleet.py`` shows what they do to a fleet. `jitter` is a random number from 0 to 1 (1
itself excluded or not), so that the hosts that failed together do not come back together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ServiceError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
# The service said no and will most likely say so again, and each refused call takes one from the
# quota that the hosts of an account share.
_REFUSED: Final = 5
_SMALLEST_PART: Final = 0.1  # of a pause; a draw of nearly nothing would be no pause
# The share of what is left of the session. Smaller ones bring more hosts back at once after an
# outage than the service takes, and so more of them too late.
_LEFT: Final = 0.2
_LEFT_SPREAD: Final = 0.2
_SERVER_ERROR: Final = 500
_LONGEST_ASKED: Final = 250.0
_ASKED_SPREAD: Final = 0.2  # of it: else all hosts that it told would come back at once


def next_pause(
    error: BaseException | None, failures: int, left: float | None, jitter: Callable[[], float]
) -> float:
    """Seconds until the next try.

    At least as many as the service asked for (Retry-After), with up to a fifth more, but not more
    than 5 minutes of those.

    Args:
        error: of the last call; None for one that is not this package's.
        failures: how many there were one after another without good credentials.
        left: seconds for which the credentials are good; None if there are no good ones.
        jitter: gives a random number from 0 to 1.
    """
    refused = _is_refusal(error)
    if left is None:
        pause = cold_pause(failures, jitter(), refused=refused)
    else:
        pause = renewal_pause(left, jitter(), refused=refused)
    asked = error.retry_after if isinstance(error, ServiceError) else None
    return max(pause, min(asked or 0.0, _LONGEST_ASKED) * (1 + _ASKED_SPREAD * jitter()))


def _is_refusal(error: BaseException | None) -> bool:
    """Whether the service said no, and will most likely say so again."""
    return (
        isinstance(error, ServiceError)
        and not (error.passing or isinstance(error, ThrottledError))
        and error.status < _SERVER_ERROR
    )


def cold_pause(failures: int, jitter: float, *, refused: bool) -> float:
    """Seconds until the next try when there are no good credentials.

    A random part of 1 second, then of 2, 4, 8 … and at last of 60; of five times as much if the
    service refused.

    Args:
        failures: how many there were one after another, the last included.
        jitter: 0 to 1.
        refused: whether the last answer was a refusal, not a passing fault.
    """
    longest = min(SHORTEST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    part = _SMALLEST_PART + (1 - _SMALLEST_PART) * jitter
    return longest * part * (_REFUSED if refused else 1)


def renewal_pause(left: float, jitter: float, *, refused: bool) -> float:
    """Seconds until the next try when the credentials are good for `left` seconds more.

    A random share of what is left, so the tries become more frequent towards the end: from a fifth
    to two fifths, twice as much if the service refused. At least 1 second, 5 if it refused.

    Args:
        left: seconds.
        jitter: 0 to 1.
        refused: whether the answer was a refusal, not a passing fault.
    """
    share = (_LEFT + _LEFT_SPREAD * jitter) * (2 if refused else 1)
    return max(left * share, SHORTEST_PAUSE * (_REFUSED if refused else 1))
