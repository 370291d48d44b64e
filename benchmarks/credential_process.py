"""What `boto-rolesanywhere credential-process` costs each `aws` command that asks it.

Whole processes, started in turn and timed from start to end: a bare `python -c pass`, and the
command with a cached session (as the console script, as `python -m`, with the settings from a
profile). Then without a cache: processor time and instructions of a cold call. Then 64 at once,
with the session cached and on an empty cache; the emulator behind counts their CreateSession calls.

Targets: a hit takes at most 1.5 times as long as the bare interpreter; 64 on an empty cache less
than 1.6 times as long as 64 hits, with one call; a cold call at most 0.4 times the processor time
of an older checkout (--before, the Python of its environment). To be measured where the package is
installed as users have it, not as an editable install: that one slows the bare interpreter too.

Run: python benchmarks/credential_process.py [--check] [--before PYTHON]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from measuring import Table, cpu_seconds, instructions

import boto_rolesanywhere
from boto_rolesanywhere.testing import Emulator

MOST_HIT = 1.5
MOST_STAMPEDE = 1.6
MOST_COLD = 0.4
PROCESSES = 64
BARE = "python -c pass"
SCRIPT = "a hit, console script"
MODULE = "a hit, python -m"
PROFILE = "a hit, --config-profile"


def milliseconds(command: list[str], env: dict[str, str]) -> float:
    """How long `command` takes, from its start to its end."""
    start = perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return (perf_counter() - start) * 1000


def prepare(emulator: Emulator, home: Path) -> tuple[list[str], dict[str, str]]:
    """The flags of one caller, who also has a profile with the same settings, and its environment.

    PYTHONPATH and the like are left out: they would slow the bare interpreter too.
    """
    assert emulator.ca is not None  # it was made for the emulator
    paths = emulator.ca.issue("benchmark").write(home)
    settings = {
        "certificate": paths.certificate,
        "private_key": paths.private_key,
        "trust_anchor_arn": emulator.trust_anchor_arn,
        "profile_arn": emulator.profile_arn,
        "role_arn": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url,
    }
    lines = "".join(f"rolesanywhere_{name} = {value}\n" for name, value in settings.items())
    (home / "config").write_text(f"[profile benchmark]\n{lines}")
    flags = [
        f"--{name.removesuffix('_url').replace('_', '-')}={value}"
        for name, value in settings.items()
    ]
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "AWS_CONFIG_FILE": f"{home}/config"}
    return flags, env


def measure(commands: dict[str, list[str]], env: dict[str, str], rounds: int) -> dict[str, float]:
    """The median time of each, in milliseconds. In turn, so that a busy moment hits all alike."""
    for command in commands.values():
        milliseconds(command, env)  # writes byte code, and the cache
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(milliseconds(command, env))
    return {name: median(column) for name, column in times.items()}


def all_at_once(command: list[str], env: dict[str, str]) -> float:
    """Seconds until 64 that were started at once have all answered, alike."""
    start = perf_counter()
    started = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    answers = {one.communicate() for one in started}
    if len(answers) != 1 or any(one.returncode for one in started):
        sys.exit(f"they did not all answer alike: {len(answers)} answers")
    return perf_counter() - start


def hits(commands: dict[str, list[str]], env: dict[str, str], rounds: int, table: Table) -> None:
    """The rows of the cached session."""
    times = measure(commands, env, rounds)
    for name, time in times.items():
        most = 0 if name == BARE else MOST_HIT
        table.row(name, f"{time:.1f} ms", time / times[BARE], most)


def stampede(
    command: list[str], env: dict[str, str], folder: Path, emulator: Emulator, table: Table
) -> None:
    """The rows of 64 at once: three rounds of each in turn, the medians."""
    warm, cold, before = [], [], emulator.created
    for number in range(3):
        cold.append(all_at_once([*command, "--cache-dir", str(folder / f"empty{number}")], env))
        warm.append(all_at_once([*command, "--cache-dir", str(folder / f"empty{number}")], env))
    calls = (emulator.created - before) / 3
    table.row(f"{PROCESSES} at once, cached", f"{median(warm):.2f} s")
    ratio = median(cold) / median(warm)
    table.row("the same, empty cache", f"{median(cold):.2f} s", ratio, MOST_STAMPEDE)
    table.row("  their CreateSession calls", f"{calls:g}", calls, 1)


def cold(
    flags: list[str], env: dict[str, str], rounds: int, older: str | None, table: Table
) -> None:
    """The rows of a call without a cache."""
    arguments = ["-m", "boto_rolesanywhere", "credential-process", *flags, "--no-cache"]
    pythons = {"now": sys.executable, **({"before": older} if older else {})}
    times: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(rounds):
        for name, python in pythons.items():
            times[name].append(cpu_seconds([python, *arguments], env))
    now = median(times["now"])
    if older:
        was = median(times["before"])
        figures = f"{now * 1000:.0f} / {was * 1000:.0f} ms"
        table.row("cold, processor time, now / before", figures, now / was, MOST_COLD)
    else:
        table.row("cold, processor time", f"{now * 1000:.0f} ms")
    if shutil.which("valgrind"):
        counts = {name: instructions([each, *arguments], env) for name, each in pythons.items()}
        figures = " / ".join(f"{count:,.0f}" for count in counts.values())
        ratio = counts["now"] / counts["before"] if older else None
        table.row("cold, millions of instructions", figures, ratio)


def main() -> int:
    """Print the tables; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--rounds", type=int, default=40, help="processes of each kind (40)")
    parser.add_argument("--before", metavar="PYTHON", help="of an older checkout's environment")
    arguments = parser.parse_args()
    rounds = max(arguments.rounds, 1)

    script = str(Path(sys.executable).with_name("boto-rolesanywhere"))
    installed = "site-packages" in Path(boto_rolesanywhere.__file__).parts
    today = datetime.now(timezone.utc).date()
    print(f"{today}, Python {platform.python_version()}, {os.cpu_count()} processors,", end=" ")
    print(f"package {'installed' if installed else 'editable'}, load {os.getloadavg()[0]:.1f}")
    table = Table()
    with TemporaryDirectory() as folder, Emulator() as emulator:
        flags, env = prepare(emulator, Path(folder))
        command = "credential-process"
        commands = {
            BARE: [sys.executable, "-c", "pass"],
            SCRIPT: [script, command, *flags],
            MODULE: [sys.executable, "-m", "boto_rolesanywhere", command, *flags],
            PROFILE: [script, command, "--config-profile", "benchmark"],
        }
        hits(commands, env, rounds, table)
        stampede(commands[SCRIPT], env, Path(folder), emulator, table)
        cold(flags, env, rounds // 4 + 1, arguments.before, table)
    return 1 if arguments.check and table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
