"""A failed call that processes share: its file beside the entry, and whether it still counts.

While a mark counts, nobody calls again, and every process reports the same failure. A process that
waits for another one's renewal reads marks, so nothing heavy is imported: see `cache_entry`.
`marked_error` makes marks of errors, and errors of marks.

A file holds four lines:

1. ``boto_rolesanywhere failure 1`` and the SHA-256 of the rest, so that a torn file is seen;
2. the key, when the call failed and when the next one may be made, in seconds since the epoch by
   the clock of this machine, how many calls have failed in a row, and the error's code;
3. the error's message, as the command prints it;
4. the error's class and attributes, as JSON.

No line holds a secret: an error's message holds none.
"""

from __future__ import annotations

from boto_rolesanywhere.settings.cache_folder import read_own_file
from boto_rolesanywhere.settings.names import LONGEST_SESSION

from .cache_entry import sealed, unsealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SUFFIX: Final = ".failed"
_MAGIC: Final = b"boto_rolesanywhere failure 1 "
# Seconds, without a good session: a mark that claims a longer pause was made while there was one,
# or by nobody of ours.
LONGEST_PAUSE: Final = 300.0
# Seconds after a pause within which one more failure is one more of the same row.
_ROW_ENDS: Final = 600.0
_LONGEST_ROW: Final = 1000


class FailureMark:
    """A failed call.

    Attributes:
        key: what `entry_key` gave for the inputs of the call.
        failed_at: when it failed, by this machine's clock, in seconds since the epoch.
        until: until then nobody calls again.
        row: how many calls have failed one after the other, this one included.
        code: the error's.
        message: the error's, on one line and printable.
        details: JSON of the error's class and attributes, in one line.
    """

    __slots__ = ("code", "details", "failed_at", "key", "message", "row", "until")

    def __init__(
        self,
        key: str,
        times: tuple[float, float],
        row: int,
        *,
        code: str,
        message: str,
        details: str,
    ) -> None:
        self.key = key
        self.failed_at, self.until = times
        self.row = row
        self.code = code
        self.message = message
        self.details = details

    def counts(self, now: float, came: float, *, good: bool) -> bool:
        """Whether its failure is that of a caller who came at `came` and looks at `now`.

        It is while the pause lasts, and if the caller waited for the very call that failed. A mark
        from the future comes from a clock that was set.

        Args:
            now: seconds since the epoch.
            came: seconds since the epoch.
            good: whether there is a good session to go on with.
        """
        longest = LONGEST_SESSION if good else LONGEST_PAUSE
        if not self.failed_at <= now < self.failed_at + longest:
            return False
        return now < self.until or came <= self.failed_at

    def next_row(self, now: float) -> int:
        """The number of a call in its row that fails at `now`."""
        follows = self.failed_at <= now < self.until + _ROW_ENDS
        return min(self.row + 1, _LONGEST_ROW) if follows else 1

    def is_over(self, now: float) -> bool:
        """Whether nobody needs it any more."""
        return not self.failed_at <= now < self.until + _ROW_ENDS

    def note(self, now: float) -> str:
        """A sentence that says whose failure it is."""
        from boto_rolesanywhere.clock import in_words  # few calls fail

        ago, left = now - self.failed_at, max(self.until - now, 0)
        return (
            f"Another call failed so {in_words(ago)} ago; the next one is made in {in_words(left)}"
            " at the earliest."
        )

    def to_bytes(self) -> bytes:
        """The content of its file."""
        head = f"{self.key} {self.failed_at!r} {self.until!r} {self.row} {self.code}"
        return sealed(_MAGIC, head, self.message, self.details)

    @classmethod
    def from_bytes(cls, data: bytes) -> FailureMark | None:
        """What `to_bytes` made; None for anything else."""
        try:
            head, message, details = unsealed(_MAGIC, data)
            key, failed_at, until, row, code = head.split(" ")
            times, number = (float(failed_at), float(until)), int(row)
        except ValueError:
            return None
        mark = cls(key, times, number, code=code, message=message, details=details)
        return mark if mark._is_credible() else None

    def _is_credible(self) -> bool:
        """Whether its numbers can be true, and its text may go to a terminal."""
        printable = self.code.isprintable() and self.message.isprintable()
        pause = self.failed_at <= self.until <= self.failed_at + LONGEST_SESSION
        return printable and pause and 1 <= self.row <= _LONGEST_ROW

    def __repr__(self) -> str:
        return f"<FailureMark {self.key[:8]}… {self.code} until {self.until}>"


def read_mark(folder: str, key: str) -> FailureMark | None:
    """The mark of `key`; None if there is none that can be trusted, as for `read_entry`."""
    data = read_own_file(folder, key + SUFFIX)
    mark = FailureMark.from_bytes(data) if data is not None else None
    return mark if mark is not None and mark.key == key else None
