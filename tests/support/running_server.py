"""A real server on a real socket in this process, and raw clients of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.server.app import CredentialApp, Guard, health_routes
from boto_rolesanywhere.server.container import container_routes
from boto_rolesanywhere.server.endpoint import Connection, Limits
from boto_rolesanywhere.server.imds import MetadataService, MetadataTokens
from boto_rolesanywhere.server.listening import Listener, bind
from boto_rolesanywhere.server.role import ServedRole

if TYPE_CHECKING:
    from boto_rolesanywhere.server.endpoint import Responder

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SESSION = RolesAnywhereSession(
    access_key_id="ASIAEXAMPLE",
    secret_access_key="secret",
    session_token="token" * 200,
    expiration=NOW + timedelta(hours=1),
    issued_at=NOW,
)
QUIET = 0.5
PATIENCE = 15.0


class Source:
    def current(self) -> RolesAnywhereSession | None:
        return SESSION

    async def awaited(self) -> RolesAnywhereSession | None:
        return SESSION


@dataclass
class Running:
    listener: Listener
    port: int

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def get(self, path: str = "/healthz", more: str = "") -> bytes:
        host = f"127.0.0.1:{self.port}"
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()

    def exchange(self, sent: bytes) -> bytes:
        """Send, and give all that comes until the server closes."""
        with self.connect() as sock:
            with suppress(ConnectionError):  # it may refuse before all is sent
                sock.sendall(sent)
            return until_closed(sock)

    @property
    def open_connections(self) -> int:
        return len(self.listener.connections.open)

    def has_paused_reading(self) -> bool:
        """Of a connection."""
        return any(not each.transport.is_reading() for each in self.listener.connections.open)

    def only_connection(self) -> Connection:
        (connection,) = self.listener.connections.open
        return connection

    def still_serves(self) -> bool:
        return self.exchange(self.get(more="Connection: close\r\n")).startswith(b"HTTP/1.1 200 ")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        waited = threading.Event()
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            waited.wait(0.01)


def until_closed(sock: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while data := sock.recv(65536):
            received += data
    return received


def one_answer(sock: socket.socket) -> bytes:
    """The answer to GET /healthz, of a connection that stays open."""
    received = b""
    while not received.endswith(b"}"):
        data = sock.recv(65536)
        assert data, received
        received += data
    return received


def answers(received: bytes) -> list[bytes]:
    return [b"HTTP/1.1 " + part for part in received.split(b"HTTP/1.1 ")[1:]]


@contextmanager
def running(respond: Responder | None = None, *, limits: Limits | None = None) -> Iterator[Running]:
    sock = bind("127.0.0.1", 0, hop_limit=7)
    port = sock.getsockname()[1]
    role = ServedRole("reader", "arn", "123456789012", Source())
    made = CredentialApp(
        Guard(),
        health_routes([]),
        container_routes({role: "t" * 43}),
        MetadataService(role, MetadataTokens()).routes(),
    )
    listener = Listener(respond or made.answer, sock, limits=limits or Limits(quiet=QUIET))
    listener.start()
    try:
        yield Running(listener, port)
    finally:
        listener.stop()
