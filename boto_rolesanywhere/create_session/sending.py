"""One attempt on the wire, limited in time, and its answer's body, limited in size.

The time-outs of HTTP clients limit each read, not the whole: a slow answer can outlive them. So
each attempt runs in its own thread, which the caller abandons when the time is over. The limit
includes name resolution, TLS and headers.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from boto_rolesanywhere.credentials.attempt import Attempt

from .transport import LONGEST_BODY, TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .transport import Answer


def within(seconds: float, send: Callable[[threading.Event], Answer]) -> Answer:
    """The answer that `send` gets.

    Args:
        seconds: that it may take.
        send: makes the attempt; it stops reading when the event that it gets is set.

    Raises:
        TransportFault: the time is over, or what `send` raises.
    """
    given_up = threading.Event()
    attempt = Attempt(lambda: send(given_up))
    if seconds > 0:
        attempt.start()
        try:
            attempt.wait(seconds)
        finally:
            given_up.set()
    if not attempt.future.done():
        raise TransportFault("too-late", "the time for the whole call is over")
    return attempt.future.result()


def body_of(pieces: Iterable[bytes], given_up: threading.Event, late: type[Exception]) -> bytes:
    """The whole body of an answer; what has come of it when `given_up` is set.

    Args:
        pieces: give the body while it comes.
        given_up: from `within`.
        late: what `pieces` raise after a time-out.

    Raises:
        TransportFault: it is late, torn, or longer than any of the service's.
    """
    body = bytearray()
    try:
        for piece in pieces:
            body += piece
            if len(body) > LONGEST_BODY or given_up.is_set():
                break
    except late as error:
        raise TransportFault("read-timeout", "the answer stopped in the middle") from error
    # HTTP clients do not expect every size that a chunk can claim. What they raise may quote the
    # body.
    except Exception:  # noqa: BLE001  # see above
        raise TransportFault("truncated", "the answer was cut off") from None
    if len(body) > LONGEST_BODY:
        raise TransportFault("too-long", f"more than {LONGEST_BODY:,} bytes")
    return bytes(body)
