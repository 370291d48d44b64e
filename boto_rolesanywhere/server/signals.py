"""Waiting for SIGINT and SIGTERM, which ask a command to end, so that no signal is lost."""

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
    """Replace the handlers of SIGINT and SIGTERM by a wait for them. For the main thread only.

    A handler that sets a ``threading.Event`` loses signals: one that arrives while this thread
    holds the event's lock makes the handler wait for that lock for ever, and one that arrives just
    before the thread falls asleep wakes nobody. ``signal.set_wakeup_fd`` has the interpreter write
    a byte at once, whatever any thread does.

    An ignored signal stays ignored; a shell ignores SIGINT for the programs in its background.

    Yields:
        A function that waits for some seconds (None: without limit) and returns whether a signal
        has arrived. After the first signal it returns True at once.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        fd_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        before = {
            number: signal.signal(number, _do_nothing)
            for number in _NUMBERS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield lambda seconds: bool(select.select([reader], [], [], seconds)[0])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(fd_before)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """The interpreter has already written the byte."""
