"""What the benchmarks share: counting a process's instructions, the peer's environment, a slow way.

Instructions are those that valgrind's callgrind counts for a whole process. They hardly depend on
what else the machine does, as times do.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PEER = "iam-rolesanywhere-session==3.0.0"
ELSEWHERE = "/"  # so that `python -m` takes the installed package, not one that lies here
PEER_FOLDER = Path(__file__).parents[1] / ".cache" / "benchmarks" / "peer"


def require_valgrind() -> None:
    """End with a hint if valgrind is not installed."""
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: apt-get install valgrind")


def instructions(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Millions of instructions that `command` executes, once its byte code is written."""
    subprocess.run(command, env=env, check=True, capture_output=True, cwd=ELSEWHERE)
    counted = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        env={**env, "PYTHONHASHSEED": "0"},
        check=True,
        capture_output=True,
        text=True,
        cwd=ELSEWHERE,
    )
    found = re.search(r"Collected : (\d+)", counted.stderr)
    assert found, counted.stderr
    return int(found[1]) / 1e6


def cpu_seconds(command: Sequence[str], env: Mapping[str, str]) -> float:
    """User and system time of `command`."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, cwd=ELSEWHERE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime


def peer_python() -> str:
    """The Python of an environment that has the peer, with the boto3 of this one."""
    python = PEER_FOLDER / "bin" / "python"
    if not python.exists():
        import boto3

        print(f"making an environment with {PEER} in {PEER_FOLDER} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(PEER_FOLDER)], check=True)
        wanted = [PEER, f"boto3=={boto3.__version__}"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)


@contextmanager
def slow_way(port: int, round_trip: float) -> Iterator[int]:
    """A port of a relay to `port` of this machine that takes `round_trip` seconds to and fro."""
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            loop.call_later(round_trip / 2, writer.write, data)
        loop.call_later(round_trip / 2, writer.close)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake of TCP takes a round trip as well, which loopback does not.
        await asyncio.sleep(round_trip)
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class Table:
    """Prints figures beside their targets, and counts the targets that were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, title: str, figures: str, ratio: float | None = None, most: float = 0) -> None:
        """Print one row; `most` is the largest ratio that meets the target, 0 for none."""
        verdict = ""
        if ratio is not None and most:
            met = ratio <= most
            self.missed += not met
            verdict = f"at most {most:g}: {'met' if met else 'MISSED'}"
        shown = "" if ratio is None else f"{ratio:6.2f}"
        print(f"{title:52}{figures:>24}  {shown:>6}  {verdict}", flush=True)
