"""The refresh rule and the credentials that obey it, with clocks that the test turns."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import forked
import pytest
from botocore.credentials import RefreshableCredentials
from forked import in_child
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.credentials.windows import RefreshWindows
from boto_rolesanywhere.errors import ConfigurationError, EndpointError, RolesAnywhereError

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


@given(st.floats(1, 43200), st.floats(0, 1))
def test_the_windows_follow_the_lifetime(lifetime: float, jitter: float) -> None:
    windows = RefreshWindows.for_lifetime(lifetime, jitter)

    assert lifetime * 0.74 < windows.advisory < windows.mandatory < windows.expiry == lifetime
    assert windows.expiry - windows.advisory <= 15 * 60
    assert windows.expiry - windows.mandatory <= 5 * 60


def test_not_all_programs_renew_at_the_same_moment() -> None:
    early, late = (RefreshWindows.for_lifetime(3600, jitter) for jitter in (0.0, 1.0))

    assert abs(early.advisory - late.advisory) > 30


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
        use(credentials)
        world.pass_time(lifetime / 300)

    assert world.created == 2


def test_a_twelve_hour_session_lives_long() -> None:
    world = World(lifetime=43200)
    credentials = world.credentials()
    use(credentials)

    world.pass_time(43200 - 15 * 60 - 1)

    assert use(credentials) == "ASIA1"


def test_a_failed_renewal_keeps_what_is_good_and_is_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert [use(credentials) for _ in range(50)] == ["ASIA1"] * 50

    assert world.tried == 2
    (record,) = caplog.records
    assert "no route" in record.getMessage()
    assert "until they end at 2026-01-02T04:04:05+00:00" in record.getMessage()

    world.pass_time(120)
    use(credentials)
    assert world.tried == 3

    world.failure = None
    world.pass_time(120)
    assert use(credentials) == "ASIA2"


def test_any_failure_of_a_renewal_keeps_what_is_good(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = TypeError("hunter2")  # of botocore, say, since its config file was edited
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert use(credentials) == "ASIA1"

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


def test_the_service_coming_back_after_the_end_is_noticed_at_once() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(4000)
    with pytest.raises(EndpointError):
        use(credentials)

    world.failure = None

    assert use(credentials) == "ASIA2"


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
def test_one_clock_that_goes_on_is_enough_to_renew(clock: str) -> None:
    # A suspended machine stops the monotonic clock; a wall clock may be set back.
    world = World()
    credentials = world.credentials()
    use(credentials)

    setattr(world, clock, getattr(world, clock) + 3600)

    assert use(credentials) == "ASIA2"


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

    world.pass_time(3600 - 16 * 60)
    assert not credentials.refresh_needed()
    assert credentials.refresh_needed(17 * 60)

    world.pass_time(16 * 60)
    assert use(credentials) == "ASIA2"


def test_while_one_renews_the_others_go_on() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 800)
    others: list[str] = []

    def meanwhile() -> None:
        with ThreadPoolExecutor(4) as pool:
            others.extend(pool.map(lambda _: use(credentials), range(20)))

    world.during = meanwhile

    assert use(credentials) == "ASIA2"
    assert others == ["ASIA1"] * 20
    assert world.created == 2


def test_near_the_end_the_others_wait_for_the_renewal() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 10)
    others: list[Future[str]] = []

    with ThreadPoolExecutor(4) as pool:

        def during() -> None:
            others.extend(pool.submit(use, credentials) for _ in range(4))
            while not all(other.running() for other in others):
                pass

        world.during = during
        assert use(credentials) == "ASIA2"
        assert [other.result(10) for other in others] == ["ASIA2"] * 4
    assert world.created == 2


def test_nobody_waits_long_for_a_renewal_that_hangs() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - 60)
    hanging, release = threading.Event(), threading.Event()

    def during() -> None:
        hanging.set()
        release.wait(60)

    world.during = during
    with ThreadPoolExecutor(2) as pool:
        renewing = pool.submit(use, credentials)
        assert hanging.wait(10)
        world.pass_time(30)
        try:
            assert [use(credentials) for _ in range(20)] == ["ASIA1"] * 20
            world.during = None
            world.pass_time(30)  # they have ended, so that there is nothing else to go on with
            late = pool.submit(use, credentials)
        finally:
            release.set()
        assert renewing.result(10) == late.result(10) == "ASIA2"
    assert world.created == 2


@pytest.mark.parametrize("left", [800, 10])
def test_a_key_whose_client_uses_the_session_goes_on_with_what_is_good(left: int) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.pass_time(3600 - left)
    used = []
    world.during = lambda: used.append(use(credentials))

    assert use(credentials) == "ASIA2"
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
    assert use(credentials).startswith("ASIA")


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
    folders = [str(Path(file).parent) for file in (__file__, forked.__file__)]
    command = [sys.executable, "-c", INTERRUPTED, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


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


def test_those_who_waited_for_a_failure_share_it() -> None:
    world = World(failure=EndpointError("no route", code="made-up", where="x"))
    credentials = world.credentials()
    started = threading.Event()
    release = threading.Event()

    def during() -> None:
        started.set()
        release.wait(10)

    world.during = during

    def outcome(_: int) -> RolesAnywhereError:
        with pytest.raises(EndpointError, match="x: no route") as caught:
            use(credentials)
        return caught.value

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(outcome, 0)
        started.wait(10)
        waiting = [pool.submit(outcome, number) for number in range(1, 8)]
        while not all(future.running() or future.done() for future in waiting):
            pass
        # All are in `use`; those that have not reached the lock yet will try for themselves.
        release.set()
        errors = {id(future.result()) for future in [first, *waiting]}

    assert len(errors) == 8
    assert world.tried < 8


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


def test_no_repr_shows_a_secret() -> None:
    world = World()
    credentials = world.credentials()
    frozen = credentials.get_frozen_credentials()

    for shown in (repr(credentials), repr(frozen), str(frozen), repr(credentials.session)):
        assert "secret1" not in shown
        assert "token1" not in shown
    assert "ASIA1" in repr(frozen)
