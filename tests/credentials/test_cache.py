"""The cache's promises to the processes of one user: one renewal, nobody held up, nothing lost."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cache_world import HOUR, KEY, NOW, World, session

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.credentials import cache
from boto_rolesanywhere.credentials.cache import SessionCache
from boto_rolesanywhere.credentials.cached_session import to_entry
from boto_rolesanywhere.credentials.moment import Moment
from boto_rolesanywhere.credentials.policy import renewal_pause
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import EndpointError, RolesAnywhereError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.WARNING)
    return lambda: caplog.text


def test_the_second_process_gets_what_the_first_was_given(world: World) -> None:
    assert [world.get(), world.get()] == ["ASIA1", "ASIA1"]
    assert world.calls == 1


def test_what_another_certificate_signed_is_not_stored(world: World) -> None:
    world.signed_key = "cd" * 32

    assert [world.get(), world.get()] == ["ASIA1", "ASIA2"]
    assert world.stored() is None
    assert list(world.folder.glob("*.session")) == []


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_user_may_read_what_is_kept(world: World) -> None:
    os.umask(os.umask(0))
    world.get()

    assert world.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in world.folder.iterdir()}
    assert modes == {".session": 0o600, ".lock": 0o600}


def test_it_is_renewed_a_minute_before_botocore_would_ask_again(world: World) -> None:
    world.get()
    world.now = NOW + HOUR - 960.1
    assert world.get() == "ASIA1"
    world.now = NOW + HOUR - 960
    assert world.get() == "ASIA2"


def test_a_short_session_is_not_renewed_at_every_use(world: World) -> None:
    world.lifetime = 900
    for age in range(0, 540, 20):
        world.now = NOW + age
        assert world.get() == "ASIA1"


def test_machines_that_start_together_do_not_renew_together(world: World) -> None:
    drawn = iter([0.0, 0.5])
    ages = []
    for _ in range(2):
        cache = SessionCache(str(world.folder), clock=world.moment, jitter=lambda: next(drawn))
        entry = cache.get(KEY, world.create, force=True)
        ages.append(entry.advisory - entry.received)
    assert ages == [1800, 2220]


def test_while_one_process_renews_the_others_go_on(world: World) -> None:
    world.get()
    world.now = NOW + HOUR - 600
    with world.hold_lock():
        assert world.get() == "ASIA1"
    assert (world.calls, world.slept) == (1, [])


def test_shortly_before_the_end_everyone_waits_for_the_renewal(world: World) -> None:
    world.get()
    world.now = NOW + HOUR - 299
    lock = world.hold_lock()

    def renewed_elsewhere() -> None:
        if len(world.slept) == 3:
            entry = to_entry(KEY, session(99), world.moment(), 1)
            (world.folder / f"{KEY}.session").write_bytes(entry.to_bytes())

    world.while_waiting = renewed_elsewhere
    with lock:
        assert world.get() == "ASIA99"
    assert (world.calls, len(world.slept)) == (1, 3)


def test_an_ended_session_is_never_given(world: World) -> None:
    world.get()
    world.now = NOW + HOUR
    assert world.get() == "ASIA2"


def test_after_the_clock_was_set_back_an_old_session_is_not_trusted(world: World) -> None:
    world.get()
    world.now = NOW - 1
    assert world.get() == "ASIA2"


def test_a_failed_renewal_leaves_a_good_session_in_use_and_says_so(
    world: World, warnings: Callable[[], str]
) -> None:
    world.get()
    world.now, world.failing = NOW + HOUR - 600, True

    assert world.get() == "ASIA1"
    pause = renewal_pause(600, 1.0, refused=False)
    words = f"ends in 10 minutes. Next try in {in_words(pause)}. the network is down"
    assert words in warnings()


def test_after_a_failure_there_is_a_pause_for_all_processes(world: World) -> None:
    world.get()
    world.now, world.failing = NOW + HOUR - 600, True
    world.get()
    world.now += renewal_pause(600, 1.0, refused=False) - 1
    world.get()
    assert world.calls == 2
    world.now += 1
    world.get()
    assert world.calls == 3
    # A share of what is left: near the end more often.
    world.now = NOW + HOUR - 100
    world.get()
    world.now += renewal_pause(100, 1.0, refused=False) - 0.1
    world.get()
    assert world.calls == 4
    world.now += 0.2
    world.failing = False
    assert world.get() == "ASIA5"


def test_without_a_good_session_the_error_comes_through(world: World) -> None:
    world.failing = True
    with pytest.raises(EndpointError, match="the network is down"):
        world.get()
    world.failing = False
    world.now += 1
    world.get()
    world.now, world.failing = NOW + 1 + HOUR, True
    with pytest.raises(EndpointError):
        world.get()


def test_forced_it_renews_in_any_case_and_fails_if_that_fails(world: World) -> None:
    assert [world.get(), world.get(force=True), world.get()] == ["ASIA1", "ASIA2", "ASIA2"]
    world.failing = True
    with pytest.raises(EndpointError):
        world.get(force=True)
    assert world.get() == "ASIA2"


@pytest.mark.parametrize("content", [b"", b"garbage", b"boto_rolesanywhere session 2 00\nx\n"])
def test_a_corrupt_entry_is_replaced(world: World, content: bytes) -> None:
    world.get()
    (world.folder / f"{KEY}.session").write_bytes(content)

    assert [world.get(), world.get()] == ["ASIA2", "ASIA2"]


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_link_in_its_place_is_replaced_and_what_it_shows_stays(
    world: World, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    world.folder.mkdir(mode=0o700)
    (world.folder / f"{KEY}.session").symlink_to(victim)

    assert [world.get(), world.get()] == ["ASIA1", "ASIA1"]
    assert victim.read_text() == "mine"


def test_what_ended_and_what_was_left_half_written_is_cleared_away(world: World) -> None:
    world.get()
    old, other = "cd" * 32, "ef" * 32
    for name, end in ((old, -1.0), (other, 1.0)):
        entry = to_entry(name, session(), Moment(world.now + end - HOUR), 1)
        path = world.folder / f"{name}.session"
        path.write_bytes(entry.to_bytes())
        path.chmod(0o600)
    for name, age in ((".x.session.a.tmp", 601), (".x.session.b.tmp", 599)):
        (world.folder / name).write_bytes(b"half")
        os.utime(world.folder / name, (NOW - age, NOW - age))
    (world.folder / "notes.txt").write_text("not ours")

    world.get(force=True)

    left = {path.name for path in world.folder.iterdir() if path.suffix != ".lock"}
    assert left == {
        f"{KEY}.session",
        f"{other}.session",
        ".x.session.b.tmp",
        "notes.txt",
    }


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("how", ["open to others", "a link", "a file", "below a file"])
def test_without_a_fit_folder_there_are_credentials_and_a_warning(
    world: World, warnings: Callable[[], str], how: str, tmp_path: Path
) -> None:
    if how == "open to others":
        world.folder.mkdir()
        world.folder.chmod(0o755)
    elif how == "a link":
        (tmp_path / "real").mkdir(mode=0o700)
        world.folder.symlink_to(tmp_path / "real")
    else:
        world.folder.write_text("")
        world.folder = world.folder / "sub" if how == "below a file" else world.folder

    assert [world.get(), world.get()] == ["ASIA1", "ASIA2"]
    assert f"No session is cached in {world.folder}: " in warnings()
    assert "AWS_ROLESANYWHERE_CACHE_DIR" in warnings()
    assert not list(tmp_path.rglob("*.session"))


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        (f"{KEY}.session", "The session was not cached in {}: Is a directory"),
        (f"{KEY[:2]}.lock", "Sessions in {} are renewed without a lock: "),
    ],
)
def test_what_stands_in_the_way_costs_no_credentials(
    world: World, warnings: Callable[[], str], taken: str, words: str
) -> None:
    world.folder.mkdir(mode=0o700)
    (world.folder / taken).mkdir()

    assert world.get() == "ASIA1"
    assert words.format(world.folder) in warnings()


def test_many_threads_that_start_together_ask_once(world: World) -> None:
    together = threading.Barrier(16)
    waiting = SessionCache(str(world.folder), clock=world.moment)

    def get(_: int) -> str:
        together.wait()
        return waiting.get(KEY, world.create).answer

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(get, range(16)))) == 1
    assert world.calls == 1


@pytest.mark.parametrize("moment", range(1, 5))
def test_what_another_process_renews_in_the_meantime_is_not_renewed_again(
    world: World, moment: int
) -> None:
    world.get()
    world.now = NOW + HOUR - 600
    looks = 0

    def clock() -> Moment:
        # It is asked at each look, so the other's renewal falls between two of them.
        nonlocal looks
        looks += 1
        if looks == moment:
            entry = to_entry(KEY, session(99), world.moment(), 1)
            (world.folder / f"{KEY}.session").write_bytes(entry.to_bytes())
        return world.moment()

    entry = SessionCache(str(world.folder), clock=clock).get(KEY, world.create)

    assert '"ASIA99"' in entry.answer
    assert world.calls == 1


def test_other_errors_than_ours_are_not_taken_for_a_failed_renewal(world: World) -> None:
    world.get()
    world.now = NOW + HOUR - 600

    def broken() -> RolesAnywhereSession:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.cache().get(KEY, broken)
    assert world.get() == "ASIA2"


def test_where_filelock_is_needed_it_says_what_to_install(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "filelock", None)
    assert world.get() == "ASIA1"
    monkeypatch.setattr(cache, "NEEDS_FILELOCK", True)  # as on Windows

    with pytest.raises(RolesAnywhereError, match=re.escape("boto_rolesanywhere[cache]")):
        world.cache()


KILLING = """
import os, random, select, signal, sys, time
from boto_rolesanywhere.credentials import cache
from boto_rolesanywhere.credentials.cache import Created, SessionCache
from boto_rolesanywhere.credentials.cache_entry import Entry, read_entry

