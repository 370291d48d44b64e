"""The time, as functions that every part takes as parameters, so that tests can choose it.

A failure that processes share is told with durations, so `typing` is not imported here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial

_MINUTE, _HOUR, _DAY = 60, 3600, 86400  # seconds

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, as an aware datetime in UTC."""
    return datetime.now(timezone.utc)


def in_words(seconds: float) -> str:
    """A duration in the unit that people use for it: ``90 seconds``, ``15 minutes``, ``12 hours``.

    Hours and minutes begin with two of them, and are rounded; days are whole ones.
    """
    if 0 < seconds < 1:
        return "less than a second"
    number, unit = round(seconds), "second"
    if seconds >= _DAY:
        number, unit = int(seconds // _DAY), "day"
    elif seconds >= 2 * _HOUR:
        number, unit = round(seconds / _HOUR), "hour"
    elif seconds >= 2 * _MINUTE:
        number, unit = round(seconds / _MINUTE), "minute"
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _steady() -> Callable[[], float]:
    # time.monotonic() stands still while the machine sleeps: on Linux (CLOCK_MONOTONIC) and on
    # macOS (mach_absolute_time), whose CLOCK_MONOTONIC goes on. On Windows it goes on.
    name = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}.get(sys.platform, "")
    try:
        clock = partial(time.clock_gettime, getattr(time, name))
        clock()
    except (AttributeError, OSError):  # OSError: a sandbox's kernel without it
        return time.monotonic
    return clock


# Seconds that never go back, and go on while the machine sleeps where the system counts them.
steady: Callable[[], float] = _steady()
