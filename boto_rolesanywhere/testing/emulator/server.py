"""uvicorn in a thread: start, stop, start again on the same port; reaching the connection.

Knows nothing of what is served.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import weakref
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

_START_TIMEOUT = 10.0

# A test breaks connections on purpose; uvicorn's words about it would only disturb. A logger that
# stands alone: nobody's logging configuration reaches it.
_silence = logging.Logger("uvicorn in the emulator")  # noqa: LOG001  # see above
_silence.addHandler(logging.NullHandler())


class _Connection(H11Protocol):
    """A connection whose transport the application finds in ``scope["state"]``."""

    # uvicorn narrows the transport of asyncio's protocol in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # see above
        self.logger = _silence
        self.access_log = False
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # uvicorn leaves a broken one open, of which Python 3.10 complains if it speaks TLS.
        self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server without its polling loop, its signals and its log lines."""

    async def run_until(
        self, stop: asyncio.Event, sock: socket.socket, ready: threading.Event
    ) -> None:
        """Serve `sock` until `stop` is set; then close everything at once."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[sock])
        ready.set()
        await stop.wait()
        # Accept nothing more, and let what was accepted arrive: it attaches to its server in the
        # next turn (to a closed one it cannot), and is known to it a turn later. Else asyncio would
        # leave its socket open.
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        await asyncio.sleep(0)  # connections hear of their end before their tasks are cancelled
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class ServerThread:
    """Serves on one address, in a thread of its own, as often as it is started.

    Attributes:
        host: the address.
        port: the port; 0 until the first start if it was left to the system.
    """

    def __init__(self, host: str, port: int, tls_files: tuple[Path, Path] | None = None) -> None:
        """Serve nothing yet.

        Args:
            host: the address to bind.
            port: 0 leaves the choice to the system.
            tls_files: PEM files of certificate (with chain) and key; None for plain HTTP.
        """
        self.host = host
        self.port = port
        self._tls_files = tls_files
        self._running: _Running | None = None
        self._release_port: Callable[[], object] = _nothing

    @property
    def is_running(self) -> bool:
        """Whether it is started."""
        return self._running is not None

    def start(self, app: ASGIApp) -> None:
        """Serve `app`.

        Raises:
            ConfigurationError: the port is taken, or the TLS files cannot be used.
        """
        self._release_port()
        sock = _bound(self.host, self.port)
        self.port = sock.getsockname()[1]
        running = _Running(self._server(app), sock)
        running.start()
        self._running = running

    def stop(self) -> None:
        """Close the listener and every connection. The port stays taken, and refuses."""
        running, self._running = self._running, None
        if running is None:
            return
        running.stop()
        # Bound but not listening: clients are refused, and nobody else gets the port meanwhile.
        held = _bound(self.host, self.port).detach()
        self._release_port = weakref.finalize(self, socket.close, held)

    def close(self) -> None:
        """Stop, and give the port back."""
        self.stop()
        self._release_port()

    def call(self, function: Callable[[], object]) -> None:
        """Run a function in the server's thread, if it runs."""
        if self._running is not None:
            self._running.call(function)

    def _server(self, app: ASGIApp) -> _Server:
        certificate, key = self._tls_files or (None, None)
        return _Server(
            uvicorn.Config(
                app,
                http=_Connection,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=65,  # longer than clients keep theirs, so that none is surprised
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )


class _Running:
    """One run of the server, from start to stop."""

    def __init__(self, server: _Server, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, name="rolesanywhere-emulator", daemon=True
        )

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT):
            raise ConfigurationError(
                f"the emulator did not start within {in_words(_START_TIMEOUT)}",
                code="server-not-started",
            )
        if self._failure is not None:
            self._thread.join()
            raise ConfigurationError(
                f"the emulator did not start ({self._failure})", code="server-not-started"
            )

    def stop(self) -> None:
        self.call(self._stop.set)
        self._thread.join()

    def call(self, function: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except (Exception, SystemExit) as error:  # noqa: BLE001  # raised again by start()
            self._failure = error
            self._sock.close()
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self._server.run_until(self._stop, self._sock, self._ready)


def _nothing() -> None:
    """Stands where there is nothing to release."""


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio switches Nagle's algorithm off only where it sees TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"cannot listen on {host} port {port} ({reason})",
            code="server-port-taken",
            where="port",
            remedy="Choose another port, or 0 for any that is free.",
        ) from None
    return sock
