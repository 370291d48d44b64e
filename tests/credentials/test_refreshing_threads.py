"""Credentials in many threads, through interruptions and forks, and to their end."""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forked import in_child
from refreshing_world import World, hanging, renewed, run, use

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import (
    EndpointError,
    RolesAnywhereError,
)

# Others keep the interpreter busy, so that an interruption is often noticed when the lock has
# just been taken; once in about ten rounds without care.
INTERRUPTED = """
import os, random, signal, sys, threading, time
sys.path[:0] = sys.argv[1:]
from refreshing_world import World, use

stop = threading.Event()
def busy():
    while not stop.is_set():
        sum(range(20000))
busies = [threading.Thread(target=busy, daemon=True) for _ in range(2)]
for thread in busies:
    thread.start()
interrupted = 0
for _ in range(30):
    world = World()
    started = threading.Event()
    world.during = lambda: (started.set(), time.sleep(0.02))
    credentials = world.credentials()
    renewing = threading.Thread(target=use, args=(credentials,))
    def interrupt():
        time.sleep(0.01 + random.random() * 0.02)
        os.kill(os.getpid(), signal.SIGINT)
    interrupting = threading.Thread(target=interrupt)
    renewing.start()
    started.wait()
    try:
        interrupting.start()
        use(credentials)
        interrupting.join()
        time.sleep(0.01)
    except KeyboardInterrupt:
        interrupted += 1
    renewing.join()
    interrupting.join()
    free = []
    taking = threading.Thread(
        target=lambda: free.append(credentials._refresh_lock.acquire(blocking=False))
    )
    taking.start()
    taking.join()
    assert free == [True], "the lock is taken for ever"
stop.set()
print(interrupted)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process there")
def test_an_interruption_leaves_no_lock_taken() -> None:
    done = run(INTERRUPTED)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


def test_an_interruption_as_an_attempt_begins_leaves_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    credentials = world.credentials()

    def interrupt(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            use(credentials)

    assert use(credentials) == "ASIA1"


def test_a_first_use_from_many_threads_creates_one_session() -> None:
    world = World()
    credentials = world.credentials()
    gate = threading.Barrier(16)

    def first(_: int) -> str:
        gate.wait()
        return use(credentials)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(first, range(16))) == {"ASIA1"}
    assert world.tried == 1


def test_all_who_came_during_an_attempt_have_its_failure_at_once() -> None:
    world = World(failure=EndpointError("no route", code="made-up", where="x"))
    credentials = world.credentials()

    def outcome(_: int) -> RolesAnywhereError:
        with pytest.raises(EndpointError, match="x: no route") as caught:
            use(credentials)
        return caught.value

    with ThreadPoolExecutor(100) as pool, hanging(world) as reached:
        waiting = [pool.submit(outcome, number) for number in range(100)]
        assert reached.wait(10)
        world.pass_time(90)  # of tries within the attempt
    errors = {id(future.result(10)) for future in waiting}

    assert len(errors) == 100
    assert world.tried == 1


def test_an_error_that_is_none_of_ours_is_raised_to_who_began_and_named_to_the_others() -> None:
    world = World(failure=TypeError("hunter2"))
    credentials = world.credentials()

    with pytest.raises(TypeError):
        use(credentials)
    with pytest.raises(RolesAnywhereError, match="the renewal failed") as caught:
        use(credentials)
    assert caught.value.code == "renewal-failed"


def test_a_fork_while_another_thread_renews_does_not_hang_the_child() -> None:
    world = World()
    credentials = world.credentials()
    started = threading.Event()
    release = threading.Event()

    def during() -> None:
        started.set()
        release.wait(10)

    world.during = during
    renewing = threading.Thread(target=use, args=(credentials,))
    renewing.start()
    started.wait(10)

    def use_again() -> bool:
        world.during = None
        world.lock = threading.Lock()
        return use(credentials) == "ASIA1"

    worked = in_child(use_again)
    release.set()
    renewing.join()

    assert worked


# As uWSGI forks: Python is not told of it, and runs no hooks. Nor can it do so safely while another
# thread runs, so the attempt that is under way is one that nobody makes.
UNTOLD = """
import ctypes, os, signal, sys
sys.path[:0] = sys.argv[1:]
from boto_rolesanywhere.credentials.attempt import Attempt
from refreshing_world import World, use

credentials = World().credentials()
credentials._attempt = Attempt(lambda: None)
child = ctypes.PyDLL(None).fork()
if child == 0:
    signal.alarm(60)
    os._exit(use(credentials) != "ASIA1")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_that_python_is_not_told_of_does_not_hang_the_child() -> None:
    done = run(UNTOLD)

    assert done.returncode == 0, done.stderr


def test_a_fork_amidst_a_renewal_can_renew_for_itself() -> None:
    world = World()
    credentials = world.credentials()
    forked: list[bool] = []

    def use_again() -> bool:
        world.during = None
        return use(credentials) == "ASIA1"

    def during() -> None:
        forked.append(in_child(use_again))

    world.during = during
    use(credentials)

    assert forked == [True]


def no_route() -> None:
    raise EndpointError("no route", code="made-up")


def no_file() -> None:
    raise FileNotFoundError


@pytest.mark.parametrize("fails", [None, no_route, no_file])
def test_credentials_go_with_their_last_user(fails: Callable[[], None] | None) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.during = fails
    world.pass_time(3000)
    renewed(credentials)
    gone = weakref.ref(credentials)
    gc.collect()
    gc.disable()
    try:
        del credentials
        for _ in range(1000):  # its thread ends a moment after the attempt
            if gone() is None:
                break
            threading.Event().wait(0.01)
    finally:
        gc.enable()

    assert gone() is None


def test_no_repr_shows_a_secret() -> None:
    world = World()
    credentials = world.credentials()
    frozen = credentials.get_frozen_credentials()

    for shown in (repr(credentials), repr(frozen), str(frozen), repr(credentials.session)):
        assert "secret1" not in shown
        assert "token1" not in shown
    assert "ASIA1" in repr(frozen)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_children_draw_points_of_renewal_of_their_own(tmp_path: Path) -> None:
    random.seed(1)  # as a program that wants to be reproducible does
    world = World()
    credentials = SessionCredentials(
        world.create, wall=lambda: world.wall, monotonic=lambda: world.monotonic
    )
    use(credentials)
    world.pass_time(1000)
    points = tmp_path / "points"
    points.mkdir()

    def draw() -> bool:
        held = credentials._state.held
        assert held is not None
        (points / str(held.windows.advisory)).touch()
        return True

    assert all(in_child(draw) for _ in range(8))
    draw()
    drawn = [float(path.name) for path in points.iterdir()]
    assert len(drawn) == 9
    assert all(1800 <= point <= 2640 for point in drawn)
