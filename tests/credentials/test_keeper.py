"""Credentials kept good in a thread: who waits, who does not, and what a failure does."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pytest

from boto_rolesanywhere.credentials.keeper import Keeper
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import EndpointError

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
LIFETIME = 1200.0  # due at 900 s, the latest that can be drawn


@dataclass
class World:
    """Time as a test sets it, and a CreateSession that a test can hold or break."""

    now: float = 0.0
    calls: int = 0
    at_once: int = 0
    most_at_once: int = 0
    failure: BaseException | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    called: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.gate.set()
        self.credentials = SessionCredentials(
            self.create, wall=lambda: self.now, monotonic=lambda: self.now, jitter=lambda: 1.0
        )
        self.keeper = Keeper("reader", self.credentials, tick=0.005, patience=5.0)

    def create(self) -> RolesAnywhereSession:
        with self.called:
            self.calls += 1
            number = self.calls
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
            self.called.notify_all()
        self.gate.wait(10)
        with self.called:
            self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        issued = START + timedelta(seconds=self.now)
        return RolesAnywhereSession(
            access_key_id=f"ASIA{number}",
            secret_access_key="secret",
            session_token="token",
            expiration=issued + timedelta(seconds=LIFETIME),
            issued_at=issued,
        )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the keeper's thread does."""
        waited = threading.Event()
        for _ in range(2000):
            if condition():
                return
            waited.wait(0.005)
        raise AssertionError("it did not happen within 10 seconds")

    def key(self) -> str | None:
        session = self.keeper.current()
        return session.access_key_id if session else None


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.gate.set()
    made.keeper.stop()


def test_it_does_not_start_when_the_first_call_fails(world: World) -> None:
    world.failure = EndpointError("no route", code="made-up")

    with pytest.raises(EndpointError):
        world.keeper.start()
    assert world.keeper.current() is None


def test_it_renews_by_itself_when_it_is_time(world: World) -> None:
    world.keeper.start()
    world.now = 899
    assert world.key() == "ASIA1"
    world.now = 900
    world.wait_until(lambda: world.key() == "ASIA2")
    assert world.calls == 2
    assert not world.keeper.failing


def test_a_slow_renewal_holds_up_nobody_while_the_old_credentials_are_good(world: World) -> None:
    world.keeper.start()
    world.gate.clear()
    world.now = 1196  # within the last seconds, in which in-process callers wait
    world.wait_until(lambda: world.calls == 2)

    assert world.key() == "ASIA1"
    world.now = LIFETIME
    assert world.key() is None


def test_who_comes_after_the_end_waits_for_the_one_renewal(world: World) -> None:
    world.keeper.start()
    world.gate.clear()
    world.now = 2000
    world.wait_until(lambda: world.calls == 2)

    async def many() -> set[str]:
        async def one() -> str:
            session = await world.keeper.awaited()
            assert session is not None
            return session.access_key_id

        waiting = [asyncio.ensure_future(one()) for _ in range(500)]
        await asyncio.sleep(0)
        world.gate.set()
        return set(await asyncio.gather(*waiting))

    assert asyncio.run(many()) == {"ASIA2"}
    assert (world.calls, world.most_at_once) == (2, 1)


def test_who_comes_after_the_end_wakes_it_at_once() -> None:
    world = World()
    world.keeper = Keeper("reader", world.credentials, tick=60)
    world.keeper.start()
    world.now = 2000

    session = asyncio.run(world.keeper.awaited())
    assert session is not None
    assert session.access_key_id == "ASIA2"
    world.keeper.stop()


def test_while_renewals_fail_the_last_credentials_are_kept_to_their_end(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.keeper.start()
    world.failure = EndpointError("no route", code="made-up")
    world.now = 900
    world.wait_until(lambda: world.keeper.failing)

    assert world.key() == "ASIA1"
    assert "used until they end" in caplog.text
    world.now = LIFETIME - 0.1
    assert world.key() == "ASIA1"
    world.now = LIFETIME
    assert world.key() is None


def test_after_the_end_tries_follow_in_growing_pauses_whatever_the_load(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.keeper.start()
    world.failure = EndpointError("no route", code="made-up")
    world.now = 2000
    tries = []
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        before = world.calls
        world.wait_until(lambda before=before: world.calls > before)  # type: ignore[misc]  # mypy's, of a default
        world.wait_until(lambda: world.at_once == 0)
        made = world.calls

        async def ask() -> None:
            results = await asyncio.gather(*(world.keeper.awaited() for _ in range(50)))
            assert set(results) == {None}

        asyncio.run(ask())
        world.now += pause - 0.01
        asyncio.run(ask())
        tries.append(world.calls - made)
        world.now += 0.01
    assert tries == [0] * 8
    assert "reader: there are no credentials" in caplog.text


def test_the_end_is_told_once_though_the_next_try_is_not_yet_due(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.keeper.start()
    world.failure = EndpointError("no route", code="made-up")
    world.now = LIFETIME - 1
    world.wait_until(lambda: world.calls == 2)
    world.now = LIFETIME - 0.001  # the next try is due a little later
    world.wait_until(lambda: world.keeper.failing)
    world.now = LIFETIME

    world.wait_until(lambda: "there are no credentials" in caplog.text)
    threading.Event().wait(0.05)
    assert caplog.text.count("there are no credentials") <= world.calls - 1


def test_it_recovers(world: World) -> None:
    world.keeper.start()
    world.failure = EndpointError("no route", code="made-up")
    world.now = 2000
    world.wait_until(lambda: world.keeper.failing)
    world.failure = None
    world.now += 1

    world.wait_until(lambda: world.key() is not None)
    world.wait_until(lambda: not world.keeper.failing)


class PanicError(BaseException):
    """No `Exception`, as a panic in a library's Rust part is none."""


@pytest.mark.parametrize("kind", [ValueError, PanicError])
def test_an_error_that_nobody_foresaw_is_survived_and_not_quoted(
    kind: type[BaseException], world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.keeper.start()
    world.failure = kind("with a secret in it")
    world.now = 2000
    world.wait_until(lambda: kind.__name__ in caplog.text)
    world.failure = None
    world.now += 1

    world.wait_until(lambda: world.key() is not None)
    assert "a secret" not in caplog.text


def test_who_waits_too_long_is_told_that_there_is_nothing() -> None:
    world = World()
    world.keeper = Keeper("reader", world.credentials, tick=0.005, patience=0.01)
    world.keeper.start()
    world.gate.clear()
    world.now = 2000
    world.wait_until(lambda: world.calls == 2)

    assert asyncio.run(world.keeper.awaited()) is None
    world.gate.set()
    world.keeper.stop()


def test_it_stops(world: World) -> None:
    world.keeper.start()
    world.keeper.stop()
    world.wait_until(lambda: "keeper-reader" not in {t.name for t in threading.enumerate()})
    world.now = 2000

    assert world.calls == 1
    assert world.keeper.current() is None
