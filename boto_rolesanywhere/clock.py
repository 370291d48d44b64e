"""The time, as a function that every part takes as a parameter, so that tests can choose it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, as an aware datetime in UTC."""
    return datetime.now(timezone.utc)
