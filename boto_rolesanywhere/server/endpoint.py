"""One client's connection: httptools parses, `Limits` bound what the client may use. No routes.

The limits hold against hostile clients, and so does their bookkeeping:

* a connection is cut off when it has been quiet for `Limits.quiet` seconds: no answer went out to
  it, because it is silent, slow, merely kept alive, or does not read what it was sent;
* more than `Limits.request_bytes` without a whole request are refused;
* when there are `Limits.connections`, a new one takes the place of the one that was quiet longest;
* requests that come before earlier ones are answered wait in line, and no more are read meanwhile.

A request is answered when its headers have arrived: no path reads a body, so that a client that
asks with ``Expect: 100-continue`` gets the answer itself (RFC 9110, 10.1.1).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

import httptools

from .exchange import Answer, Request, answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Responder = Callable[[Request], Answer | Awaitable[Answer]]

_CLOSE: Final = b"connection: close\r\n"
_BAD_REQUEST: Final = answer(400, b"This is not a valid request for a path.\n")
_TOO_LARGE: Final = answer(431, b"The request is too large.\n")  # RFC 6585, 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may use.

    Attributes:
        quiet: seconds that a connection may go without an answer.
        request_bytes: of one request, or of several that come in one piece.
        connections: open at one time.
    """

    quiet: float = 20.0
    request_bytes: int = 16 * 1024
    connections: int = 4096


class Connections:
    """All connections of one server.

    Attributes:
        limits: what clients may use.
        open: every connection.
        quiet: since when each has been quiet, the longest quiet first. A connection whose request
            waits for credentials is not among them.
        date: the Date header of answers (RFC 9110, 6.6.1).
    """

    def __init__(self, limits: Limits) -> None:
        """Hold no connection yet."""
        self.limits = limits
        self.open: set[Connection] = set()
        self.quiet: dict[Connection, float] = {}
        self.date = b""

    def tick(self, now: float) -> None:
        """Cut off clients that have been quiet too long. Call this several times a second.

        Args:
            now: the event loop's time.
        """
        self.date = b"date: %b\r\n" % formatdate(usegmt=True).encode()
        while self.quiet:
            connection = next(iter(self.quiet))
            if now - self.quiet[connection] < self.limits.quiet:
                return
            self.cut_off(connection)

    def make_room(self, newest: Connection) -> None:
        """See that no more are open than may be."""
        if len(self.open) > self.limits.connections:
            # If none is quiet, all others are being answered, and the newest has to go.
            self.cut_off(next(iter(self.quiet), newest))

    def cut_off(self, connection: Connection) -> None:
        """End a connection without waiting for its client to read."""
        # It stays open for one more turn of the loop; meanwhile it makes no room a second time.
        self.quiet.pop(connection, None)
        connection.transport.abort()


