"""What time it is, for the parts of this package: a function, so that tests can choose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, as an aware datetime in UTC."""
    return datetime.now(timezone.utc)
