"""What hostile, slow and silent clients get: raw sockets, a real server, short limits."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from forked import in_child

from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.server.app import CredentialApp, Guard, health_routes
from boto_rolesanywhere.server.container import container_routes
from boto_rolesanywhere.server.endpoint import Limits
from boto_rolesanywhere.server.exchange import NOT_FOUND, Answer, Request, answer
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
        Guard(port),
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


@pytest.fixture
def server() -> Iterator[Running]:
    with running() as made:
        yield made


def test_a_silent_client_is_cut_off(server: Running) -> None:
    with server.connect() as sock:
        assert until_closed(sock) == b""
    assert server.still_serves()


def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(server: Running) -> None:
    with server.connect() as sock:
        sock.settimeout(QUIET / 5)
        started, sent = time.monotonic(), 0
        for byte in server.get(more="X: " + "y" * 10_000 + "\r\n"):
            try:
                sock.sendall(bytes([byte]))
                sent += 1
                if sock.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert sent < 60
        assert time.monotonic() - started < QUIET * 6
    assert server.still_serves()


def test_a_kept_connection_is_cut_off_even_if_line_ends_come(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get())
        assert one_answer(sock).startswith(b"HTTP/1.1 200 ")
        sock.sendall(b"\r\n")
        assert until_closed(sock) == b""


def test_a_body_that_never_ends_does_not_keep_the_connection(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get(more="Content-Length: 100\r\n") + b"abc")
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert len(answers(received)) == 1


def test_a_body_that_ends_after_the_answer_does_not_keep_the_connection(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get(more="Content-Length: 3\r\n"))
        one_answer(sock)
        sock.sendall(b"abc")
        assert until_closed(sock) == b""


def test_a_client_that_is_busy_in_odd_ways_hides_no_silent_one(server: Running) -> None:
    with server.connect() as busy, server.connect() as silent:
        silent.settimeout(QUIET / 10)
        for _ in range(100):
            busy.sendall(server.get(more="Content-Length: 1\r\n"))
            one_answer(busy)
            busy.sendall(b"x")
            with suppress(TimeoutError):
                assert silent.recv(1) == b""
                break
        else:
            pytest.fail("the silent client was not cut off")


def test_a_kept_connection_serves_any_number_of_requests(server: Running) -> None:
    request = server.get(more=f"X: {'y' * 1000}\r\n")
    with server.connect() as sock:
        for _ in range(50):
            sock.sendall(request)
            assert one_answer(sock).startswith(b"HTTP/1.1 200 ")


def test_others_are_served_while_many_are_silent() -> None:
    with running(limits=Limits(quiet=60.0)) as server, ExitStack() as held:
        for number in range(200):
            sock = held.enter_context(server.connect())
            sock.sendall(b"GET /healthz HT"[: number % 16])
        assert server.still_serves()


def test_the_longest_quiet_makes_room_when_there_are_too_many() -> None:
    with running(limits=Limits(quiet=60.0, connections=10)) as server, ExitStack() as held:
        first = held.enter_context(server.connect())
        server.wait_for(lambda: server.open_connections == 1)
        others = [held.enter_context(server.connect()) for _ in range(9)]
        server.wait_for(lambda: server.open_connections == 10)
        assert server.still_serves()
        assert until_closed(first) == b""
        others[-1].sendall(server.get())
        assert one_answer(others[-1]).startswith(b"HTTP/1.1 200 ")


def test_the_limit_of_open_files_is_raised_as_far_as_it_may() -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    def raised() -> bool:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        listener = Listener(
            lambda _: NOT_FOUND,
            bind("127.0.0.1", 0),
            limits=Limits(connections=500),
            on_ready=lambda: os.kill(os.getpid(), signal.SIGTERM),
        )
        listener.run()
        return bool(resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(hard, 500))

    assert in_child(raised)


def test_a_burst_does_not_get_past_the_limit() -> None:
    with running(limits=Limits(quiet=60.0, connections=10)) as server, ExitStack() as held:
        burst = [socket.socket() for _ in range(100)]
        for sock in burst:
            held.enter_context(sock).setblocking(False)
            with suppress(BlockingIOError):  # so that the server finds many at once
                sock.connect(("127.0.0.1", server.port))
        assert server.still_serves()
        server.wait_for(lambda: server.open_connections <= 10)
        burst[-1].settimeout(PATIENCE)
        burst[-1].sendall(server.get())
        assert one_answer(burst[-1]).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("requests", [1, 4])
def test_a_client_that_does_not_read_is_cut_off(requests: int) -> None:
    large = answer(200, bytes(50_000_000))

    with running(lambda _: large) as server, server.connect() as sock:
        sock.sendall(server.get() * requests)
        server.wait_for(lambda: server.open_connections == 1)
        server.wait_for(lambda: server.open_connections == 0)
        assert len(until_closed(sock)) < 50_000_000 * requests


@pytest.mark.parametrize(
    "flood",
    [
        b"GET /healthz HTTP/1.1\r\n" + b"X: " + b"y" * 20_000,
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 4_000,
        b"GET /" + b"y" * 20_000,
        b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n",
    ],
)
def test_more_headers_than_anybody_needs_are_refused(server: Running, flood: bytes) -> None:
    received = server.exchange(flood)

    # A refusal while the client still sends may be lost to the reset that follows it.
    assert received.startswith(b"HTTP/1.1 431 ") or (received == b"" and len(flood) > 1_000_000)
    assert server.still_serves()


def test_a_body_larger_than_anybody_needs_ends_the_connection(server: Running) -> None:
    sent = server.get(more="Content-Length: 50000\r\n") + b"x" * 50_000
    received = server.exchange(sent)

    assert b" 200 " not in received[20:]
    assert len(answers(received)) <= 2
    assert server.still_serves()


def test_pipelined_requests_are_answered_in_their_order(server: Running) -> None:
    sent = server.get("/healthz") + server.get("/nowhere") + server.get("/credentials/reader")
    last = server.get(more="Connection: close\r\n")
    statuses = [part[9:12] for part in answers(server.exchange(sent + last))]

    assert statuses == [b"200", b"404", b"401", b"200"]


def test_a_pipelined_half_request_is_cut_off(server: Running) -> None:
    received = server.exchange(server.get() + server.get()[:20])

    assert len(answers(received)) == 1


@pytest.mark.parametrize(
    "more",
    [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
    ],
)
def test_an_upgrade_is_not_made_and_the_connection_does_not_stay(
    server: Running, more: str
) -> None:
    received = server.exchange(server.get(more=more) + b"\x81\x00" * 100)

    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"101" not in received.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "line",
    [
        "GET http://127.0.0.1:{port}/healthz HTTP/1.1",
        "GET http://attacker.example/healthz HTTP/1.1",
        "CONNECT attacker.example:443 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET healthz HTTP/1.1",
        "GET  HTTP/1.1",
        "GET /healthz HTTP/9.9",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_plain_request_is_refused(server: Running, line: str) -> None:
    head = line.format(port=server.port) + f"\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    received = server.exchange(head.encode("latin-1"))

    assert received.startswith(b"HTTP/1.1 400 ")
    assert len(answers(received)) == 1
    assert server.still_serves()


@pytest.mark.parametrize(
    "head",
    [
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: attacker.example\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-FORWARDED-for:\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nForwarded: for=1.2.3.4\r\n\r\n",
    ],
)
def test_the_guard_sees_headers_as_they_are_on_the_wire(server: Running, head: str) -> None:
    assert server.exchange(head.format(port=server.port).encode()).startswith(b"HTTP/1.1 400 ")


def test_two_tokens_are_no_token(server: Running) -> None:
    token = f"Authorization: {'t' * 43}\r\n"
    good = server.exchange(server.get("/credentials/reader", token + "Connection: close\r\n"))
    twice = server.exchange(
        server.get("/credentials/reader", token + token + "Connection: close\r\n")
    )

    assert good.startswith(b"HTTP/1.1 200 ")
    assert twice.startswith(b"HTTP/1.1 401 ")


def test_a_second_request_is_not_smuggled_in_a_body(server: Running) -> None:
    hidden = server.get("/credentials/reader", f"Authorization: {'t' * 43}\r\n")
    sent = server.get(more="Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + hidden
    assert b"ASIAEXAMPLE" not in server.exchange(sent)


def test_a_percent_encoded_path_is_the_same_path(server: Running) -> None:
    received = server.exchange(server.get("/%68ealthz?x=1", "Connection: close\r\n"))

    assert received.startswith(b"HTTP/1.1 200 ")


def test_answers_name_no_server_and_are_not_kept(server: Running) -> None:
    head = server.exchange(server.get(more="Connection: close\r\n")).lower().split(b"\r\n\r\n")[0]

    assert b"cache-control: no-store" in head
    assert b"\r\ndate: " in head
    assert b"server:" not in head


def test_the_hop_limit_is_that_of_accepted_sockets(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get())
        one_answer(sock)
        (connection,) = server.listener.connections.open
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 7


def test_it_ends_while_clients_hang_on() -> None:
    with running(limits=Limits(quiet=60.0)) as server, ExitStack() as held:
        idle = held.enter_context(server.connect())
        idle.sendall(server.get())
        assert one_answer(idle).startswith(b"HTTP/1.1 200 ")
        half = held.enter_context(server.connect())
        half.sendall(server.get(more="Content-Length: 10\r\n"))
        assert one_answer(half).startswith(b"HTTP/1.1 200 ")
        silent = held.enter_context(server.connect())
        server.wait_for(lambda: server.open_connections == 3)
        started = time.monotonic()
        server.listener.stop()
        assert time.monotonic() - started < PATIENCE
        assert [until_closed(sock) for sock in (idle, half, silent)] == [b"", b"", b""]
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_it_ends_while_a_request_waits() -> None:
    began, never = threading.Event(), asyncio.Event()

    async def waiting(_request: Request) -> Answer:
        began.set()
        await never.wait()
        raise AssertionError

    with running(waiting) as server, server.connect() as sock:
        sock.sendall(server.get())
        assert began.wait(PATIENCE)
        started = time.monotonic()
        server.listener.stop()
        assert time.monotonic() - started < PATIENCE


def test_an_answer_does_not_wait_for_an_acknowledgement(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get())
        one_answer(sock)
        (connection,) = server.listener.connections.open
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
