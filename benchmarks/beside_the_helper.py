"""`boto-rolesanywhere` beside AWS's own helper: one call, one call far away, and `serve`.

Processes of both, started in turn with the same flags against the same emulator, over TLS: the
helper, ours without a cache, ours with a cached session. Then the same behind a relay that delays
each way by 25 ms. Then both serve IMDSv2 under wrk, in turn. Debian has wrk in the package of that
name; the helper's binary is one that you have.

Each figure is the best of all runs, and behind the stroke their median; the ratio is of the best,
on which other work of the machine weighs least. Target: a cold call takes at most twice the
helper's time at a round trip of 50 ms. To be measured where the package is installed as users have
it.

Run: python benchmarks/beside_the_helper.py --helper PROGRAM [--check]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from credential_process import milliseconds
from measuring import Table, cpu_seconds, slow_way
from serve import ROLE, wrk

from boto_rolesanywhere.testing import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 2.0
ROUND_TRIP = 0.05
HELPER, COLD, CACHED = "the helper", "ours, no cache", "ours, cached"
PORTS = {HELPER: 19911, "ours": 19912}


def prepare(emulator: Emulator, home: Path) -> tuple[list[str], dict[str, str]]:
    """The flags that both take, without the endpoint, and the environment of both."""
    assert emulator.ca is not None  # it was made for the emulator
    assert emulator.ca_bundle_path is not None  # it speaks TLS
    paths = emulator.ca.issue("benchmark").write(home)
    flags = [
        *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
        *("--trust-anchor-arn", emulator.trust_anchor_arn),
        *("--profile-arn", emulator.profile_arn, "--role-arn", emulator.role_arn),
    ]
    env = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "AWS_CA_BUNDLE": str(emulator.ca_bundle_path),
    }
    return flags, env


def commands(helper: str, flags: list[str], port: int) -> dict[str, list[str]]:
    """The three commands, which ask the endpoint at `port`."""
    rest = ["credential-process", *flags, "--endpoint", f"https://localhost:{port}"]
    ours = [str(Path(sys.executable).with_name("boto-rolesanywhere")), *rest]
    return {HELPER: [helper, *rest], COLD: [*ours, "--no-cache"], CACHED: ours}


def calls(
    title: str, started: dict[str, list[str]], env: dict[str, str], rounds: int, table: Table
) -> None:
    """The rows of single calls."""
    for command in started.values():
        milliseconds(command, env)  # writes byte code, and the cache
    times = {name: list[float]() for name in started}
    for _ in range(rounds):  # in turn, so that a busy moment hits all alike
        for name, command in started.items():
            times[name].append(milliseconds(command, env))
    for name, column in times.items():
        most = MOST if name == COLD and "round trip" in title else 0
        table.row(f"{title}, {name}", shown(column), min(column) / min(times[HELPER]), most)


def shown(times: list[float]) -> str:
    """The least and the median, in milliseconds."""
    return f"{min(times):.0f} / {median(times):.0f} ms"


def processor(
    started: dict[str, list[str]], env: dict[str, str], rounds: int, table: Table
) -> None:
    """The rows of processor time."""
    times = {name: list[float]() for name in started}
    for _ in range(rounds):
        for name, command in started.items():
            times[name].append(cpu_seconds(command, env) * 1000)
    for name, column in times.items():
        ratio = min(column) / min(times[HELPER])
        table.row(f"processor time, {name}", shown(column), ratio)


@contextmanager
def serving(command: list[str], env: dict[str, str], port: int) -> Iterator[int]:
    """The process id of a server, once it answers."""
    with subprocess.Popen(
        [*command, "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and not answers(port):
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()


def token(port: int) -> str:
    """An IMDS token."""
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
    url = f"http://127.0.0.1:{port}/latest/api/token"
    with urllib.request.urlopen(urllib.request.Request(url, headers=ttl, method="PUT")) as answer:
        return str(answer.read().decode())


def answers(port: int) -> bool:
    """Whether the server gives tokens."""
    try:
        return bool(token(port))
    except OSError:
        return False


def resident(pid: int) -> float:
    """Resident memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def worked(pid: int) -> float:
    """Seconds of processor time that the process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def servers(started: dict[str, list[str]], env: dict[str, str], seconds: int, table: Table) -> None:
    """The rows of `serve`: three runs of each in turn."""
    with ExitStack() as running:
        pids = {
            name: running.enter_context(serving(command, env, PORTS[name]))
            for name, command in started.items()
        }
        idle = {name: resident(pid) for name, pid in pids.items()}
        rates = {name: list[float]() for name in started}
        costs = {name: list[float]() for name in started}
        for _ in range(3):
            for name, pid in pids.items():
                before = worked(pid)
                rate = load(PORTS[name], seconds)
                rates[name].append(rate)
                costs[name].append((worked(pid) - before) / (rate * seconds) * 1e6)
        for name, column in rates.items():
            figures = f"{max(column):,.0f} / {median(column):,.0f}/s"
            ratio = max(column) / max(rates[HELPER])
            table.row(f"serve, IMDSv2 saturated, {name}", figures, ratio)
        for name, column in costs.items():
            figures = f"{min(column):.0f} / {median(column):.0f} µs"
            table.row(
                f"  processor time a request, {name}", figures, min(column) / min(costs[HELPER])
            )
        for name, pid in pids.items():
            figures = f"{idle[name]:.0f}, {resident(pid):.0f} MB"
            table.row(f"  resident, idle and after it, {name}", figures)


def load(port: int, seconds: int) -> float:
    """Requests a second, of 64 connections that ask for the credentials as fast as they can."""
    url = f"http://127.0.0.1:{port}/latest/meta-data/iam/security-credentials/{ROLE}"
    header = f"X-aws-ec2-metadata-token: {token(port)}"
    result = wrk(url, header, connections=64, seconds=seconds)
    if result.errors:
        sys.exit(f"port {port}: {result.errors} errors")
    return result.rate


def main() -> int:
    """Print the table; with --check, fail if the target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--helper", metavar="PROGRAM", required=True, help="aws_signing_helper")
    parser.add_argument("--rounds", type=int, default=20, help="processes of each kind (20)")
    parser.add_argument("--seconds", type=int, default=4, help="of each run of wrk (4)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the target is missed")
    arguments = parser.parse_args()
    rounds = max(arguments.rounds, 1)

    print(f"Python {platform.python_version()}, {os.cpu_count()} processors,", end=" ")
    print(f"load before {os.getloadavg()[0]:.1f}; the ratio is to the helper")
    table = Table()
    with TemporaryDirectory() as folder, Emulator(tls=True) as emulator:
        flags, env = prepare(emulator, Path(folder))
        port = int(emulator.endpoint_url.rpartition(":")[2])
        near = commands(arguments.helper, flags, port)
        calls("one call", near, env, rounds, table)
        processor(near, env, rounds, table)
        with slow_way(port, ROUND_TRIP) as far:
            shutil.rmtree(Path(folder, ".cache"), ignore_errors=True)
            there = commands(arguments.helper, flags, far)
            calls("round trip of 50 ms", there, env, rounds, table)
        if shutil.which("wrk"):
            serve = {
                name: [command[0], "serve", *command[2:]]
                for name, command in zip(PORTS, (near[HELPER], near[CACHED]), strict=True)
            }
            servers(serve, env, arguments.seconds, table)
    return 1 if arguments.check and table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
