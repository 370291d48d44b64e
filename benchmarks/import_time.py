"""What `import boto_rolesanywhere` costs on top of a bare interpreter.

Starts interpreters in turn, one without the package and one that imports it, and times each from
its start to its end. Both run without `site`, so that what is installed beside the package loads
nothing first; both import `os`, as `site` does in every ordinary interpreter. A third kind tells
which heavy modules the import brought along.

Target: the median import adds less than 10 milliseconds, and loads neither cryptography nor boto3
nor botocore.

Run: python benchmarks/import_time.py [--check]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import boto_rolesanywhere

TARGET_MS = 10.0
HEAVY = ("cryptography", "boto3", "botocore")
PATH = str(Path(boto_rolesanywhere.__file__).parents[1])
SET_UP = f"import os, sys; sys.path.insert(0, {PATH!r})"
BARE = SET_UP
IMPORT = f"{SET_UP}; import boto_rolesanywhere"
LOADED = f"{IMPORT}; print(*(name for name in {HEAVY!r} if name in sys.modules))"


def run(code: str) -> str:
    """Run `code` in an interpreter of its own."""
    command = [sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def milliseconds(code: str) -> float:
    """How long an interpreter takes with `code`, from its start to its end."""
    start = perf_counter()
    run(code)
    return (perf_counter() - start) * 1000


def main() -> int:
    """Print the table; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--rounds", type=int, default=40, help="interpreters of each kind (40)")
    arguments = parser.parse_args()

    run(IMPORT)  # writes the byte code
    pairs = [(milliseconds(BARE), milliseconds(IMPORT)) for _ in range(max(arguments.rounds, 1))]
    bare, imported = (median(column) for column in zip(*pairs, strict=True))
    added = median(after - before for before, after in pairs)
    ratio = median(after / before for before, after in pairs)
    loaded = run(LOADED).split()
    print("medians, milliseconds (the last two: pair by pair)")
    print(f"  bare interpreter           {bare:7.2f}")
    print(f"  import boto_rolesanywhere  {imported:7.2f}")
    print(f"  adds                       {added:7.2f}")
    print(f"  ratio                      {ratio:7.2f}")
    print(f"of {', '.join(HEAVY)} it loads: {', '.join(loaded) or 'none'}")
    met = added < TARGET_MS and not loaded
    print(
        f"target: adds less than {TARGET_MS:.0f} milliseconds and loads none of these: "
        f"{'met' if met else 'missed'}"
    )
    return 1 if arguments.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
