"""Many cases of each parser, or of those that are named: `scripts/fuzz N [TARGET...]`.

With atheris installed (it has wheels for some Pythons), `--atheris` makes cases that reach new
code; else they are changes of the corpus, which follow from the seed alone.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import random
import resource
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/fuzz"))
import fuzzing

if TYPE_CHECKING:
    from types import FrameType

PATIENCE = 5  # seconds for one case
ROOM = 1 << 30  # bytes that the cases may take beyond what is loaded


def _late(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"a case took more than {PATIENCE} seconds")


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def attempt(target: str, data: bytes) -> float:
    """Try a case; what breaks the promise is raised with the case."""
    signal.alarm(PATIENCE)
    try:
        return fuzzing.attempt(target, data)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        raise AssertionError(f"{target}: {data!r}") from error
    finally:
        signal.alarm(0)


def by_change(target: str, count: int, seed: int) -> str:
    """Try `count` changes of the corpus, and describe how it went."""
    source = random.Random(f"{target} {seed}")
    started, slowest = time.perf_counter(), 0.0
    for _ in range(count):
        slowest = max(slowest, attempt(target, fuzzing.mutated(target, source)))
    took = time.perf_counter() - started
    return f"{count:,} cases in {took:.0f} s, the slowest took {slowest * 1000:.0f} ms"


def by_coverage(target: str, count: int, seed: int) -> None:
    """Try `count` cases of atheris; ends the process."""
    import atheris

    for name, module in list(sys.modules.items()):
        if name.startswith("boto_rolesanywhere"):
            for function in vars(module).values():
                if inspect.isfunction(function) and function.__module__ == name:
                    atheris.instrument_func(function)
    options = ["fuzz", f"-runs={count}", f"-seed={seed}", "-max_len=20000", f"-timeout={PATIENCE}"]
    with_corpus = [*options, str(fuzzing.CORPUS / target)]
    atheris.Setup(with_corpus, lambda data: fuzzing.attempt(target, data))
    atheris.Fuzz()


def main() -> None:
    """Read the arguments and try the cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, metavar="N", help="cases of each parser")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(fuzzing.TARGETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="of one TARGET")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(fuzzing.TARGETS):
        parser.error(f"there is no {', '.join(unknown)}")
    if arguments.atheris and len(arguments.targets) != 1:
        parser.error("--atheris takes one TARGET")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("error")
    if arguments.atheris:
        by_coverage(arguments.targets[0], arguments.count, arguments.seed)
    signal.signal(signal.SIGALRM, _late)
    _limit_memory()
    for target in arguments.targets or fuzzing.TARGETS:
        print(f"{target:15} {by_change(target, arguments.count, arguments.seed)}", flush=True)


if __name__ == "__main__":
    main()
