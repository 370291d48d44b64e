"""Reads lost while half of all calls fail for 30 minutes, and calls made by many who start at once.

Of the storm the clock is virtual: every program reads once a second, and each call ends at once.
The starts are real threads and real processes. The service is a function that counts.

usage: python benchmarks/storm.py [--programs N] [--minutes N] [--seed N] [--check]
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.credentials.cache import Created, SessionCache
from boto_rolesanywhere.credentials.moment import Moment
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import EndpointError, RolesAnywhereError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIFETIME: Final = 900.0  # seconds: the shortest, so that each program renews several times
STARTED: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
SHARING: Final = 10  # programs that share one cached session
THREADS: Final = 1000
PROCESSES: Final = 64
CALL_TAKES: Final = 0.3  # seconds, of a start


class Storm:
    """A service of which each call fails with a probability, and a virtual clock."""

    def __init__(self, chance: random.Random) -> None:
        self.now = STARTED.timestamp()
        self.failing = 0.0
        self.calls = 0
        self.failed = 0
        self._chance = chance
        self._lock = threading.Lock()

    def create(self) -> RolesAnywhereSession:
        """A session that begins now, or a failure."""
        with self._lock:
            self.calls += 1
            if self._chance.random() < self.failing:
                self.failed += 1
                raise EndpointError("the storm", code="endpoint-unreachable")
        return session(datetime.fromtimestamp(self.now, timezone.utc))

    def moment(self) -> Moment:
        """The virtual time, for a cache."""
        return Moment(self.now, "boot", self.now)

    def credentials(self, create: Callable[[], object]) -> SessionCredentials:
        """Credentials in virtual time."""
        return SessionCredentials(
            create,  # type: ignore[arg-type]  # one of the two that it takes
            wall=lambda: self.now,
            monotonic=lambda: self.now,
            jitter=self._chance.random,
        )


def session(issued: datetime) -> RolesAnywhereSession:
    """A session of the usual kind."""
    return RolesAnywhereSession(
        access_key_id="ASIA",
        secret_access_key="secret",
        session_token="token",
        issued_at=issued,
        expiration=issued + timedelta(seconds=LIFETIME),
    )


def lost_reads(
    storm: Storm, programs: Sequence[SessionCredentials], seconds: int
) -> tuple[int, int]:
    """The reads that gave no good credentials in a storm of that length, and all reads."""
    for credentials in programs:
        credentials.get_frozen_credentials()
    storm.failing, lost = 0.5, 0
    for _ in range(seconds):
        storm.now += 1
        lost += sum(is_lost(credentials) for credentials in programs)
        while threading.active_count() > 1:  # renewals in the background end within this second
            time.sleep(0.0005)
    return lost, seconds * len(programs)


def is_lost(credentials: SessionCredentials) -> bool:
    """Whether a read gives no good credentials."""
    try:
        credentials.get_frozen_credentials()
    except RolesAnywhereError:
        return True
    return credentials.held_session is None


def plain(storm: Storm, count: int) -> list[SessionCredentials]:
    """Programs that share nothing."""
    return [storm.credentials(storm.create) for _ in range(count)]


def cached(storm: Storm, count: int, folder: str) -> list[SessionCredentials]:
    """Programs of which ten each share a session in a cache."""

    def received(key: str, cache: SessionCache) -> object:
        return cache.received(key, lambda: Created(storm.create(), key))

    return [
        storm.credentials(
            partial(
                received,
                f"{number // SHARING:064x}",
                SessionCache(folder, clock=storm.moment, jitter=random.Random(number).random),
            )
        )
        for number in range(count)
    ]


def calls_of_threads() -> int:
    """Calls that 1,000 threads make which first read the same credentials at once."""
    calls: list[int] = []

    def create() -> RolesAnywhereSession:
        calls.append(1)
        time.sleep(CALL_TAKES)
        return session(datetime.now(timezone.utc))

    credentials = SessionCredentials(create)
    together = threading.Barrier(THREADS)

    def read(_: int) -> None:
        together.wait()
        credentials.get_frozen_credentials()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(THREADS)))
    return len(calls)


def calls_of_processes(folder: Path, *, failing: bool) -> tuple[int, int]:
    """Calls that 64 processes make which start at once on an empty cache, and those with an answer.

    An answer is a session, or, where the service fails, its failure.
    """
    counter, key = folder / "calls", "ab" * 32

    def create() -> Created:
        with counter.open("ab") as file:
            file.write(b"x")
        time.sleep(CALL_TAKES)
        if failing:
            raise EndpointError("the storm", code="endpoint-unreachable")
        return Created(session(datetime.now(timezone.utc)), key)

    together, begin = os.pipe()

    def start() -> int:
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            os.close(begin)
            os.read(together, 1)
            SessionCache(str(folder / "cache")).get(key, create)
            status = int(failing)
        except EndpointError:
            status = int(not failing)
        finally:
            os._exit(status)

    children = [start() for _ in range(PROCESSES)]
    os.close(begin)
    answered = sum(os.waitpid(child, 0)[1] == 0 for child in children)
    return counter.stat().st_size, answered


def main(argv: Sequence[str]) -> int:
    """Print the figures; with --check, the exit status says whether the promises held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a promise did not hold"
    )
    options = parser.parse_args(argv)
    logging.disable()  # it warns of each renewal that fails
    missed = 0
    print(
        f"a storm of {options.minutes} minutes in which half of all calls fail;"
        f" {options.programs} programs with sessions of {LIFETIME:g} seconds read once a second"
    )
    print(f"{'':28}{'reads lost':>11}{'of':>10}{'calls':>8}{'failed':>8}")
    with TemporaryDirectory() as folder:
        for title, with_cache in (("each on its own", False), ("ten share a cached session", True)):
            storm = Storm(random.Random(options.seed))
            count = options.programs
            programs = cached(storm, count, folder) if with_cache else plain(storm, count)
            lost, reads = lost_reads(storm, programs, options.minutes * 60)
            print(f"{title:28}{lost:>11,}{reads:>10,}{storm.calls:>8,}{storm.failed:>8,}")
            missed += lost > 0
    print(f"\n{'started at once, cold':42}{'calls':>6}{'answered':>10}")
    # Processes first: a fork of a process with threads is no start of its own.
    with TemporaryDirectory() as good, TemporaryDirectory() as bad:
        for title, place, failing in (
            (f"{PROCESSES} processes with a cache", good, False),
            ("the same, and the service fails", bad, True),
        ):
            calls, answered = calls_of_processes(Path(place), failing=failing)
            print(f"{title:42}{calls:>6}{answered:>10}")
            missed += (calls, answered) != (1, PROCESSES)
    calls = calls_of_threads()
    print(f"{f'{THREADS:,} threads of one program':42}{calls:>6}{THREADS:>10,}")
    missed += calls != 1
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