folder, key, times = sys.argv[1], "ab" * 32, (0.0, 4e4, 4e4, 4e4)
cache = SessionCache(folder)
cache._prepare_folder()
chance = random.Random(7)

def write(number):
    # Of many sizes, so that a write in place would leave the end of a longer one.
    answer = str(number) * (1 + number * 7919 % 30000)
    cache._store(Entry(key, times, answer=answer, details=""))

started = time.perf_counter()
for _ in range(5):
    write(0)
# Up to some writes long, whatever the machine: so that some die in the first and some later.
longest = (time.perf_counter() - started) / 5 * 9
written = last = 0
for _ in range(200):
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b"x")
        for number in range(last + 1, 10**6):
            write(number)
    os.read(told, 1)
    time.sleep(chance.random() * longest)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(told), os.close(tell)
    entry = read_entry(folder, key)
    assert entry is not None, "torn or lost"
    number = next(n for n in range(last, last + 10**5) if entry.answer.startswith(str(n))
                  and entry.answer == str(n) * (1 + n * 7919 % 30000))
    written, last = written + (number > last), number
left = [name for name in os.listdir(folder) if name.endswith(".tmp")]
print(written, len(left))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_200_times_in_mid_write_it_is_never_torn_or_lost(tmp_path: Path) -> None:
    # In memory, where there is any: on a disk nearly all the time goes into flushing it, and
    # hardly a kill would fall between opening and writing.
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        command = [sys.executable, "-c", KILLING, f"{folder}/cache"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    rewritten, left = map(int, done.stdout.split())
    # So the writers were at work when they died, and some of them in the middle of a file.
    assert rewritten > 20
    assert left > 5  # fewer on a busy machine, where a kill comes late
