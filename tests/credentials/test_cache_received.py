"""A program that keeps what the cache gives it renews as one without a cache does."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cache_world import HOUR, KEY, NOW, World

from boto_rolesanywhere.credentials.cache import Created
from boto_rolesanywhere.credentials.refreshing import SessionCredentials


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


def keeping(
    world: World, create: Callable[[], object], jitter: Callable[[], float] = lambda: 1.0
) -> SessionCredentials:
    return SessionCredentials(
        create,  # type: ignore[arg-type]  # one of the two
        wall=lambda: world.now,
        monotonic=lambda: world.now,
        jitter=jitter,
    )


def cached(world: World) -> SessionCredentials:
    return keeping(world, lambda: world.cache().received(KEY, world.create))


def tries_in_an_outage(world: World, credentials: SessionCredentials) -> list[float]:
    """The ages at which it tries, with a look each second until the session ends."""
    credentials.renew()
    world.failing, ages = True, []
    for age in range(int(HOUR)):
        world.now, before = NOW + age, world.calls
        credentials.renew()
        ages += [age] * (world.calls - before)
    return ages


def test_it_tries_as_often_as_without_a_cache(world: World) -> None:
    plain = World(world.folder.with_name("none"))

    found = tries_in_an_outage(world, cached(world))

    # The cache counts in seconds since the epoch, so its parts of a second are coarser.
    plainly = tries_in_an_outage(plain, keeping(plain, lambda: plain.create().session))
    assert found == pytest.approx(plainly, abs=2)
    assert len(found) > 10


def test_a_program_that_comes_in_the_middle_has_the_times_of_the_session(world: World) -> None:
    cached(world).renew()
    world.now = NOW + 2639
    late = cached(world)
    late.renew()
    assert not late.refresh_needed()
    world.now += 1
    assert late.refresh_needed()
    late.renew()
    assert world.calls == 2
    assert late.session.access_key_id == "ASIA2"


def test_while_another_process_renews_it_looks_once_a_second(world: World) -> None:
    looks = 0

    def look() -> object:
        nonlocal looks
        looks += 1
        return world.cache().received(KEY, world.create)

    credentials = keeping(world, look)
    credentials.renew()
    world.now = NOW + 2640
    with world.hold_lock():
        for _ in range(100):
            credentials.renew()
            world.now += 0.01
    assert (looks, world.calls, world.slept) == (2, 1, [])
    world.now += 1
    credentials.renew()
    assert credentials.session.access_key_id == "ASIA2"


@pytest.mark.parametrize("shared", [False, True])
def test_in_a_storm_in_which_half_of_all_calls_fail_no_read_is_lost(
    world: World, shared: bool
) -> None:
    """benchmarks/storm.py has more programs, and longer storms."""
    chance = random.Random(5)
    world.lifetime = 900

    def create() -> Created:
        world.failing = world.now > NOW and chance.random() < 0.5
        return world.create()

    def ask() -> object:
        return world.cache().received(KEY, create) if shared else create().session

    programs = [keeping(world, ask, chance.random) for _ in range(10)]
    for credentials in programs:
        credentials.renew()
    for _ in range(1800):
        world.now += 1
        for credentials in programs:
            credentials.renew()  # raises if there is no good session
            assert credentials.held_session is not None
    assert world.calls < (40 if shared else 150)
