"""A file that root or several users write: whose links, files and folders are taken.

The tests with other users run as root, since only root can be somebody else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from users import OTHER, USER, as_root, as_user, everything_in, link, owned

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.profile_writer import change_file

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "SECRET"}


def write(file: Path, *, config: bool = False) -> None:
    change_file(file, "work", KEYS, shell_words=config)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What goes on working.


def test_a_link_of_ones_own_is_followed_and_a_wide_mode_narrowed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "credentials"
    real.parent.mkdir()
    real.write_bytes(b"[a]\nb = c\n")
    real.chmod(0o644)
    file = tmp_path / "credentials"
    file.symlink_to("dotfiles/credentials")

    write(file)

    assert file.is_symlink()
    assert real.read_bytes().startswith(b"[a]\nb = c\n\n[work]\n")
    assert mode_of(real) == 0o600


def test_a_folder_may_be_a_link_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "dotfiles" / "aws").mkdir(parents=True)
    (tmp_path / ".aws").symlink_to(tmp_path / "dotfiles" / "aws")

    write(tmp_path / ".aws" / "credentials")

    assert b"SECRET" in (tmp_path / "dotfiles" / "aws" / "credentials").read_bytes()


def test_missing_folders_are_private_also_without_a_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write(tmp_path / "a" / "b" / "credentials")
    finally:
        os.umask(old)

    assert [mode_of(tmp_path / part) for part in ("a", "a/b")] == [0o700, 0o700]
    assert mode_of(tmp_path / "a" / "b" / "credentials") == 0o600
    assert mode_of(tmp_path / "a" / "b" / ".credentials.lock") == 0o600


def test_a_relative_path_is_one_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    write(Path("../there/./credentials"))

    assert (tmp_path / "there" / "credentials").exists()


@pytest.mark.parametrize(
    ("before", "credentials", "config"),
    [
        (0o600, 0o600, 0o600),
        (0o640, 0o600, 0o640),
        (0o666, 0o600, 0o644),
        (0o664, 0o600, 0o644),
        (0o400, 0o400, 0o400),
        (0o4755, 0o600, 0o755),
        (0o6777, 0o600, 0o755),
    ],
)
def test_a_mode_never_widens_and_lends_no_rights(
    tmp_path: Path, before: int, credentials: int, config: int
) -> None:
    for name, after in (("credentials", credentials), ("config", config)):
        file = tmp_path / name
        file.write_bytes(b"[default]\n")
        file.chmod(before)

        write(file, config=name == "config")

        assert oct(mode_of(file)) == oct(after)


@as_root
def test_root_leaves_a_users_file_the_users(place: Path) -> None:
    folder = owned(place / "home", USER, 0o755)
    file = owned(folder / "credentials", USER, 0o640, b"[default]\n")
    os.chown(file, USER, 23456)

    write(file)

    assert (file.stat().st_uid, file.stat().st_gid) == (USER, 23456)
    assert mode_of(file) == 0o600
    assert as_user(USER, lambda: write(file)) == ""  # who can also lock it after root


@as_root
def test_a_user_replaces_what_root_has_left_in_the_users_own_folder(place: Path) -> None:
    folder = owned(place / "home", USER, 0o755)
    file = owned(folder / "config", 0, 0o644, b"[default]\n")

    assert as_user(USER, lambda: write(file, config=True)) == ""

    assert file.stat().st_uid == USER
    assert b"SECRET" in file.read_bytes()


@as_root
def test_a_new_file_in_a_shared_folder_is_for_its_owner_alone(place: Path) -> None:
    shared = owned(place / "shared", 0, 0o1777)

    assert as_user(USER, lambda: write(shared / "credentials")) == ""
    write(shared / "of-root")

    assert mode_of(shared / "credentials") == 0o600
    assert (shared / "of-root").stat().st_uid == 0
    assert mode_of(shared / "of-root") == 0o600


# What is refused.

Trap = Callable[[Path], Path]


def _planted_file(place: Path) -> Path:
    return owned(owned(place / "s", 0, 0o1777) / "credentials", OTHER, 0o666, b"[a]\n")


def _planted_file_in_a_folder_without_sticky_bit(place: Path) -> Path:
    return owned(owned(place / "s", 0, 0o777) / "credentials", OTHER, 0o666, b"[a]\n")


def _planted_link(place: Path) -> Path:
    mine = owned(place / "mine", OTHER, 0o755)
    target = owned(mine / "file", OTHER, 0o666, b"[a]\n")
    return link(owned(place / "s", 0, 0o1777) / "credentials", target, OTHER)


def _planted_link_to_a_file_of_root(place: Path) -> Path:
    target = owned(place / "of-root", 0, 0o600, b"[a]\n")
    return link(owned(place / "s", 0, 0o1777) / "credentials", target, OTHER)


def _planted_dangling_link(place: Path) -> Path:
    return link(owned(place / "s", 0, 0o1777) / "credentials", place / "new", OTHER)


def _planted_link_to_a_folder(place: Path) -> Path:
    mine = owned(place / "mine", OTHER, 0o777)
    return link(owned(place / "s", 0, 0o1777) / "aws", mine, OTHER) / "credentials"


def _planted_folder(place: Path) -> Path:
    folder = owned(owned(place / "s", 0, 0o1777) / "aws", OTHER, 0o700)
    return owned(folder / "credentials", OTHER, 0o600, b"[a]\n")


def _folder_deep_in_a_planted_one(place: Path) -> Path:
    outer = owned(owned(place / "s", 0, 0o1777) / "app", OTHER, 0o700)
    return owned(owned(outer / "aws", OTHER, 0o700) / "credentials", OTHER, 0o600, b"[a]\n")


def _anothers_file_in_a_users_folder(place: Path) -> Path:
    return owned(owned(place / "home", USER, 0o777) / "credentials", OTHER, 0o600, b"[a]\n")


def _users_file_where_everybody_writes(place: Path) -> Path:
    return owned(owned(place / "home", OTHER, 0o1777) / "credentials", OTHER, 0o600, b"[a]\n")


def _link_of_roots_where_a_user_moves_it(place: Path) -> Path:
    (place / "real").mkdir()
    return link(owned(place / "home", OTHER, 0o755) / ".aws", place / "real", 0) / "credentials"


def _planted_lock(place: Path) -> Path:
    folder = owned(place / "s", 0, 0o1777)
    link(folder / ".credentials.lock", owned(place / "of-root", 0, 0o644, b"stays"), OTHER)
    return folder / "credentials"


def _planted_pipe(place: Path) -> Path:
    pipe = owned(place / "s", 0, 0o1777) / "credentials"
    os.mkfifo(pipe)
    os.chown(pipe, OTHER, OTHER)
    return pipe


ROOT_REFUSES: list[Trap] = [
    _planted_file,
    _planted_file_in_a_folder_without_sticky_bit,
    _planted_link,
    _planted_link_to_a_file_of_root,
    _planted_dangling_link,
    _planted_link_to_a_folder,
    _planted_folder,
    _folder_deep_in_a_planted_one,
    _anothers_file_in_a_users_folder,
    _users_file_where_everybody_writes,
    _link_of_roots_where_a_user_moves_it,
    _planted_lock,
    _planted_pipe,
]
A_USER_REFUSES: list[Trap] = [
    _planted_file_in_a_folder_without_sticky_bit,
    _planted_link,
    _planted_dangling_link,
    _planted_link_to_a_folder,
    _planted_lock,
    _planted_pipe,
]


@as_root
@pytest.mark.parametrize("config", [False, True])
@pytest.mark.parametrize("trap", ROOT_REFUSES, ids=lambda trap: trap.__name__)
def test_root_refuses_what_others_control(place: Path, trap: Trap, config: bool) -> None:
    file = trap(place)
    before = everything_in(place)

    with pytest.raises(ConfigurationError, match=r"belong|lies|link|folder, pipe") as caught:
        write(file, config=config)

    assert everything_in(place) == before
    assert str(place) in str(caught.value)
    assert "SECRET" not in str(caught.value)


@as_root
@pytest.mark.parametrize("config", [False, True])
@pytest.mark.parametrize("trap", A_USER_REFUSES, ids=lambda trap: trap.__name__)
def test_a_user_refuses_what_others_control(place: Path, trap: Trap, config: bool) -> None:
    file = trap(place)
    before = everything_in(place)

    told = as_user(USER, lambda: write(file, config=config))

    assert "belong" in told or "link" in told or "folder, pipe" in told
    assert everything_in(place) == before
