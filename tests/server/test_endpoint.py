"""What hostile, slow and silent clients get: raw sockets, a real server, short limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from running_server import (
    QUIET,
    Running,
    answers,
    one_answer,
    running,
    until_closed,
)

from boto_rolesanywhere.server.endpoint import Limits
from boto_rolesanywhere.server.exchange import Answer, Request, answer


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


def test_an_answer_to_head_has_no_body(server: Running) -> None:
    asked = server.get(more="Connection: close\r\n").replace(b"GET", b"HEAD", 1)
    head, _, body = server.exchange(asked).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 405 ")
    assert b"content-length: 0" not in head
    assert body == b""


def test_what_follows_the_last_request_is_nobodys(server: Running) -> None:
    received = server.exchange(server.get(more="Connection: close\r\n") + server.get() + b"\0")

    assert [part[9:12] for part in answers(received)] == [b"200"]
    assert b"connection: close" in received


def test_a_client_of_http_1_0_gets_one_answer(server: Running) -> None:
    asked = server.get(more="Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
    received = server.exchange(asked + asked)

    assert [part[9:12] for part in answers(received)] == [b"200"]


def test_who_asks_whether_to_go_on_gets_the_answer_itself(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get(more="Expect: 100-continue\r\nContent-Length: 10\r\n"))
        assert one_answer(sock).startswith(b"HTTP/1.1 200 ")


def test_trailers_after_a_body_are_headers_of_no_request(server: Running) -> None:
    body = b"1\r\nx\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
    first = server.get(more="Transfer-Encoding: chunked\r\n") + body
    received = server.exchange(first + server.get(more="Connection: close\r\n"))

    assert [part[9:12] for part in answers(received)] == [b"200", b"200"]


@contextmanager
def one_that_waits() -> Iterator[tuple[Running, Callable[[], object]]]:
    """A server whose answers to /wait come when the second value is called."""
    loops: list[asyncio.AbstractEventLoop] = []
    ready = asyncio.Event()

    async def later() -> Answer:
        loops.append(asyncio.get_running_loop())
        await ready.wait()
        return answer(200, b"waited}")

    def respond(request: Request) -> Answer | Awaitable[Answer]:
        return later() if request.path == "/wait" else answer(404, b"at once}")

    with running(respond) as server:
        yield server, lambda: loops[0].call_soon_threadsafe(ready.set)


def test_requests_behind_one_that_waits_are_answered_after_it() -> None:
    with one_that_waits() as (server, go_on), server.connect() as sock:
        sock.sendall(server.get("/wait") + server.get("/now") + b"no HTTP\r\n\r\n")
        server.wait_for(server.has_paused_reading)
        go_on()
        statuses = [part[9:12] for part in answers(until_closed(sock))]

    assert statuses == [b"200", b"404", b"400"]


def test_no_more_is_read_than_waits_in_line() -> None:
    with one_that_waits() as (server, go_on), server.connect() as sock:
        sock.sendall(server.get("/wait") + server.get("/now"))
        server.wait_for(server.has_paused_reading)
        sock.settimeout(QUIET)
        with pytest.raises(TimeoutError):
            sock.sendall(server.get("/now") * 1_000_000)
        sock.close()
        go_on()  # else the end of the server would wait for it


def test_a_client_that_goes_while_its_request_waits_is_forgotten() -> None:
    with one_that_waits() as (server, go_on):
        with server.connect() as sock:
            sock.sendall(server.get("/wait"))
            server.wait_for(
                lambda: bool(server.open_connections) and not server.listener.connections.quiet
            )
        server.wait_for(lambda: server.open_connections == 0)
        go_on()
        assert server.exchange(server.get("/now", "Connection: close\r\n"))


def test_what_a_client_asks_and_does_not_read_fills_no_memory() -> None:
    large = answer(200, bytes(100_000))
    with running(lambda _: large, limits=Limits(quiet=60.0)) as server, server.connect() as sock:
        sock.sendall(server.get() * 100 + server.get(more="Connection: close\r\n"))
        server.wait_for(
            lambda: (
                bool(server.open_connections)
                and not server.only_connection().transport.is_reading()
            )
        )
        assert server.only_connection().transport.get_write_buffer_size() < 200_000
        assert len(until_closed(sock)) > 101 * 100_000  # all of them, once they are read
