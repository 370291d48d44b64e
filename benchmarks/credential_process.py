"""What `boto-rolesanywhere credential-process` costs each `aws` command that asks it.

Whole processes, started in turn and timed from start to end: a bare `python -c pass`, the command
with a cached session (as the console script and as `python -m`), with the settings from a profile,
and without a cache. Then 64 of them at once on an empty cache, whose CreateSession calls are
counted by the emulator behind.

Target: a cache hit takes at most 2.5 times as long as the bare interpreter, and 64 processes make
one call. To be measured where the package is installed as users have it, not as an editable
install: that one slows the bare interpreter too.

Run: python benchmarks/credential_process.py [--check]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import boto_rolesanywhere
from boto_rolesanywhere.testing import Emulator

TARGET_RATIO = 2.5
PROCESSES = 64
BARE = "python -c pass"
SCRIPT = "a hit, console script"
MODULE = "a hit, python -m"
PROFILE = "a hit, --config-profile"
MISS = "without a cache"


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
    for number in range(rounds):
        for name, command in commands.items():
            if name != MISS or number % 4 == 0:
                times[name].append(milliseconds(command, env))
    return {name: median(column) for name, column in times.items()}


def stampede(command: list[str], env: dict[str, str], folder: Path) -> float:
    """Seconds until 64 that were started at once on an empty cache have all answered."""
    full = [*command, "--cache-dir", str(folder)]
    start = perf_counter()
    started = [
        subprocess.Popen(full, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    answers = {one.communicate() for one in started}
    if len(answers) != 1 or any(one.returncode for one in started):
        sys.exit(f"they did not all answer alike: {len(answers)} answers")
    return perf_counter() - start


def main() -> int:
    """Print the tables; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--rounds", type=int, default=40, help="processes of each kind (40)")
    arguments = parser.parse_args()

    script = str(Path(sys.executable).with_name("boto-rolesanywhere"))
    with TemporaryDirectory() as folder, Emulator() as emulator:
        flags, env = prepare(emulator, Path(folder))
        command = "credential-process"
        commands = {
            BARE: [sys.executable, "-c", "pass"],
            SCRIPT: [script, command, *flags],
            MODULE: [sys.executable, "-m", "boto_rolesanywhere", command, *flags],
            PROFILE: [script, command, "--config-profile", "benchmark"],
            MISS: [script, command, *flags, "--no-cache"],
        }
        times = measure(commands, env, max(arguments.rounds, 1))
        before = emulator.created
        seconds = stampede(commands[SCRIPT], env, Path(folder) / "empty")
        calls = emulator.created - before

    installed = "site-packages" in Path(boto_rolesanywhere.__file__).parts
    print(f"Python {sys.version.split()[0]}, package {'installed' if installed else 'editable'}")
    print("medians, milliseconds, and times the bare interpreter")
    for name, time in times.items():
        print(f"  {name:<24} {time:8.1f} {time / times[BARE]:6.2f}")
    print(f"{PROCESSES} at once on an empty cache: {calls} CreateSession, {seconds:.1f} s")
    hits = [times[name] / times[BARE] for name in (SCRIPT, MODULE, PROFILE)]
    met = max(hits) <= TARGET_RATIO and calls == 1
    print(
        f"target: a hit at most {TARGET_RATIO} times the bare interpreter, and 1 CreateSession:"
        f" {'met' if met else 'missed'}"
    )
    return 1 if arguments.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
