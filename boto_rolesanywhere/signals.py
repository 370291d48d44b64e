"""SIGINT and SIGTERM as the wish that a command ends, waited for so that none is lost."""

from __future__ import annotations

import select
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_signals() -> Iterator[Callable[[float | None], bool]]:
    """Wait for SIGINT and SIGTERM, instead of what they did before; in the main thread alone.

    A handler that sets a ``threading.Event`` would do for nearly all signals: one that comes while
    this thread holds the event's own lock has its handler wait for that lock, and so for ever; and
    one that comes just before the thread falls asleep wakes nobody. Here the interpreter writes a
    byte at once, whatever any thread does (``signal.set_wakeup_fd``).

    A signal that is ignored, as a shell has SIGINT for what runs in its background, stays so.

    Yields:
        A function that waits for a number of seconds, or for as long as it takes if that is None,
        and says whether a signal came; once one has, it does not wait again.
    """
    told, tell = socket.socketpair()
    with told, tell:
        tell.setblocking(False)
        fd_before = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
        before = {
            number: signal.signal(number, _note)
            for number in _NUMBERS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield lambda seconds: bool(select.select([told], [], [], seconds)[0])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(fd_before)


def _note(_number: int, _frame: FrameType | None) -> None:
    """The byte is written already."""
