"""uvicorn, serving an application on a bound socket. Knows no routes.

Measured with wrk on two cores (benchmarks/serve.py): uvicorn with h11 gives 3,800 answers a second,
with httptools 8,000. uvloop would add to that, but lets in one new connection per turn of its loop:
beside 1,000 busy connections a new one waited for up to 8 seconds. asyncio lets in all at once. So
the extra ``serve`` brings httptools, and uvloop is not used even where it is installed.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from boto_rolesanywhere.errors import ConfigurationError

from .connection import Limits, connection_class

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

    from .app import CredentialApp
    from .connection import Connection

_BACKLOG: Final = 2048  # asyncio takes up to so many connections before any is cut off
_FILES_BESIDE_CONNECTIONS: Final = 256 + _BACKLOG
_GOODBYE: Final = 2  # seconds for answers that are under way at the end
_START_TIMEOUT: Final = 30.0


def _nothing() -> None:
    """Stands where nobody wants to be told."""


class Endpoint:
    """Serves once: with `run` in the main thread, or with `start` and `stop` in one of its own."""

    def __init__(
        self,
        app: CredentialApp,
        sock: socket.socket,
        *,
        limits: Limits | None = None,
        on_ready: Callable[[], object] = _nothing,
        on_leaving: Callable[[], object] = _nothing,
    ) -> None:
        """Serve nothing yet.

        Args:
            app: answers.
            sock: listens; closed at the end.
            limits: what a client may use up.
            on_ready: called when requests are answered.
            on_leaving: called when no more are taken.
        """
        limits = limits or Limits()
        _allow_files(limits.connections + _FILES_BESIDE_CONNECTIONS)
        self._sock = sock
        self._ready = threading.Event()
        self._server = _Server(
            app, connection_class(limits), (on_ready, self._ready.set), on_leaving
        )
        self._thread = threading.Thread(target=self._serve, name="endpoint", daemon=True)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then end cleanly."""
        self._server.run(sockets=[self._sock])

    def start(self) -> None:
        """Serve in a thread.

        Raises:
            ConfigurationError: it did not start.
        """
        self._thread.start()
        self._ready.wait(_START_TIMEOUT)
        if not self._server.started:
            raise ConfigurationError("the endpoint did not start")

    def stop(self) -> None:
        """End what `start` began."""
        self._server.should_exit = True
        self._thread.join(_START_TIMEOUT)

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._sock])
        finally:
            self._ready.set()


class _Server(uvicorn.Server):
    """uvicorn's server, with the sweep of quiet connections and without its log and exit status."""

    def __init__(
        self,
        app: CredentialApp,
        connections: type[Connection],
        on_ready: tuple[Callable[[], object], ...],
        on_leaving: Callable[[], object],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=connections,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level=logging.CRITICAL,  # its lines on bad requests are for a flood to fill
                access_log=False,
                proxy_headers=False,
                server_header=False,
                # The connection's own limit; uvicorn's closing would wait for a slow reader.
                timeout_keep_alive=int(connections.limits.quiet) + 1,
                timeout_graceful_shutdown=_GOODBYE,
                backlog=_BACKLOG,
            )
        )
        self._connections = connections
        self._on_ready = on_ready
        self._on_leaving = on_leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for call in self._on_ready:
            call()

    async def on_tick(self, counter: int) -> bool:
        self._connections.cut_off_quiet(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_leaving()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGTERM and SIGINT; uvicorn's own would raise them again afterwards.

        One that is ignored stays so, as a shell has SIGINT for what runs in its background.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def leave(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {
            number: signal.signal(number, leave)
            for number in (signal.SIGTERM, signal.SIGINT)
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _allow_files(wanted: int) -> None:
    """Raise the soft limit of open files as far as is needed and allowed: often it is 1,024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
