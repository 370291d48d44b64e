"""The listening socket, the event loop that serves it, and its end. Knows no routes.

asyncio's own event loop serves, also where uvloop is installed: uvloop lets in one new connection
per turn of its loop, so that beside 1,000 busy connections a new one waited for up to 8 seconds.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import logger_of

from .signals import handled_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .endpoint import Limits, Responder

logger = logger_of(__name__)

_BACKLOG: Final = 2048  # connections that wait to be accepted
# In one turn of the loop, before any other is cut off; also how often asyncio tries, and complains,
# in one turn when there are no more descriptors.
_ACCEPTED_AT_ONCE: Final = 64
_FILES_BESIDE_CONNECTIONS: Final = 256 + _ACCEPTED_AT_ONCE
_SILENCE: Final = 60.0  # seconds between complaints, so that a flood of clients fills no log
_TICK: Final = 0.1  # seconds
_GOODBYE: Final = 2.0  # seconds for answers that are under way at the end
_GOODBYE_STEPS: Final = 200
_START_TIMEOUT: Final = 30.0  # seconds
_IPV4: Final = 4


def require_extra() -> None:
    """See that the package of the extra ``serve`` is installed.

    Raises:
        ConfigurationError: naming the package and the extra.
    """
    try:
        import httptools  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise ConfigurationError(
            f"a local endpoint needs a package that is not installed ({error.name})",
            code="package-missing",
            remedy="Run: pip install 'boto_rolesanywhere[serve]'",
        ) from None


def bind(address: str, port: int, *, hop_limit: int = 64) -> socket.socket:
    """A listening socket. Clients that connect before it is served wait.

    Args:
        address: an IP address of this machine, or ``localhost``.
        port: 0 for any that is free.
        hop_limit: the IP TTL (hop limit) of what is sent; accepted sockets inherit it.

    Raises:
        ConfigurationError: the address is not one of this machine's, or the port is taken.
    """
    numeric = _numeric(address)
    is_ipv4 = ip_address(numeric).version == _IPV4
    family = socket.AF_INET if is_ipv4 else socket.AF_INET6
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, an answer
    # in two pieces waits 40 ms for the acknowledgement of the first.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # An IPv6 socket may serve IPv4 clients too, and sends to them with IPv4's limit.
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hop_limit)
        if not is_ipv4:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hop_limit)
        sock.bind((numeric, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _not_bound(address, port, error) from None
    return sock


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach `address`.

    Raises:
        ConfigurationError: it is not an IP address.
    """
    return ip_address(_numeric(address)).is_loopback


def url_of(sock: socket.socket) -> str:
    """``http://ADDRESS:PORT`` for clients on this machine; loopback stands for a wildcard."""
    host, port = sock.getsockname()[:2]
    address = ip_address(host)
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == _IPV4 else "::1")
    return f"http://{address if address.version == _IPV4 else f'[{address}]'}:{port}"


def _nothing() -> None:
    """The default of the callbacks below."""


class Listener:
    """Serves once: with `run` in the main thread, or from `start` to `stop` in its own thread.

    Attributes:
        connections: those that are open.
    """

    def __init__(
        self,
        respond: Responder,
        sock: socket.socket,
        *,
        limits: Limits | None = None,
        on_ready: Callable[[], object] = _nothing,
        on_leaving: Callable[[], object] = _nothing,
    ) -> None:
        """Serve nothing yet.

        Args:
            respond: answers a request.
            sock: listens; it is closed at the end.
            limits: what clients may use.
            on_ready: called when requests are answered.
            on_leaving: called when no more connections are taken.
        """
        from .endpoint import Connections, Limits  # which need the extra

        self.connections = Connections(limits or Limits())
        self._respond = respond
        self._sock = sock
        self._on_ready = on_ready
        self._on_leaving = on_leaving
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()
        self._silent_until = 0.0
        self._serving: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve_in_thread, name="endpoint", daemon=True)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, and end cleanly."""
        _allow_files(self.connections.limits.connections + _FILES_BESIDE_CONNECTIONS)
        asyncio.run(self._serve_until_signal())

    def start(self) -> None:
        """Serve in a thread. The limit of open files stays as it is.

        Raises:
            ConfigurationError: the thread did not come as far as serving.
        """
        self._thread.start()
        try:
            self._serving.result(_START_TIMEOUT)
        except Exception as error:  # noqa: BLE001  # whatever the thread met, or how long it took
            raise ConfigurationError(
                f"the endpoint did not start ({type(error).__name__})", code="server-not-started"
            ) from None

    def stop(self) -> None:
        """End what `start` began."""
        self._ask_to_leave()
        self._thread.join(_START_TIMEOUT)

    def _serve_in_thread(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001  # there is nobody else to catch it
            if not self._serving.done():
                self._serving.set_exception(error)

    async def _serve_until_signal(self) -> None:
        self._loop = asyncio.get_running_loop()  # before a signal needs it
        with handled_by(self._ask_to_leave):
            await self._serve()

    def _ask_to_leave(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._leave.set)

    async def _serve(self) -> None:
        from .endpoint import Connection

        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._complain)
        server = await self._loop.create_server(
            lambda: Connection(self._respond, self.connections),
            sock=self._sock,
            backlog=_ACCEPTED_AT_ONCE,
        )
        self._sock.listen(_BACKLOG)  # asyncio has one number for both
        ticking = asyncio.create_task(self._tick())
        self._on_ready()
        self._serving.set_result(None)
        await self._leave.wait()
        self._on_leaving()
        server.close()
        await self._say_goodbye()
        ticking.cancel()

    def _complain(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        """Asyncio's exception handler. Its own writes a traceback each time."""
        if loop.time() >= self._silent_until:
            self._silent_until = loop.time() + _SILENCE
            error = type(context.get("exception")).__name__
            logger.error("The endpoint has a problem: %s (%s)", context.get("message"), error)

    async def _tick(self) -> None:
        while True:
            self.connections.tick(asyncio.get_running_loop().time())
            await asyncio.sleep(_TICK)

    async def _say_goodbye(self) -> None:
        for connection in list(self.connections.open):
            connection.finish()
        for _ in range(_GOODBYE_STEPS):
            if not self.connections.open:
                return
            await asyncio.sleep(_GOODBYE / _GOODBYE_STEPS)
        for connection in list(self.connections.open):
            self.connections.cut_off(connection)


def _allow_files(wanted: int) -> None:
    """Raise the soft limit of open files as far as needed and allowed: often it is 1,024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _numeric(address: str) -> str:
    numeric = "127.0.0.1" if address == "localhost" else address
    try:
        ip_address(numeric)
    except ValueError:
        raise ConfigurationError(
            f"{address!r} is not an IP address",
            code="setting-invalid",
            where="--listen",
            expected="an IP address of this machine, such as 127.0.0.1",
        ) from None
    return numeric


def _not_bound(address: str, port: int, error: OSError) -> ConfigurationError:
    remedy = "Choose another port with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        remedy = "Name an address of this machine with --listen."
    elif error.errno == errno.EADDRINUSE:
        remedy = "Choose another port with --port, or end the program that uses this one."
    problem = f"cannot listen on {address} port {port} ({error.strerror})"
    return ConfigurationError(problem, code="server-port-taken", where="endpoint", remedy=remedy)
