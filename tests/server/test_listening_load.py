"""Many clients at once, for some seconds: no error, and no more CreateSession calls than one.

The full figures come from benchmarks/serve.py; nothing here depends on the machine's speed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from older import AGING, DUE, grow_older

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

CLIENTS = 250
SECONDS = 1.5  # each client asks some dozen times
RENEWALS = 4


@dataclass
class Server:
    emulator: Emulator
    port: int
    token: str
    ahead: Path

    @property
    def request(self) -> bytes:
        return (
            f"GET /credentials/RolesAnywhere HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: {self.token}\r\n\r\n"
        ).encode()


@contextmanager
def serving(emulator: Emulator, ca: CertificateAuthority, folder: Path) -> Iterator[Server]:
    paths = ca.issue("app").write(folder)
    command = [
        *(sys.executable, AGING, "serve", "--port", "0", "--no-imds"),
        *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
        *("--trust-anchor-arn", emulator.trust_anchor_arn, "--profile-arn", emulator.profile_arn),
        *("--role-arn", emulator.role_arn, "--endpoint", emulator.endpoint_url),
        *("--token-folder", str(folder / "tokens")),
    ]
    ahead = folder / "ahead"
    environ = {**os.environ, "SECONDS_AHEAD": str(ahead)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        line = ""
        while "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in line:
            line = process.stdout.readline()
            assert line, "the server did not start"
        port = int(line.split(":")[2].split("/")[0])
        try:
            token = (folder / "tokens/RolesAnywhere.token").read_text()
            yield Server(emulator, port, token, ahead)
        finally:
            process.terminate()
            process.stdout.read()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    ca = CertificateAuthority()
    with Emulator(ca) as emulator, serving(emulator, ca, tmp_path) as running:
        yield running


@dataclass
class Seen:
    """All clients' answers: the count of each status, and each body."""

    statuses: dict[bytes, int] = field(default_factory=dict)
    bodies: set[bytes] = field(default_factory=set)

    async def client(self, server: Server, end: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            while time.monotonic() < end:
                writer.write(server.request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                self.bodies.add(await reader.readexactly(length))
                status = head[9:12]
                self.statuses[status] = self.statuses.get(status, 0) + 1
        finally:
            writer.close()
            await writer.wait_closed()

    async def all(self, server: Server, clients: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        await asyncio.gather(*(self.client(server, end) for _ in range(clients)))


def test_many_clients_get_the_same_answer_of_one_create_session(server: Server) -> None:
    seen = Seen()
    asyncio.run(seen.all(server, CLIENTS, SECONDS))

    assert set(seen.statuses) == {b"200"}
    assert seen.statuses[b"200"] >= CLIENTS
    assert len(seen.bodies) == 1
    assert server.emulator.created == 1


def test_renewals_under_load_disturb_nobody_and_come_one_at_a_time(server: Server) -> None:
    async def while_sessions_grow_old() -> Seen:
        seen = Seen()
        clients = asyncio.create_task(seen.all(server, CLIENTS, 30.0))
        old = 0
        while not clients.done() and len(seen.bodies) <= RENEWALS:
            await asyncio.sleep(0.05)
            if old < len(seen.bodies) <= RENEWALS:
                old += 1
                grow_older(server.ahead, DUE)
        clients.cancel()
        with suppress(asyncio.CancelledError):
            await clients
        return seen

    seen = asyncio.run(while_sessions_grow_old())
    assert set(seen.statuses) == {b"200"}
    # Each was renewed once, and by nobody but the keeper.
    assert len(seen.bodies) == server.emulator.created == 1 + RENEWALS


def test_silent_clients_hold_up_nobody(server: Server) -> None:
    async def among_silent_ones() -> Seen:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CLIENTS)]
        for number, (_, writer) in enumerate(silent):
            writer.write(server.request[: number % 60])
        seen = Seen()
        await seen.all(server, 20, 1.0)
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in silent))
        return seen

    seen = asyncio.run(among_silent_ones())
    assert set(seen.statuses) == {b"200"}
    assert seen.statuses[b"200"] >= 20
