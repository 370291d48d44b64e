"""What a wall clock that is set does to sessions that processes share."""

from __future__ import annotations

from pathlib import Path

import pytest
from cache_world import HOUR, NOW, World

from boto_rolesanywhere.errors import EndpointError


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "cache", boot_id="b-1")
    world.get()
    world.now += 600
    return world


def set_clock(world: World, seconds: float) -> None:
    """Set the wall clock; the time since the machine started goes on as before."""
    world.now += seconds
    world.started += seconds


@pytest.mark.parametrize("seconds", [2 * HOUR, 24 * HOUR, -2 * HOUR])
def test_where_the_clocks_disagree_a_renewal_is_tried(world: World, seconds: float) -> None:
    set_clock(world, seconds)
    assert [world.get(), world.get()] == ["ASIA2", "ASIA2"]


@pytest.mark.parametrize("seconds", [2 * HOUR, 24 * HOUR, -2 * HOUR])
def test_if_that_fails_the_session_stays_in_use(world: World, seconds: float) -> None:
    set_clock(world, seconds)
    world.failing = True
    assert [world.get() for _ in range(120)] == ["ASIA1"] * 120
    assert world.calls == 2
    # Until it ends: by the clock that nobody has set.
    world.now += HOUR - 601
    assert world.get() == "ASIA1"
    world.now += 1
    with pytest.raises(EndpointError):
        world.get()


def test_while_another_process_tries_the_session_is_given_after_5_seconds(world: World) -> None:
    set_clock(world, 2 * HOUR)
    with world.hold_lock():
        assert world.get() == "ASIA1"
    assert 5 <= sum(world.slept) < 5.3


def test_another_processs_renewal_does_not_clear_it_away(world: World) -> None:
    set_clock(world, 2 * HOUR)
    other = world.signed_key = "cd" * 32
    world.cache().get(other, world.create)
    world.failing = True
    assert world.get() == "ASIA1"


def test_after_the_machine_was_started_anew_an_ended_session_has_ended(world: World) -> None:
    set_clock(world, 2 * HOUR)
    world.boot_id, world.failing = "b-2", True
    with pytest.raises(EndpointError):
        world.get()


def test_a_clock_that_was_set_back_does_not_make_a_session_younger(world: World) -> None:
    world.now = NOW + HOUR - 1
    set_clock(world, -1800)
    assert world.get() == "ASIA2"
