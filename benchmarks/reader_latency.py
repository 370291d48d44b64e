"""How long readers of credentials wait during a renewal of 2 seconds, beside botocore's own class.

Threads read while a renewal runs: first while the credentials are good for long, then in the last
seconds. The clock of the credentials is set forward to get there; the waits are real.

usage: python benchmarks/reader_latency.py [--renewal S] [--readers N] [--check]
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from botocore.credentials import RefreshableCredentials

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIFETIME: Final = 3600.0
# Seconds before the end at which reading begins. botocore renews for 15 minutes, and for 10 of them
# everybody waits.
BEGINS: Final = (
    ("due, good for 12 minutes", 720.0),
    ("due, good for a minute", 60.0),
    ("good for 4 seconds more", 4.0),
)
MOST_WHILE_GOOD: Final = 0.1  # seconds; a busy machine schedules threads late
MOST_AT_THE_END: Final = 5.1


class World:
    """Clocks that can be set forward, and a service that takes its time when it is to."""

    def __init__(self, renewal: float) -> None:
        self.ahead = 0.0
        self.slow = False
        self.ended = threading.Event()
        self._renewal = renewal

    def monotonic(self) -> float:
        """Seconds, set forward."""
        return time.monotonic() + self.ahead

    def now(self) -> datetime:
        """The wall clock, set forward."""
        return datetime.now(timezone.utc) + timedelta(seconds=self.ahead)

    def create(self) -> RolesAnywhereSession:
        """A session, made at once or after the time that a renewal takes."""
        if self.slow:
            time.sleep(self._renewal)
            self.ended.set()
        issued = self.now()
        return RolesAnywhereSession(
            access_key_id="ASIA",
            secret_access_key="secret",
            session_token="token",
            issued_at=issued,
            expiration=issued + timedelta(seconds=LIFETIME),
        )


def ours(world: World) -> RefreshableCredentials:
    """This package's credentials."""
    return SessionCredentials(
        world.create, wall=lambda: world.now().timestamp(), monotonic=world.monotonic
    )


def botocores(world: World) -> RefreshableCredentials:
    """The class of botocore, with the same service behind."""

    def refresh() -> dict[str, str]:
        session = world.create()
        return {
            "access_key": session.access_key_id,
            "secret_key": session.secret_access_key,
            "token": session.session_token,
            "expiry_time": session.expiration.isoformat(),
        }

    class Shifted(RefreshableCredentials):
        def _seconds_remaining(self) -> float:
            return (self._expiry_time - world.now()).total_seconds()  # type: ignore[operator]  # set by now

    return Shifted.create_from_metadata(refresh(), refresh, "benchmark")


def waits(
    make: Callable[[World], RefreshableCredentials], left: float, renewal: float, readers: int
) -> list[float]:
    """The time that each read took, in seconds, the longest first."""
    world = World(renewal)
    credentials = make(world)
    credentials.get_frozen_credentials()
    world.ahead += LIFETIME - left
    world.slow = True

    def read(_: int) -> list[float]:
        took = []
        while not world.ended.is_set():
            began = time.perf_counter()
            credentials.get_frozen_credentials()
            took.append(time.perf_counter() - began)
            time.sleep(0.01)
        return took

    with ThreadPoolExecutor(readers) as pool:
        return sorted(
            (one for took in pool.map(read, range(readers)) for one in took), reverse=True
        )


def main(argv: Sequence[str]) -> int:
    """Print the table; the exit status says whether the promises held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--renewal", type=float, default=2.0, help="seconds that it takes")
    parser.add_argument("--readers", type=int, default=10, help="threads that read")
    parser.add_argument("--check", action="store_true", help="fail if a promise did not hold")
    options = parser.parse_args(argv)
    missed = 0
    print(f"{options.readers} threads read during a renewal of {options.renewal:g} s")
    print(f"{'':28}{'':18}{'longest wait':>14}{'held up':>10}{'reads':>9}")
    for title, left in BEGINS:
        for name, make in (("boto_rolesanywhere", ours), ("botocore's class", botocores)):
            took = waits(make, left, options.renewal, options.readers)
            held_up = sum(one > MOST_WHILE_GOOD for one in took)
            print(f"{title:28}{name:18}{took[0] * 1000:>11,.1f} ms{held_up:>10}{len(took):>9,}")
            if make is ours:
                missed += took[0] > (MOST_WHILE_GOOD if left > MOST_AT_THE_END else MOST_AT_THE_END)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
