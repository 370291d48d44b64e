"""Credentials that renew themselves, with clocks and a service that the test turns."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@dataclass
class World:
    """A clock, and a service that counts its sessions or is out of order."""

    lifetime: float = 3600
    skew: float = 0  # the service's clock less the local one
    wall: float = START.timestamp()
    monotonic: float = 50.0
    created: int = 0
    tried: int = 0
    failure: Exception | None = None
    during: Callable[[], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self) -> RolesAnywhereSession:
        with self.lock:
            self.tried += 1
        if self.during:
            self.during()
        if self.failure:
            raise self.failure
        with self.lock:
            self.created += 1
        issued = datetime.fromtimestamp(self.wall + self.skew, timezone.utc)
        return RolesAnywhereSession(
            access_key_id=f"ASIA{self.created}",
            secret_access_key=f"secret{self.created}",
            session_token=f"token{self.created}",
            expiration=issued + timedelta(seconds=self.lifetime),
            issued_at=issued,
        )

    def credentials(self) -> SessionCredentials:
        return SessionCredentials(
            self.create,
            account_id="123456789012",
            wall=lambda: self.wall,
            monotonic=lambda: self.monotonic,
            jitter=lambda: 0.5,
        )

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def use(credentials: SessionCredentials) -> str:
    return credentials.get_frozen_credentials().access_key


def settle(credentials: SessionCredentials) -> None:
    """Wait for the attempt in the background, if there is one."""
    if credentials._attempt:
        credentials._attempt.wait(60)


def renewed(credentials: SessionCredentials) -> str:
    """The key after a use and the renewal that it began."""
    use(credentials)
    settle(credentials)
    return use(credentials)


@contextmanager
def hanging(world: World) -> Iterator[threading.Event]:
    """A service that does not answer meanwhile; the event says when it was reached."""
    reached, release = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        release.wait(60)

    world.during = hang
    try:
        yield reached
    finally:
        release.set()


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own that imports this module."""
    command = [sys.executable, "-c", program, str(Path(__file__).parent)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
