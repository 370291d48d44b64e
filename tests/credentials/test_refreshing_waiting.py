"""Who waits for a renewal, how long, and in which thread it is made."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from refreshing_world import World, hanging, renewed, run, use

from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
)


@pytest.mark.parametrize("left", [1200, 60, 6])
def test_a_service_that_hangs_holds_up_nobody_while_the_credentials_are_good(left: int) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - left)

    with hanging(world) as reached:
        assert [use(credentials) for _ in range(1000)] == ["ASIA1"] * 1000
        assert reached.wait(10)
        assert world.tried == 2
    assert renewed(credentials) == "ASIA2"


def test_in_the_last_five_seconds_callers_wait_for_the_renewal() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 4)

    with ThreadPoolExecutor(4) as pool, hanging(world) as reached:
        waiting = [pool.submit(use, credentials) for _ in range(4)]
        assert reached.wait(10)
        assert not any(each.done() for each in waiting)
    assert [each.result(10) for each in waiting] == ["ASIA2"] * 4
    assert world.created == 2


def test_nobody_waits_for_a_renewal_that_has_taken_five_seconds() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 10)
    with ThreadPoolExecutor(2) as pool, hanging(world):
        assert use(credentials) == "ASIA1"
        world.pass_time(9)
        assert [use(credentials) for _ in range(20)] == ["ASIA1"] * 20
        world.pass_time(1)  # they have ended, so that there is nothing else to go on with
        late = [pool.submit(use, credentials) for _ in range(2)]
    assert [each.result(10) for each in late] == ["ASIA2"] * 2
    assert world.created == 2


def test_a_wait_that_is_in_vain_ends_with_what_is_good() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 0.05)  # the wait is of real time, and no longer than what is left

    with hanging(world):
        assert use(credentials) == "ASIA1"


def test_a_thread_that_renews_does_not_keep_the_program() -> None:
    program = """
import sys, threading
sys.path[:0] = sys.argv[1:]
from refreshing_world import World, renewed, use
world = World()
credentials = world.credentials()
use(credentials)
world.pass_time(3000)
reached = threading.Event()
world.during = lambda: (reached.set(), threading.Event().wait())
print(use(credentials))
reached.wait()
"""
    done = run(program)

    assert (done.returncode, done.stdout, done.stderr) == (0, "ASIA1\n", "")


ENDING = """
import atexit, sys
sys.path[:0] = sys.argv[1:]
from refreshing_world import SessionCredentials, World, use
world = World()
held, ended, cold = (world.credentials() for _ in range(3))
session = world.create()
cold._create = lambda: session
class Last:
    def __del__(self, use=use, sys=sys):
        world.pass_time(2700)
        # Subtracting times then crashes 3.13.0.
        first = "ASIA1" if sys.version_info[:3] == (3, 13, 0) else use(cold)
        print(sys.is_finalizing(), use(held), world.created, first, flush=True)
_last = Last()  # names with an underscore go first
def at_exit():
    world.pass_time(2700)
    use(held)
    print(use(ended), flush=True)
atexit.register(at_exit)
use(held), use(ended)
world.pass_time(4000)
use(held)
"""


def test_while_the_interpreter_ends_the_caller_renews_if_need_be() -> None:
    # Python 3.12 refuses threads in functions of atexit; before, those that are begun once modules
    # are taken apart never run.
    done = run(ENDING)

    assert (done.returncode, done.stderr) == (0, "")
    at_exit, last = done.stdout.splitlines()
    assert at_exit.startswith("ASIA")
    finalizing, held, created, cold = last.split()
    assert (finalizing, cold) == ("True", "ASIA1")
    assert int(created) in {5, 6}
    assert held.startswith("ASIA")


@pytest.mark.parametrize("refused", ["__init__", "start"])
def test_where_the_system_gives_no_thread_the_caller_renews(
    monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    world = World()
    credentials = world.credentials()

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no daemon in this subinterpreter, or no thread at all")

    monkeypatch.setattr(threading.Thread, refused, refuse)
    assert use(credentials) == "ASIA1"
    world.pass_time(3000)
    assert use(credentials) == "ASIA2"
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(4000)
    with pytest.raises(EndpointError):
        use(credentials)


@pytest.mark.parametrize("left", [800, 4])
def test_a_key_whose_client_uses_the_session_goes_on_with_what_is_good(left: int) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - left)
    used = []
    world.during = lambda: used.append(use(credentials))

    assert renewed(credentials) == "ASIA2"
    assert used == ["ASIA1"]


@pytest.mark.parametrize("age", [None, 4000])
def test_a_key_whose_client_needs_the_session_itself_is_an_error(age: int | None) -> None:
    world = World()
    credentials = world.credentials()
    if age is not None:
        use(credentials)
        world.pass_time(age)
    world.during = lambda: str(use(credentials))

    with pytest.raises(ConfigurationError, match="asked for the very credentials that it is to"):
        use(credentials)
    world.during = None
    world.pass_time(1)
    assert use(credentials).startswith("ASIA")
