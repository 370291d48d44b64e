"""Which attempts one call makes: what is tried again, after which pause, and for how long.

Nothing here sends, waits or reads a clock. botocore's own retries take no part, since their number
and pauses changed between its versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .diagnosis import service_time
from .transport import REDIRECT, Answer, TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from .transport import FaultKind, Limits

_FIRST_PAUSE: Final = 0.5  # seconds; each later one may be twice as long
_LONGEST_PAUSE: Final = 8.0

# A certificate that is not trusted, or a proxy that refuses, will be the same in a second.
_PASSING: Final[frozenset[FaultKind]] = frozenset(
    {"name", "connection", "connect-timeout", "read-timeout", "truncated", "proxy"}
)
_THROTTLED: Final = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
_TOO_MANY: Final = 429
_REFUSED: Final = 400
_REQUEST_TIMEOUT: Final = 408
_SERVER_ERROR: Final = 500


def pause_after(
    outcome: Answer | TransportFault,
    made: int,
    limits: Limits,
    left: float,
    jitter: Callable[[], float],
) -> float | None:
    """Seconds until the next attempt; None if there shall be none.

    Args:
        outcome: of the attempt that was just made.
        made: attempts so far.
        limits: how many there may be.
        left: seconds until the deadline.
        jitter: a random number from 0 to 1.
    """
    if made >= limits.attempts or not passes(outcome):
        return None
    # Full jitter: hosts that failed together do not come back together.
    pause = min(_FIRST_PAUSE * 2 ** (made - 1), _LONGEST_PAUSE) * jitter()
    if isinstance(outcome, Answer):
        pause += retry_after(outcome) or 0.0
    return pause if pause < left else None


def passes(outcome: Answer | TransportFault) -> bool:
    """Whether the same request may succeed within seconds.

    A throttled one would not: each try takes from the same quota, so whoever asks waits longer
    than a call does. A refusal stays one.
    """
    if isinstance(outcome, TransportFault):
        return outcome.kind in _PASSING
    if is_throttled(outcome):
        return False
    if outcome.is_truncated or outcome.status == _REQUEST_TIMEOUT:
        return True
    if outcome.status < REDIRECT:
        # JSON that was cut where no length was announced. Any other page is not the service's.
        return outcome.fields is None and outcome.body.startswith(b"{")
    return outcome.status >= _SERVER_ERROR


def is_passing(outcome: Answer | TransportFault) -> bool:
    """Whether the same request may succeed later, or elsewhere."""
    if isinstance(outcome, TransportFault):
        return outcome.kind in (*_PASSING, "too-late")
    return passes(outcome) or is_throttled(outcome)


def is_throttled(answer: Answer) -> bool:
    """Whether the service says that there were too many calls."""
    return answer.status == _TOO_MANY or (
        answer.status >= REDIRECT and error_code(answer) in _THROTTLED
    )


def is_refusal(answer: Answer) -> bool:
    """Whether the service looked at the request and refused it."""
    return _REFUSED <= answer.status < _SERVER_ERROR and not is_throttled(answer)


def error_code(answer: Answer) -> str:
    """The service's name for the error, as AWS's restJson1 protocol has it; "" if it has none."""
    fields = answer.fields or {}
    code = answer.headers.get("x-amzn-errortype") or fields.get("code") or fields.get("__type")
    if not isinstance(code, str):
        return ""
    return code.partition(":")[0].rpartition("#")[2].strip()


def retry_after(answer: Answer) -> float | None:
    """Seconds for which the service asks not to be called; None if it says nothing usable.

    From the header ``Retry-After`` (seconds or a date, RFC 9110, section 10.2.3), else the field
    ``retryAfterSeconds`` of the service model's ServiceUnavailableException.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    until, now = service_time(text), service_time(answer.headers.get("date"))
    if until is not None and now is not None:
        return max(0.0, (until - now).total_seconds())
    seconds = (answer.fields or {}).get("retryAfterSeconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return float(min(seconds, 10**9))
    return None
