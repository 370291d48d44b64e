"""HTTP: requests in, the service's answers out, and the faults that need the connection itself."""

from __future__ import annotations

import logging
import socket
import struct
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from boto_rolesanywhere.testing.faults import Hang, Reset, SlowBody, TruncatedBody

from .answers import INTERNAL, refusal_answer
from .service import Reply
from .wire import Received

if TYPE_CHECKING:
    import ssl

    from .answers import Answer
    from .service import Service

_log = logging.getLogger(__name__)
# Lingering for no time at all makes the kernel send an RST when the socket is closed.
_NO_LINGERING = struct.pack("ii", 1, 0)


class Conversation(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other, until it is closed."""

    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing: a test breaks connections on purpose."""

    def answer(self) -> None:
        """Answer one request, or do what the fault says."""
        released = self.server.released  # as it is before the request counts as arrived
        reply = self.server.reply(self._received())
        fault, answer = reply.fault, reply.answer
        if isinstance(fault, Reset):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self.close_connection = True
            return
        if isinstance(fault, Hang):
            released.wait(fault.seconds)
        self._begin(answer)
        if isinstance(fault, TruncatedBody):
            self.wfile.write(answer.body[: fault.keep])
            self.close_connection = True
        elif isinstance(fault, SlowBody):
            self._send_slowly(answer.body, fault)
        elif self.command != "HEAD":
            self.wfile.write(answer.body)

    # Names of `http.server`, hence the exception: it looks for one for each of HTTP's methods.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def _received(self) -> Received:
        path, _, query = self.requestline.split()[1].partition("?")
        return Received(
            method=self.command,
            path=path,
            query=query,
            headers=tuple((name.lower(), value) for name, value in self.headers.items()),
            body=self._body(),
        )

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(length) if length.isdecimal() else 0)
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _begin(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_slowly(self, body: bytes, fault: SlowBody) -> None:
        pieces = max(fault.pieces, 2)
        size = -(-len(body) // pieces)
        for start in range(0, len(body), size):
            if start:
                self.server.stopped.wait(fault.seconds / (pieces - 1))
            self.wfile.write(body[start : start + size])


class Listener(ThreadingMixIn, TCPServer):
    """One run of the server: a thread that accepts connections, and one for each of them.

    Attributes:
        released: is set when the requests that hang now shall be answered.
        stopped: is set when all ends.
    """

    # Who forgets to stop the emulator still comes to an end.
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], service: Service, tls: ssl.SSLContext | None
    ) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be had.
            OverflowError: there is no such port.
        """
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Conversation)
        self.released = Event()
        self.stopped = Event()
        self._service = service
        self._tls = tls
        self._turn = Lock()
        self._connections: set[socket.socket] = set()
        self._thread = Thread(target=self._accept, name="rolesanywhere-emulator", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Answer the requests that hang now, not those that come."""
        self.released.set()
        self.released = Event()

    def stop(self) -> None:
        """Refuse new connections, and break all that there are."""
        self.stopped.set()
        # The thread waits for a connection.
        socket.create_connection(self.server_address[:2]).close()  # type: ignore[arg-type]  # str
        self._thread.join()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):  # closed meanwhile
                # Not that of `ssl`, which another thread may be using.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.release()
        with self._turn:
            pass  # until the last request has its answer

    def reply(self, received: Received) -> Reply:
        """What the service answers: one request after the other, and none once it is stopped."""
        with self._turn:
            if self.stopped.is_set():
                raise ConnectionAbortedError
            try:
                return self._service.handle(received)
            except Exception:  # noqa: BLE001  # a fault of ours must not look like the client's
                _log.exception("the emulator itself failed")
                return Reply(refusal_answer(INTERNAL, self._service.now()), None)

    def _accept(self) -> None:
        while not self.stopped.is_set():
            self.handle_request()

    def get_request(self) -> tuple[socket.socket, object]:
        """The next connection. Its own thread shakes hands, as it reads."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # of TCP
        """Close a connection, with an RST where a fault asks for that, so without a FIN before."""
        self._connections.discard(request)
        request.close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that breaks the connection, or does not speak HTTP."""
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            _log.exception("the emulator itself failed")
