"""The refresh rule and the credentials that obey it, with clocks that the test turns."""

from __future__ import annotations

import gc
import logging
import os
import random
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import forked
import pytest
from botocore.credentials import RefreshableCredentials
from forked import in_child

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
    RolesAnywhereError,
    SessionDeniedError,
)

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


def test_nothing_is_created_before_the_first_use() -> None:
    world = World()

    credentials = world.credentials()

    assert isinstance(credentials, RefreshableCredentials)
    assert credentials.refresh_needed()
    assert world.tried == 0


def test_all_readers_see_one_session() -> None:
    world = World()
    credentials = world.credentials()

    frozen = credentials.get_frozen_credentials()

    assert frozen == ("ASIA1", "secret1", "token1", "123456789012")
    assert (credentials.access_key, credentials.secret_key, credentials.token) == frozen[:3]
    assert credentials.account_id == "123456789012"
    assert credentials.session.access_key_id == "ASIA1"
    assert credentials._expiry_time == START + timedelta(hours=1)
    assert world.created == 1


@pytest.mark.parametrize("lifetime", [900, 3600, 43200])
def test_a_session_is_renewed_once_in_its_life_however_often_it_is_used(lifetime: int) -> None:
    world = World(lifetime=lifetime)
    credentials = world.credentials()

    for _ in range(300):
        renewed(credentials)
        world.pass_time(lifetime / 300)

    assert world.created == 2


def test_a_twelve_hour_session_lives_long() -> None:
    world = World(lifetime=43200)
    credentials = world.credentials()
    use(credentials)

    world.pass_time(43200 * 0.625 - 1)
    assert renewed(credentials) == "ASIA1"

    world.pass_time(1)
    assert renewed(credentials) == "ASIA2"


def test_a_failed_renewal_keeps_what_is_good_and_is_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert [renewed(credentials) for _ in range(50)] == ["ASIA1"] * 50

    assert world.tried == 2
    (record,) = caplog.records
    assert "no route" in record.getMessage()
    assert "until they end at 2026-01-02T04:04:05+00:00" in record.getMessage()
    assert "next try in 240 seconds" in record.getMessage()  # of the 800 that are left

    world.pass_time(239)
    renewed(credentials)
    assert world.tried == 2
    world.pass_time(1)
    renewed(credentials)
    assert world.tried == 3

    world.failure = None
    world.pass_time(240)
    assert renewed(credentials) == "ASIA2"


def test_any_failure_of_a_renewal_keeps_what_is_good(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = TypeError("hunter2")  # of botocore, say, since its config file was edited
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert renewed(credentials) == "ASIA1"

    assert caplog.messages[0].endswith("TypeError")
    assert "hunter2" not in caplog.text
    world.pass_time(800)
    with pytest.raises(TypeError):
        use(credentials)


def test_a_failure_in_the_last_minutes_still_uses_what_is_good() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")

    world.pass_time(3600 - 10)
    assert use(credentials) == "ASIA1"

    world.pass_time(10)
    with pytest.raises(EndpointError, match="no route"):
        use(credentials)


def test_the_service_coming_back_after_the_end_is_noticed_after_the_pause() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(4000)
    with pytest.raises(EndpointError):
        use(credentials)

    world.failure = None
    world.pass_time(0.56)  # of the first second, jitter 0.5

    assert use(credentials) == "ASIA2"


@pytest.mark.parametrize("begins", ["cold", "ended"])
def test_after_a_failure_a_thousand_reads_make_one_call(begins: str) -> None:
    world = World()
    credentials = world.credentials()
    if begins == "ended":
        use(credentials)
        world.pass_time(4000)
    tried = world.tried
    world.failure = EndpointError("no route", code="made-up")
    errors = []

    for _ in range(1000):
        with pytest.raises(EndpointError, match="no route") as caught:
            use(credentials)
        errors.append(caught.value)

    assert world.tried == tried + 1
    assert len(set(map(id, errors))) == 1000  # copies, each with a traceback of its own


def test_pauses_grow_while_there_are_no_credentials() -> None:
    world = World(failure=EndpointError("no route", code="made-up"))
    credentials = world.credentials()
    tries = []

    for second in range(300):
        with pytest.raises(EndpointError):
            use(credentials)
        if len(tries) < world.tried:
            tries.append(second)
        world.pass_time(1)

    assert tries == [0, 1, 3, 6, 11, 20, 38, 71, 104, 137, 170, 203, 236, 269]


def test_a_refusal_pauses_longer_than_a_passing_fault() -> None:
    answer = {
        "Error": {"Code": "AccessDeniedException", "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    world = World(failure=SessionDeniedError(answer, "CreateSession", code="session-denied"))
    credentials = world.credentials()

    for _ in range(3600):
        with pytest.raises(SessionDeniedError):
            use(credentials)
        world.pass_time(1)

    assert world.tried == 27  # within an hour


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
def test_one_clock_that_goes_on_is_enough_to_renew(clock: str) -> None:
    # The wall clock may be right where a virtual machine was stopped.
    world = World()
    credentials = world.credentials()
    use(credentials)

    setattr(world, clock, getattr(world, clock) + 3600)

    assert use(credentials) == "ASIA2"


def test_a_wall_clock_set_forward_loses_no_read_and_makes_few_calls() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("the signature has expired", code="made-up")
    world.wall += 7200

    for _ in range(120):  # twenty minutes
        assert renewed(credentials) == "ASIA1"
        world.pass_time(10)

    assert world.tried <= 4
    world.failure = None
    world.pass_time(900)
    assert renewed(credentials) == "ASIA2"


def test_a_wall_clock_set_back_does_not_prolong_them() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)

    world.wall -= 86400
    world.monotonic += 3600

    assert use(credentials) == "ASIA2"


@pytest.mark.parametrize("skew", [-3500, 3500])
def test_the_lifetime_is_by_the_services_clock(skew: float) -> None:
    """A local clock that is off neither shortens nor prolongs what the service gave."""
    world = World(skew=skew)
    credentials = world.credentials()
    use(credentials)

    world.pass_time(2219)
    assert not credentials.refresh_needed()
    assert credentials.refresh_needed(1382)

    world.pass_time(1)
    assert renewed(credentials) == "ASIA2"


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
from test_refreshing import World, renewed, use
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
from test_refreshing import SessionCredentials, World, use
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


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own that imports this module."""
    folders = [str(Path(file).parent) for file in (__file__, forked.__file__)]
    command = [sys.executable, "-c", program, *folders]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


# Others keep the interpreter busy, so that an interruption is often noticed when the lock has
# just been taken; once in about ten rounds without care.
INTERRUPTED = """
import os, random, signal, sys, threading, time
sys.path[:0] = sys.argv[1:]
from test_refreshing import World, use

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
