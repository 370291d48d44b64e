"""What async costs the event loop: the processor time that it is busy, and its longest pause.

A program of aiobotocore makes a session whose key takes long to open (RSA of 4096 bits, encrypted),
and reads the credentials in a hundred tasks, while a ticker measures how long the loop stands
still. All runs twice, since the first run imports much. The emulator runs in threads of the same
process, so the pause is an upper limit.

Target: a pause of at most 50 milliseconds in the second run.

Run, where aiobotocore is installed: python benchmarks/event_loop.py [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from typing import TYPE_CHECKING

from aiobotocore.session import AioSession
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from measuring import Table

from boto_rolesanywhere import aio
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 0.05  # seconds
TASKS = 100


async def ticked(stop: asyncio.Event) -> float:
    """The longest time between two turns of the loop, in seconds."""
    longest, last = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


async def cold_start(make: Callable[[], AioSession]) -> tuple[float, float, float]:
    """Seconds: the loop's work to make a session, then to read it, and the longest pause."""
    stop = asyncio.Event()
    ticker = asyncio.ensure_future(ticked(stop))
    await asyncio.sleep(0)
    began = time.thread_time()
    session = make()
    made = time.thread_time() - began
    credentials = await session.get_credentials()
    await asyncio.gather(*[credentials.get_frozen_credentials() for _ in range(TASKS)])
    read = time.thread_time() - began - made
    stop.set()
    return made, read, await ticker


def main() -> int:
    """Print the table; with --check, fail if the target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    ca, table = CertificateAuthority(), Table()
    issued = ca.issue("app", key_type="RSA-4096")
    key = issued.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    with Emulator(ca) as emulator:

        def session(duration: int) -> AioSession:
            return aio.get_session(
                issued.certificate_pem,
                key,
                emulator.trust_anchor_arn,
                emulator.profile_arn,
                emulator.role_arn,
                passphrase="passphrase",
                endpoint_url=emulator.endpoint_url,
                duration=duration,
            )

        for number, title in enumerate(("first run", "second run")):
            gc.collect()
            made, read, pause = asyncio.run(cold_start(lambda number=number: session(900 + number)))
            table.row(f"{title}: busy to make a session", f"{made * 1000:.1f} ms")
            table.row(f"{title}: busy in {TASKS} tasks' first read", f"{read * 1000:.1f} ms")
            most = MOST if number else 0
            table.row(f"{title}: longest pause", f"{pause * 1000:.0f} ms", pause / MOST, most and 1)
    began = time.thread_time()
    AioSession()
    table.row("an AioSession alone", f"{(time.thread_time() - began) * 1000:.1f} ms")
    return 1 if arguments.check and table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
