"""The time by two clocks: the wall clock, which may be set, and the time since the machine started.

The command reads it for each answer from the cache, so nothing heavy is imported: see
`cache_entry`.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Linux alone has both: the name of this start of the kernel, which containers see too, and a clock
# that goes on while the machine sleeps. CLOCK_BOOTTIME elsewhere is another clock, or none.
_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"
_LONGEST_ID: Final = 64


class Moment:
    """A point in time.

    Attributes:
        wall: seconds since the epoch, by a clock that may be set.
        boot_id: names the start of the machine; "" if that is not known.
        boot: seconds since that start, those of a sleeping machine included.
    """

    __slots__ = ("boot", "boot_id", "wall")

    def __init__(self, wall: float, boot_id: str = "", boot: float = 0.0) -> None:
        self.wall = wall
        self.boot_id = boot_id
        self.boot = boot


def present() -> Moment:
    """This moment."""
    boot_id = _boot_id()
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if boot_id else 0.0
    return Moment(time.time(), boot_id, boot)


def _boot_id() -> str:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return ""
    try:
        file = os.open(_BOOT_ID, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # no Linux, or no /proc
        return ""
    try:
        text = os.read(file, _LONGEST_ID).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(file)
    return text if text.replace("-", "").isalnum() else ""