class Connection(asyncio.Protocol):
    """One client.

    Attributes:
        transport: the connection itself.
    """

    __slots__ = (
        "_connections",
        "_headers",
        "_in_body",
        "_is_last",
        "_line",
        "_loop",
        "_parser",
        "_received",
        "_respond",
        "_url",
        "_waiting",
        "_writable",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, respond: Responder, connections: Connections) -> None:
        """Join nobody yet. `respond` answers a request."""
        self._respond = respond
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._received = 0  # bytes since the last whole request
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._in_body = False
        self._is_last = False  # nothing more is read; the connection ends with the line
        self._line: list[Request | Answer] = []  # still to be answered or sent, in their order
        self._waiting: asyncio.Future[Answer] | None = None  # the answer before the line
        self._writable = True

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the others."""
        self.transport = cast("asyncio.Transport", transport)
        self._connections.open.add(self)
        self._connections.make_room(self)
        if not transport.is_closing():
            self._become_quiet()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        """Leave."""
        self._connections.open.discard(self)
        self._connections.quiet.pop(self, None)
        self._line.clear()
        del self._parser  # which holds this connection's methods

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless they are too many, and answer."""
        if self._is_last:
            # A server must not process what follows the last request (RFC 9112, 9.6).
            self.transport.pause_reading()
            return
        self._received += len(data)
        if self._received > self._connections.limits.request_bytes:
            self._end_with(_TOO_LARGE)
        else:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade:
                pass  # no upgrade is offered; `on_headers_complete` has made the request the last
            except httptools.HttpParserError:
                self._end_with(_BAD_REQUEST)
        self._proceed()

    def pause_writing(self) -> None:
        """Answer no more until the client reads."""
        self._writable = False

    def resume_writing(self) -> None:
        """Answer again."""
        self._writable = True
        self._proceed()

    # What httptools calls. An exception makes it raise HttpParserError.

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._url, self._headers = b"", {}

    def on_url(self, part: bytes) -> None:
        """Add a part of the request's target."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        name = name.lower()
        before = self._headers.get(name)
        self._headers[name] = value if before is None else before + b", " + value

    def on_headers_complete(self) -> None:
        """Put the request in line.

        Raises:
            ValueError: the target is no path but ``http://other/path`` (RFC 9112, 3.2.2), ``*``, or
                that of CONNECT.
        """
        if self._is_last:
            return
        if not self._url.startswith(b"/"):
            raise ValueError
        parser = self._parser
        path = httptools.parse_url(self._url).path.decode("ascii")
        self._line.append(
            Request(
                parser.get_method().decode("ascii"),
                unquote(path) if "%" in path else path,
                self._headers,
            )
        )
        self._headers = {}  # trailers, after the body, are no part of the request
        self._in_body = True
        # An answer of HTTP/1.1 that stays open means nothing to a client of 1.0; and what follows
        # a wish for an upgrade may be no HTTP.
        self._is_last = (
            not parser.should_keep_alive()
            or parser.should_upgrade()
            or parser.get_http_version() == "1.0"
        )

    def on_message_complete(self) -> None:
        """Count from zero for the next request."""
        self._received = 0
        self._in_body = False

    # What the server calls.

    def finish(self) -> None:
        """End after the answers that are due."""
        self._is_last = True
        self._proceed()

    # The line.

    def _end_with(self, refusal: Answer) -> None:
        if not self._is_last:
            self._is_last = True
            if not self._in_body:  # otherwise the request has its answer
                self._line.append(refusal)

    def _proceed(self) -> None:
        """Answer the requests in line as far as credentials are there and the client reads."""
        while self._line and self._waiting is None and self._writable:
            if self.transport.is_closing():
                self._line.clear()
                return
            item = self._line.pop(0)
            if isinstance(item, Answer):
                self._send(item)
                continue
            found = self._respond(item)
            with_body = item.method != "HEAD"  # RFC 9110, 9.3.2
            if isinstance(found, Answer):
                self._send(found, with_body=with_body)
            else:
                self._connections.quiet.pop(self, None)
                self._waiting = asyncio.ensure_future(found)
                self._waiting.add_done_callback(partial(self._waited, with_body=with_body))
        if self._line:
            self.transport.pause_reading()
        elif self._is_last and self._waiting is None:
            self.transport.close()
        else:
            self.transport.resume_reading()

    def _waited(self, waiting: asyncio.Future[Answer], *, with_body: bool) -> None:
        self._waiting = None
        if not waiting.cancelled() and not self.transport.is_closing():
            self._send(waiting.result(), with_body=with_body)
            self._proceed()

    def _send(self, answer: Answer, *, with_body: bool = True) -> None:
        close = _CLOSE if self._is_last and not self._line else b""
        body = answer.body if with_body else b""
        self.transport.write(b"".join((answer.head, self._connections.date, close, b"\r\n", body)))
        self._become_quiet()

    def _become_quiet(self) -> None:
        quiet = self._connections.quiet
        quiet.pop(self, None)  # to the end of the row
        quiet[self] = self._loop.time()
