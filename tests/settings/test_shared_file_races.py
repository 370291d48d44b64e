"""A user who swaps names while root writes this user's file gets no file and no secret of root's.

By hand, for longer and with counts: RACE_SECONDS=60 pytest -s -n0 tests/settings/THIS_FILE
"""

# The attackers' loops are to be fast.
# ruff: noqa: PTH104, PTH108, PTH208, PTH211

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from users import OTHER, USER, as_root, everything_in, owned, swapper

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.profile_writer import change_credentials

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "SECRET"}
RACE_SECONDS = float(os.environ.get("RACE_SECONDS", "0.7"))  # of each attack


def is_written(file: Path) -> bool:
    try:
        change_credentials(file, "work", KEYS, patience=1)
    except ConfigurationError:
        return False
    return True


def restore(folder: Path) -> None:
    """Put a file of the user's where a link has got: root refuses the link from then on."""
    file = folder / "credentials"
    if file.is_symlink():
        file.unlink()
        file.write_bytes(b"[mine]\n")


def temporary_for_a_link(folder: Path, victim: Path) -> Callable[[], int]:
    """Put a link to `victim` in place of each temporary file."""

    def swap() -> int:
        swapped = 0
        for name in os.listdir(folder):
            if name.endswith(".tmp"):
                os.unlink(folder / name)
                os.symlink(victim, folder / name)
                swapped += 1
        restore(folder)
        return swapped

    return swap


def temporary_for_a_second_name(folder: Path, victim: Path) -> Callable[[], int]:
    """Give each temporary file, and then the victim, another name in turn."""

    def swap() -> int:
        swapped = 0
        for name in os.listdir(folder):
            if name.endswith(".tmp"):
                os.rename(folder / name, folder / "away")
                os.link(victim, folder / name)
                swapped += 1
        restore(folder)
        return swapped

    return swap


def file_for_a_link(folder: Path, victim: Path) -> Callable[[], int]:
    def swap() -> int:
        for name in ("credentials", ".credentials.lock"):
            with suppress(OSError):
                os.unlink(folder / name)
            os.symlink(victim, folder / name)
            os.unlink(folder / name)
            (folder / name).write_bytes(b"[mine]\n" if name == "credentials" else b"")
        return 2

    return swap


def folder_for_a_link(folder: Path, victim: Path) -> Callable[[], int]:
    away = folder.with_name("away")

    def swap() -> int:
        with suppress(OSError):
            os.rename(folder, away)
        with suppress(OSError):
            os.symlink(victim.parent, folder)
        with suppress(OSError):
            os.unlink(folder)
        os.rename(away, folder)
        return 1

    return swap


@as_root
@pytest.mark.parametrize(
    "attack",
    [temporary_for_a_link, temporary_for_a_second_name, file_for_a_link, folder_for_a_link],
    ids=lambda attack: attack.__name__,
)
def test_a_user_who_swaps_names_gets_no_file_of_root(
    place: Path, attack: Callable[[Path, Path], Callable[[], int]]
) -> None:
    """Root writes the user's file; the user swaps names against it as fast as a loop can."""
    home = owned(place / "home", USER, 0o755)
    folder = owned(home / ".aws", USER, 0o755)
    file = owned(folder / "credentials", USER, 0o600, b"[default]\n")
    roots = owned(place / "roots", 0, 0o755)
    victim = owned(roots / "credentials", 0, 0o600, b"[root]\nkey = of root\n")
    before = everything_in(roots)
    written = refused = 0
    end = time.monotonic() + RACE_SECONDS
    with swapper(USER, attack(folder, victim)) as end_and_count:
        while time.monotonic() < end:
            done = is_written(file)
            written, refused = written + done, refused + (not done)
            assert everything_in(roots) == before
        swaps = end_and_count()

    print(f"{attack.__name__}: {written} written, {refused} refused, {swaps} swaps")  # noqa: T201  # by hand
    assert everything_in(roots) == before
    assert [path for path in roots.iterdir() if path != victim] == []
    assert written + refused > 10


@as_root
def test_a_loop_that_plants_files_in_a_shared_folder_gets_no_secret_of_root(place: Path) -> None:
    shared = owned(place / "shared", 0, 0o1777)
    file = shared / "credentials"

    def plant() -> int:
        file.write_bytes(b"[mine]\n")
        file.chmod(0o666)
        os.unlink(file)
        os.symlink("/dev/null", file)
        os.unlink(file)
        return 1

    written = refused = 0
    end = time.monotonic() + RACE_SECONDS
    with swapper(OTHER, plant) as end_and_count:
        while time.monotonic() < end:
            if not is_written(file):
                refused += 1
            else:
                written += 1
                # Root's own, in a sticky folder: nobody else can have replaced it since.
                assert (file.lstat().st_uid, stat.S_IMODE(file.lstat().st_mode)) == (0, 0o600)
                os.unlink(file)
        swaps = end_and_count()

    print(f"planted: {written} written, {refused} refused, {swaps} plants")  # noqa: T201  # by hand
    assert written + refused > 10
