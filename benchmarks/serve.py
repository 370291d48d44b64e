"""Rates, latencies and memory of `boto-rolesanywhere serve`, started as users start it.

wrk sends the requests from the same machine, as the clients of a server do; the emulator answers
its one CreateSession call. Debian has wrk in the package of that name. wrk measures rates and
latencies.

usage: python benchmarks/serve.py [--seconds N] [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SLOWEST_P99 = 20  # milliseconds
LEAST_PACED = 950  # of 1,000 a second
LEAST_SATURATED = 5000
SILENT_CLIENTS = 500
RATE_CONNECTIONS = 200
RATE = 1000
ROLE = "RolesAnywhere"
# wrk asks `delay` for milliseconds before each request: uniform from 0 to twice the mean, so that
# 200 connections do not fall into step. The mean leaves a little time for the answers themselves.
PACED = f"""
function delay() return math.random(0, {2 * RATE_CONNECTIONS * 1000 // RATE - 6}) end
"""
REPORT = """
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests":%d,"microseconds":%d,"p50":%f,"p99":%f,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Result:
    """The figures of one run of wrk. Latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    port: int
    token: str
    emulator: Emulator

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> dict[str, float]:
        """Rss and Pss (shared pages divided among those who share them), in MB."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines[1:])
        return {name: int(fields[name].split()[0]) / 1024 for name in ("Rss", "Pss")}

    def imds_header(self) -> str:
        """The header of an IMDS token."""
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
        request = urllib.request.Request(f"{self.url}/latest/api/token", headers=ttl, method="PUT")
        with urllib.request.urlopen(request) as answer:
            return f"X-aws-ec2-metadata-token: {answer.read().decode()}"


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server with one role, and the emulator behind it."""
    ca = CertificateAuthority()
    with Emulator(ca) as emulator:
        paths = ca.issue("app").write(folder)
        command = [
            *(sys.executable, "-m", "boto_rolesanywhere", "serve", "--port", "0"),
            *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
            *("--trust-anchor-arn", emulator.trust_anchor_arn),
            *("--profile-arn", emulator.profile_arn, "--role-arn", emulator.role_arn),
            *("--endpoint", emulator.endpoint_url, "--token-folder", str(folder / "tokens")),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = ""
            while "AWS_EC2_METADATA_SERVICE_ENDPOINT" not in line:
                line = process.stdout.readline()
                if not line:
                    sys.exit("the server did not start")
            token = (folder / "tokens" / f"{ROLE}.token").read_text()
            try:
                yield Server(process, int(line.rsplit(":", 1)[1]), token, emulator)
            finally:
                process.terminate()


def wrk(url: str, header: str, *, connections: int, seconds: int, script: str = "") -> Result:
    """Run wrk, with one thread: the server needs the other core."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + REPORT)
        file.flush()
        options = [f"-c{connections}", f"-d{seconds}s", "-t1", "-s", file.name, "-H", header]
        done = subprocess.run(["wrk", *options, url], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    rate = found["requests"] / found["microseconds"] * 1_000_000
    return Result(rate, found["p50"] / 1000, found["p99"] / 1000, found["errors"])


@contextmanager
def silent_clients(port: int) -> Iterator[None]:
    """Connections that send nothing, or one byte of a request now and then."""
    leave = threading.Event()

    def trickle(socks: Sequence[socket.socket]) -> None:
        request = b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 10_000
        for byte in request:
            for sock in socks:
                with suppress(OSError):  # the server has cut it off, as it should
                    sock.send(bytes([byte]))
            if leave.wait(0.5):
                return

    with ExitStack() as held:
        socks = [
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(SILENT_CLIENTS)
        ]
        thread = threading.Thread(target=trickle, args=(socks[: SILENT_CLIENTS // 5],))
        thread.start()
        try:
            yield
        finally:
            leave.set()
            thread.join()


class Table:
    """Prints rows and counts the targets that were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, title: str, value: str, target: str = "", *, good: bool = True) -> None:
        """Print one row."""
        self.missed += not good
        mark = "" if not target else ("ok" if good else "MISSED")
        print(f"{title:58}{value:>22}   {target:22}{mark}", flush=True)


def measure(server: Server, table: Table, seconds: int) -> None:
    """Print all figures."""
    container = f"{server.url}/credentials/{ROLE}"
    imds = f"{server.url}/latest/meta-data/iam/security-credentials/{ROLE}"
    token, imds_token = f"Authorization: {server.token}", server.imds_header()
    idle = server.memory()
    table.row("idle memory (Rss, Pss)", f"{idle['Rss']:.0f} MB, {idle['Pss']:.0f} MB")

    many = wrk(container, token, connections=1000, seconds=seconds)
    errors = f"{many.errors} errors"
    table.row(f"1,000 connections, {seconds} s", errors, "no error", good=not many.errors)
    created = server.emulator.created
    table.row("CreateSession calls", str(created), "1", good=created == 1)
    table.row("  their rate", f"{many.rate:,.0f}/s")

    for name, url, header in (
        ("container protocol", container, token),
        ("IMDSv2", imds, imds_token),
    ):
        paced = wrk(url, header, connections=RATE_CONNECTIONS, seconds=seconds, script=PACED)
        table.row(
            f"{name} at 1,000/s: reached",
            f"{paced.rate:,.0f}/s",
            "950/s",
            good=paced.rate > LEAST_PACED,
        )
        latency = f"{paced.p50:.1f}, {paced.p99:.1f} ms"
        table.row("  p50, p99", latency, "p99 under 20 ms", good=paced.p99 < SLOWEST_P99)
        full = wrk(url, header, connections=64, seconds=seconds)
        good = full.rate >= LEAST_SATURATED and not full.errors
        table.row(f"{name}, saturated", f"{full.rate:,.0f}/s", "5,000/s", good=good)

    with silent_clients(server.port):
        beside = wrk(container, token, connections=RATE_CONNECTIONS, seconds=seconds, script=PACED)
    good = beside.p99 < SLOWEST_P99 and not beside.errors
    latency = f"{beside.p50:.1f}, {beside.p99:.1f} ms"
    title = f"1,000/s beside {SILENT_CLIENTS} silent and slow clients: p50, p99"
    table.row(title, latency, "p99 under 20 ms", good=good)
    after = server.memory()
    table.row("memory after all that (Rss, Pss)", f"{after['Rss']:.0f} MB, {after['Pss']:.0f} MB")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=10, help="of each run (default: 10)")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    python = f"Python {platform.python_version()}"
    load = os.getloadavg()[0]
    print(f"{python}, {os.cpu_count()} cores, load before {load:.1f}")
    table = Table()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        measure(server, table, options.seconds)
    return 1 if options.check and table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
