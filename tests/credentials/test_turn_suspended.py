"""Nobody waits long for a process that hangs or is suspended while it has its turn."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cache_world import HOUR, KEY, NOW, World, session

from boto_rolesanywhere.credentials.cached_session import to_entry
from boto_rolesanywhere.credentials.turn import PATIENCE, Turn, await_turn, take_flock


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "cache")
    world.while_waiting = lambda: time_passes(world)
    return world


def time_passes(world: World) -> None:
    world.now += world.slept[-1]


@contextmanager
def suspended_holder(world: World, since: float) -> Iterator[None]:
    """Another process with the lock, stopped in the middle of its turn."""
    world.folder.mkdir(mode=0o700, exist_ok=True)
    lock = world.folder / f"{KEY[:2]}.lock"
    holder = os.fork()
    if holder == 0:
        take_flock(str(lock))
        os.utime(lock, (since, since))
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(1)
    os.waitpid(holder, os.WUNTRACED)
    try:
        yield
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)


def test_a_good_session_is_waited_for_five_seconds_at_most(world: World) -> None:
    world.get()
    world.now = NOW + HOUR - 299
    with suspended_holder(world, since=world.now):
        assert world.get() == "ASIA1"
    assert 5 <= sum(world.slept) < 5.3
    assert max(world.slept) <= 0.25
    assert world.calls == 1


def test_after_patience_one_calls_and_the_rest_have_what_it_got(world: World) -> None:
    world.get()
    world.now = NOW + HOUR
    with suspended_holder(world, since=world.now):
        assert [world.get() for _ in range(3)] == ["ASIA2"] * 3
    assert PATIENCE <= sum(world.slept) < PATIENCE + 0.3
    assert world.calls == 2


def test_while_one_calls_in_its_place_the_others_wait(world: World) -> None:
    with suspended_holder(world, since=world.now):
        world.now += PATIENCE
        first = await_turn(str(world.folder), KEY, patience=0)
        assert isinstance(first, Turn)

        def renewed() -> None:
            time_passes(world)
            if len(world.slept) == 40:
                world.store(to_entry(KEY, session(99), world.moment(), 1))

        world.while_waiting = renewed
        assert world.get() == "ASIA99"
        first.close()
    assert (world.calls, len(world.slept)) == (0, 40)


def test_who_comes_later_waits_five_seconds(world: World) -> None:
    with suspended_holder(world, since=NOW - PATIENCE):
        assert world.get() == "ASIA1"
    assert 5 <= sum(world.slept) < 5.3


def test_if_two_hang_nobody_waits_for_ever(world: World) -> None:
    with suspended_holder(world, since=world.now), world.hold_lock("second.lock"):
        assert world.get() == "ASIA1"
    assert 2 * PATIENCE <= sum(world.slept) < 2 * PATIENCE + 0.3


def test_who_wakes_up_does_not_replace_a_later_session(world: World) -> None:
    def create() -> object:
        """Suspended in the middle of its call, while another process calls in its place."""
        world.now += 100
        world.store(to_entry(KEY, session(99), world.moment(), 1))
        world.now += 100
        return world.create()

    early = world.cache().get(KEY, create)  # type: ignore[arg-type]  # it gives what `create` does

    assert '"ASIA1"' in early.answer
    assert world.get() == "ASIA99"


def test_who_was_suspended_between_comparing_and_writing_replaces_no_later_session(
    world: World,
) -> None:
    """Since nobody stores one meanwhile."""
    with world.hold_lock("store.lock"):
        assert world.get() == "ASIA1"
        assert sum(world.slept) == pytest.approx(1)
    assert world.get() == "ASIA2"
    assert world.get() == "ASIA2"


def test_a_session_from_a_clock_that_was_set_back_is_replaced(world: World) -> None:
    world.get()
    world.now = NOW - HOUR
    assert [world.get(), world.get()] == ["ASIA2", "ASIA2"]
