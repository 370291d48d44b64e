"""The listening socket and the loop that serves it: bursts, limits of the system, the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from forked import in_child
from running_server import PATIENCE, Running, one_answer, running, until_closed

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.server.endpoint import Limits
from boto_rolesanywhere.server.exchange import NOT_FOUND, Answer, Request
from boto_rolesanywhere.server.listening import Listener, bind


@pytest.fixture
def server() -> Iterator[Running]:
    with running() as made:
        yield made


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


def test_the_hop_limit_is_that_of_accepted_sockets(server: Running) -> None:
    with server.connect() as sock:
        sock.sendall(server.get())
        one_answer(sock)
        accepted = server.only_connection().transport.get_extra_info("socket")
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


def test_it_ends_while_a_request_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto_rolesanywhere.server.listening._GOODBYE", 0.2)
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
        accepted = server.only_connection().transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_serving_in_a_thread_leaves_the_limit_of_open_files_to_the_program() -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    def unchanged() -> bool:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with running(limits=Limits(connections=256)) as server:
            return server.still_serves() and bool(
                resource.getrlimit(resource.RLIMIT_NOFILE) == (256, hard)
            )

    assert in_child(unchanged)


def test_when_descriptors_run_out_clients_wait_until_there_are_some_again() -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    def served() -> bool:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        asyncio.constants.ACCEPT_RETRY_DELAY = 0.1  # of this child alone
        with running(limits=Limits(quiet=0.2)) as server:
            clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
            clients += [socket.socket() for _ in range(12)]
            server.wait_for(lambda: server.open_connections == 0)  # the first three are cut off
            resource.setrlimit(resource.RLIMIT_NOFILE, (clients[-1].fileno() + 6, hard))
            for client in clients[3:]:
                client.settimeout(PATIENCE)
                client.connect(("127.0.0.1", server.port))
            clients[-1].sendall(server.get(more="Connection: close\r\n"))
            return until_closed(clients[-1]).startswith(b"HTTP/1.1 200 ")

    assert in_child(served)


def test_a_signal_ends_it_and_the_handlers_are_as_before() -> None:
    def ended() -> bool:
        seen: list[object] = []

        def ready() -> None:
            seen.append(signal.getsignal(signal.SIGINT))
            os.kill(os.getpid(), signal.SIGTERM)

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell has it in the background
        Listener(
            lambda _: NOT_FOUND,
            bind("127.0.0.1", 0),
            on_ready=ready,
            on_leaving=lambda: seen.append("leaving"),
        ).run()
        return seen == [signal.SIG_IGN, "leaving"] and (
            signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        )

    assert in_child(ended)


def test_a_socket_that_cannot_be_served_is_an_error() -> None:
    sock = bind("127.0.0.1", 0)
    sock.close()

    with pytest.raises(ConfigurationError, match=r"did not start \(OSError\)"):
        Listener(lambda _: NOT_FOUND, sock).start()
