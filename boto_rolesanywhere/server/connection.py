"""A connection of uvicorn's with limits: in time, in size, and in number.

uvicorn (as of 0.54) waits for ever for a request that never comes or never ends, for a client that
never reads, and its httptools parser takes headers of any size. Here no client gets past:

* a connection that has not sent a whole request for `Limits.quiet` seconds is cut off, whether it
  is silent, slow or merely kept alive;
* more than `Limits.request_bytes` without a whole request are refused;
* a client that does not read its answers is cut off after `Limits.quiet` seconds;
* when there are `Limits.connections`, a new one takes the place of the one that was quiet longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may use up.

    Attributes:
        quiet: seconds without a whole request, or without reading.
        request_bytes: of one request, or of pipelined ones that come in one piece.
        connections: open at one time.
    """

    quiet: float = 20.0
    request_bytes: int = 16 * 1024
    connections: int = 4096


class Connection(HttpToolsProtocol):
    """One client. `connection_class` makes the class for a server, which shares what is below.

    Attributes:
        limits: what a client may use up.
        quiet: the connections that owe a request, the longest quiet first, and since when.
    """

    limits: ClassVar[Limits]
    quiet: ClassVar[dict[Connection, float]]

    # uvicorn narrows the transport of asyncio's protocol in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # see above
        """Make room for it, if need be."""
        self._received = 0
        self._stalled: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            # None is quiet: all the others are being answered, and this one has to wait its turn.
            oldest = next(iter(self.quiet), self)
            self.quiet.pop(oldest, None)  # its end comes a turn later; the next takes another's
            oldest.transport.abort()
            if oldest is self:
                return
        self._become_quiet()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.quiet.pop(self, None)
        self._read_again()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, unless it is too much."""
        self._received += len(data)
        if self._received > self.limits.request_bytes:
            self._refuse()
        elif not self.transport.is_closing():
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """Take a path alone: no ``http://other/path`` (RFC 9112, 3.2.2) and no CONNECT."""
        if self.url.startswith(b"/"):
            super().on_headers_complete()
        else:
            raise ValueError  # httptools reports it to uvicorn, which answers 400

    def on_message_complete(self) -> None:
        """The client owes nothing, unless its answer went out before the end of the body."""
        self._received = 0
        if self.cycle is not None and not self.cycle.response_complete:
            self.quiet.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The client owes the next request."""
        super().on_response_complete()
        if not self.pipeline:
            self._become_quiet()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.quiet, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        self._read_again()
        super().resume_writing()

    @classmethod
    def cut_off_quiet(cls, now: float) -> None:
        """Cut off those that have been quiet too long. To be called now and then.

        Args:
            now: the event loop's time.
        """
        while cls.quiet:
            connection = next(iter(cls.quiet))
            if now - cls.quiet[connection] < cls.limits.quiet:
                return
            del cls.quiet[connection]
            # Not close(), which waits for a client that does not read.
            connection.transport.abort()

    def _become_quiet(self) -> None:
        self.quiet.pop(self, None)  # to the end of the row
        self.quiet[self] = self.loop.time()

    def _read_again(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_LARGE)
        self.transport.close()


_TOO_LARGE: Final = (  # RFC 6585, 5
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


def connection_class(limits: Limits) -> type[Connection]:
    """The class of connections for one server."""
    shared = {"limits": limits, "quiet": {}}
    return type("LimitedConnection", (Connection,), shared)
