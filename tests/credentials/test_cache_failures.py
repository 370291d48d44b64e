"""What processes share of a failure: one asks, and all have its answer until the pause ends."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cache_world import HOUR, KEY, NOW, World

from boto_rolesanywhere.credentials.cache import SessionCache
from boto_rolesanywhere.credentials.failure_mark import FailureMark, read_mark
from boto_rolesanywhere.errors import (
    EndpointError,
    InvalidResponseError,
    PassphraseError,
    RolesAnywhereError,
    SessionDeniedError,
    ThrottledError,
)

DENIED = SessionDeniedError(
    {
        "Error": {"Code": "AccessDeniedException", "Message": "Certificate revoked"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    },
    "CreateSession",
    code="denied-certificate-revoked",
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


def fail(world: World, kind: type[RolesAnywhereError] = RolesAnywhereError) -> str:
    with pytest.raises(kind) as caught:
        world.get()
    return str(caught.value)


def mark(world: World) -> FailureMark | None:
    return read_mark(str(world.folder), KEY)


@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        (EndpointError("no route", code="endpoint-unreachable"), 1),
        (InvalidResponseError("a page", code="answer-foreign"), 1),
        (DENIED, 5),
    ],
)
def test_until_the_pause_is_over_all_get_the_same_failure_at_once(
    world: World, failure: RolesAnywhereError, pause: float
) -> None:
    world.failing, world.failure = True, failure
    first = fail(world, type(failure))
    world.now += pause - 0.1
    for _ in range(15):
        assert fail(world, type(failure)).startswith(first)
    assert (world.calls, world.slept) == (1, [])
    world.now += 0.2
    fail(world)
    assert world.calls == 2


@pytest.mark.parametrize(("asked", "pause"), [(30.0, 36), (0.2, 1), (86400.0, 300), (None, 1)])
def test_the_pause_is_as_long_as_the_service_asks_for(
    world: World, asked: float | None, pause: float
) -> None:
    response = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {}}
    world.failing = True
    world.failure = ThrottledError(response, "CreateSession", code="throttled", retry_after=asked)
    fail(world, ThrottledError)
    world.now += pause - 0.1
    fail(world, ThrottledError)
    assert world.calls == 1
    world.now += 0.2
    fail(world, ThrottledError)
    assert world.calls == 2


def test_each_pause_is_twice_as_long_as_the_last_up_to_a_minute(world: World) -> None:
    world.failing = True
    pauses = []
    for _ in range(9):
        fail(world)
        held = mark(world)
        assert held is not None
        pauses.append(held.until - held.failed_at)
        world.now = held.until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_success_ends_it_and_the_row_begins_anew(world: World) -> None:
    world.failing = True
    fail(world)
    world.now += 1
    world.failing = False
    assert world.get() == "ASIA2"
    assert mark(world) is None
    world.now, world.failing = world.now + HOUR, True
    fail(world)
    held = mark(world)
    assert held is not None
    assert held.row == 1


def test_a_failure_never_hides_a_good_session(world: World) -> None:
    world.get()
    world.failing = True
    with pytest.raises(EndpointError):
        world.get(force=True)
    assert mark(world) is not None
    assert world.get() == "ASIA1"
    world.now = NOW + HOUR - 1
    assert [world.get() for _ in range(3)] == ["ASIA1"] * 3
    assert world.calls == 3


def test_forced_it_asks_whatever_failed_before(world: World) -> None:
    world.failing = True
    fail(world)
    world.failing = False
    assert world.get(force=True) == "ASIA2"
    assert mark(world) is None


def test_another_identity_or_setting_has_no_part_in_it(world: World) -> None:
    world.failing = True
    fail(world)
    other = world.signed_key = "cd" * 32
    world.failing = False
    assert '"ASIA2"' in world.cache().get(other, world.create).answer


def test_what_failed_without_a_call_is_tried_again_at_once(world: World) -> None:
    world.failing, world.failure = True, PassphraseError("it is wrong", code="passphrase-wrong")
    fail(world, PassphraseError)
    assert mark(world) is None
    world.failing = False
    assert world.get() == "ASIA2"


@pytest.mark.parametrize("now", [NOW - 1, NOW + 3 * HOUR])
def test_a_mark_of_another_time_counts_as_none(world: World, now: float) -> None:
    world.failing = True
    fail(world)
    world.now, world.failing = now, False
    assert world.get() == "ASIA2"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_user_may_read_a_mark(world: World) -> None:
    world.failing = True
    fail(world)
    assert (world.folder / f"{KEY}.failed").stat().st_mode & 0o777 == 0o600


def test_old_marks_are_cleared_away(world: World) -> None:
    world.failing = True
    fail(world)
    other = "cd" * 32
    world.failing, world.signed_key = False, other
    world.now += 600
    world.cache().get(other, world.create, force=True)
    assert mark(world) is not None
    world.now += 2
    world.cache().get(other, world.create, force=True)
    assert list(world.folder.glob("*.failed")) == []


def test_a_mark_that_cannot_be_written_costs_the_caller_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (world.folder / f"{KEY}.failed").mkdir(parents=True)
    world.folder.chmod(0o700)
    world.failing = True
    assert fail(world) == "the network is down."
    assert "A failure is not shared in" in caplog.text


@pytest.mark.parametrize("pause_over", [False, True])
def test_who_waited_for_a_call_that_fails_does_not_call_in_turn(
    world: World, pause_over: bool
) -> None:
    """The pause may end before those who waited look again."""
    lock = world.hold_lock()

    def failed_elsewhere() -> None:
        world.now += 0.1
        if len(world.slept) == 3:
            lock.release()
            other = World(world.folder, now=world.now, failing=True)
            fail(other)
            world.now += 0.5 + pause_over

    world.while_waiting = failed_elsewhere
    assert fail(world, EndpointError).startswith("the network is down")
    assert world.calls == 0


def test_sixteen_that_start_together_make_one_call(world: World) -> None:
    together, calling = threading.Barrier(16), threading.Semaphore(0)
    world.failing = True
    cache = SessionCache(str(world.folder))

    def create() -> object:
        calling.acquire(timeout=0.2)  # so that the others wait for it
        return world.create()

    def get(_: int) -> str:
        together.wait()
        with pytest.raises(EndpointError) as caught:
            cache.get(KEY, create)  # type: ignore[arg-type]  # it raises
        return caught.value.problem

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(get, range(16))) == {"the network is down"}
    assert world.calls == 1
