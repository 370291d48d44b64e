"""What many sessions in one process cost: CreateSession calls, memory, open descriptors.

A process makes sessions and has each of them give its credentials: first all with the same inputs,
then each with another duration. Figures are those of the process with all its sessions alive, less
what it had with the first. The emulator runs in another process.

Targets: one CreateSession for all sessions of the same inputs, and no descriptor left open.

Run: python benchmarks/shared_sessions.py [--before FOLDER] [--count NUMBER] [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import botocore
from measuring import ELSEWHERE, Table

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

HERE = Path(__file__).parents[1]
PROGRAM = """
import gc, json, os, resource, sys
import boto_rolesanywhere
given = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))

def memory():
    gc.collect()
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def session(number):
    made = boto_rolesanywhere.get_session(
        given["cert"], given["key"], given["anchor"], given["profile"], given["role"],
        endpoint_url=given["endpoint"], duration=900 + number * given["differ"])
    return made, made.get_credentials().get_frozen_credentials()

kept = [session(0)]
before = memory(), descriptors()
kept += [session(1 + number) for number in range(given["count"] - 1)]
print(json.dumps({
    "memory": (memory() - before[0]) / (given["count"] - 1),
    "descriptors": descriptors() - before[1],
    "keys": len({keys.access_key for _, keys in kept}),
}))
"""


class Cost(NamedTuple):
    """What the sessions of one process cost.

    Attributes:
        calls: of CreateSession.
        memory: KiB for each session.
        descriptors: open for all of them together.
    """

    calls: int
    memory: float
    descriptors: int

    def __str__(self) -> str:
        return f"{self.calls} / {self.memory:.0f} KiB / {self.descriptors}"


def cost(
    checkout: Path, emulator: Emulator, paths: IssuedPaths, count: int, *, differ: bool
) -> Cost:
    """Run the sessions with the package of `checkout`."""
    given = {
        "cert": str(paths.certificate),
        "key": str(paths.private_key),
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "differ": int(differ),
        "endpoint": emulator.endpoint_url,
        "count": count,
    }
    before = emulator.created
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(given)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(paths.certificate.parent),
            "PYTHONPATH": str(checkout),
        },
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ELSEWHERE,
    )
    figures = json.loads(done.stdout)
    return Cost(emulator.created - before, figures["memory"], figures["descriptors"])


def main() -> int:
    """Print the table; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="sessions of one process")
    parser.add_argument("--before", type=Path, help="an older checkout, to compare with")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    table, missed = Table(), 0
    today = datetime.now(timezone.utc).date()
    print(f"{today}, Python {platform.python_version()}, botocore {botocore.__version__}")
    print(f"{arguments.count:,} sessions: calls / memory of each / descriptors of all")
    ca = CertificateAuthority()
    with Emulator(ca) as emulator, TemporaryDirectory() as name:
        paths = ca.issue("app").write(Path(name))
        for title, differ in (("the same inputs", False), ("as many durations", True)):
            for checkout, when in ((arguments.before, ", before"), (HERE, "")):
                if checkout:
                    figures = cost(checkout, emulator, paths, arguments.count, differ=differ)
                    table.row(title + when, str(figures))
            missed += bool(figures.descriptors or (figures.calls > 1 and not differ))
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
