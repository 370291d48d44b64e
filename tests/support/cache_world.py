"""A cache with a clock of its own, and a service that counts its calls."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import filelock

from boto_rolesanywhere.credentials.cache import Created, SessionCache
from boto_rolesanywhere.credentials.cache_entry import Entry, read_entry
from boto_rolesanywhere.credentials.moment import Moment
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.credentials.turn import PATIENCE
from boto_rolesanywhere.errors import EndpointError, RolesAnywhereError

KEY = "ab" * 32
NOW = 1_800_000_000.0
HOUR = 3600.0
SERVICE_NOW = datetime(2027, 1, 15, 8, 0, tzinfo=timezone.utc)


def session(number: int = 1, lifetime: float = HOUR) -> RolesAnywhereSession:
    return RolesAnywhereSession(
        access_key_id=f"ASIA{number}",
        secret_access_key="s3cret",
        session_token="t0ken",
        expiration=SERVICE_NOW + timedelta(seconds=lifetime),
        issued_at=SERVICE_NOW,
        role_arn="arn:aws:iam::123456789012:role/R",
        source_identity="CN=web",
        packed_policy_size=7,
    )


@dataclass
class World:
    """A cache with a clock of its own and a service that counts."""

    folder: Path
    now: float = NOW
    boot_id: str = ""
    started: float = NOW - HOUR
    calls: int = 0
    failing: bool = False
    failure: RolesAnywhereError = field(
        default_factory=lambda: EndpointError("the network is down", code="made-up")
    )
    lifetime: float = HOUR
    signed_key: str = KEY
    slept: list[float] = field(default_factory=list)
    while_waiting: Callable[[], object] = lambda: None

    def create(self) -> Created:
        self.calls += 1
        if self.failing:
            raise self.failure
        return Created(session(self.calls, self.lifetime), self.signed_key)

    def moment(self) -> Moment:
        return Moment(self.now, self.boot_id, self.now - self.started)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.while_waiting()

    def cache(self, patience: float = PATIENCE) -> SessionCache:
        return SessionCache(
            str(self.folder),
            clock=self.moment,
            sleep=self.sleep,
            patience=patience,
            jitter=lambda: 1.0,
        )

    def get(self, *, force: bool = False, patience: float = PATIENCE) -> str:
        entry = self.cache(patience).get(KEY, self.create, force=force)
        key_id: str = json.loads(entry.answer)["AccessKeyId"]
        return key_id

    def stored(self) -> Entry | None:
        return read_entry(str(self.folder), KEY)

    def store(self, entry: Entry) -> None:
        """Keep an entry, as another process does."""
        path = self.folder / f"{entry.key}.session"
        path.write_bytes(entry.to_bytes())
        path.chmod(0o600)

    def hold_lock(self, kind: str = "lock") -> filelock.FileLock:
        """The lock, as another process holds it that renews just now."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{KEY[:2]}.{kind}"
        lock = filelock.FileLock(path)
        lock.acquire()
        os.utime(path, (self.now, self.now))
        return lock
