"""The time, as functions that every part takes as parameters, so that tests can choose it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, as an aware datetime in UTC."""
    return datetime.now(timezone.utc)


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
