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

    Yields:
        A function that waits for some seconds (None: without limit) and returns whether a signal
        has arrived. After the first signal it returns True at once.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        fd_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            with handled_by(lambda: None):  # the interpreter has already written the byte
                yield lambda seconds: bool(select.select([reader], [], [], seconds)[0])
        finally:
            signal.set_wakeup_fd(fd_before)


@contextmanager
def handled_by(react: Callable[[], object]) -> Iterator[None]:
    """Call `react` on SIGINT and SIGTERM. For the main thread only.

    An ignored signal stays ignored; a shell ignores SIGINT for the programs in its background.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        react()

    before = {
        number: signal.signal(number, handle)
        for number in _NUMBERS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
