"""One attempt on the wire, limited in time.

botocore's time-outs limit each read, not the whole: a slow answer can outlive them. So each attempt
runs in its own thread, which the caller abandons when the time is over. The limit includes name
resolution, TLS and headers.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from .transport import Answer, TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable


def within(seconds: float, send: Callable[[threading.Event], Answer]) -> Answer:
    """The answer that `send` gets.

    Args:
        seconds: that it may take.
        send: makes the attempt; it stops reading when the event that it gets is set.

    Raises:
        TransportFault: the time is over, or what `send` raises.
    """
    if seconds <= 0:
        raise _too_late()
    outcome: SimpleQueue[Answer | BaseException] = SimpleQueue()
    given_up = threading.Event()

    def attempt() -> None:
        try:
            outcome.put(send(given_up))
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            outcome.put(error)

    thread = threading.Thread(
        target=copy_context().run, args=(attempt,), name="create-session", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending, or the system gives no more threads
        return send(given_up)
    try:
        result = outcome.get(timeout=seconds)
    except Empty:
        raise _too_late() from None
    finally:
        given_up.set()
    if isinstance(result, Answer):
        return result
    raise result


def _too_late() -> TransportFault:
    return TransportFault("too-late", "the time for the whole call is over")
