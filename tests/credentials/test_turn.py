"""One has its turn until it is over, with either kind of lock.

What waiting processes are promised is in test_cache.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from boto_rolesanywhere.credentials.turn import Turn, await_turn, take_filelock, take_flock

KEY = "ab" * 32
Take = Callable[[str], Callable[[], object] | None]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.mark.parametrize("take", [take_flock, take_filelock])
def test_one_has_the_lock_until_it_is_released(take: Take, file: str) -> None:
    release = take(file)

    assert release is not None
    assert take(file) is None
    release()
    again = take(file)
    assert again is not None
    again()
    assert Path(file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("first", "second"), [(take_flock, take_filelock), (take_filelock, take_flock)]
)
def test_both_kinds_are_one_lock(first: Take, second: Take, file: str) -> None:
    release = first(file)

    assert release is not None
    assert second(file) is None
    release()


@pytest.mark.parametrize("take", [take_flock, take_filelock])
def test_what_cannot_be_locked_is_an_error(take: Take, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        take(str(tmp_path))


def test_a_link_is_not_followed(tmp_path: Path, file: str) -> None:
    Path(file).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        take_flock(file)
    assert not (tmp_path / "elsewhere").exists()


def test_a_fork_made_meanwhile_does_not_keep_the_lock(file: str) -> None:
    release = take_flock(file)
    assert release is not None
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        release()
        assert take_flock(file) is not None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_turn_that_was_closed_is_the_next_ones(tmp_path: Path) -> None:
    folder = str(tmp_path)
    turn = await_turn(folder, KEY)
    assert isinstance(turn, Turn)
    assert turn.without_lock is None

    late = await_turn(folder, KEY, patience=0)
    assert isinstance(late, Turn)  # it does not wait, and so has its turn without the lock
    late.close()
    assert take_flock(f"{folder}/{KEY[:2]}.lock") is None
    turn.close()
    turn.close()
    assert take_flock(f"{folder}/{KEY[:2]}.lock") is not None
