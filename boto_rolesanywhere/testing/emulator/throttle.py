"""A quota: at most so many requests in any second."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_SECOND: Final = timedelta(seconds=1)


class Throttle:
    """Counts the requests of the last second."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._passed: deque[datetime] = deque()

    def admits(self, now: datetime, limit: int | None) -> bool:
        """Whether a request may pass now, with at most `limit` in any second; None for no limit.

        One that may not is not counted.
        """
        if limit is None:
            return True
        with self._lock:
            while self._passed and self._passed[0] <= now - _SECOND:
                self._passed.popleft()
            if len(self._passed) >= limit:
                return False
            self._passed.append(now)
            return True
