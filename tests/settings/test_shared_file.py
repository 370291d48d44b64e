"""A file that root or several users write: whose links, files and folders are taken.

The tests with other users run as root, since only root can be somebody else.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from users import OTHER, USER, as_root, as_user, everything_in, link, owned

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.profile_writer import change_credentials, change_profile

KEYS = {
    "aws_access_key_id": "ASIANEW",
    "aws_secret_access_key": "SECRET",
    "aws_session_token": "TOKEN",
}


def write(file: Path, *, config: bool = False) -> None:
    if config:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_CONFIG_FILE", str(file))
            change_profile("work", KEYS)
    else:
        change_credentials(file, "work", KEYS)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What goes on working.


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "credentials"
    real.parent.mkdir()
    real.write_bytes(b"[a]\nb = c\n")
    file = tmp_path / "credentials"
    file.symlink_to("dotfiles/credentials")

    write(file)

    assert file.is_symlink()
    assert real.read_bytes().startswith(b"[a]\nb = c\n\n[work]\n")


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
        (0o640, 0o640, 0o640),
        (0o666, 0o666, 0o644),
        (0o664, 0o664, 0o644),
        (0o400, 0o400, 0o400),
        (0o4755, 0o755, 0o755),
        (0o6777, 0o777, 0o755),
    ],
)
def test_a_mode_is_kept_and_lends_no_rights(
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
    assert mode_of(file) == 0o640
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


# What is written in place.


def test_all_names_of_a_file_have_the_new_content(tmp_path: Path) -> None:
    file, other = tmp_path / "credentials", tmp_path / "other-name"
    file.write_bytes(b"# long\n" * 1000 + b"[work]\naws_session_token = old\n")
    other.hardlink_to(file)

    write(file)

    assert other.read_bytes() == file.read_bytes()
    assert b"TOKEN" in other.read_bytes()


def test_a_file_that_is_held_open_is_written_in_place_if_asked(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_bytes(b"[work]\naws_session_token = " + b"x" * 5000 + b"\n")
    with file.open("rb") as held:
        change_credentials(file, "work", KEYS, in_place=True)

        assert held.read() == file.read_bytes()
    assert b"xx" not in file.read_bytes()


def test_a_file_is_written_in_place_only_if_it_is_there(tmp_path: Path) -> None:
    change_credentials(tmp_path / "credentials", "work", KEYS, in_place=True)

    assert b"TOKEN" in (tmp_path / "credentials").read_bytes()
    assert mode_of(tmp_path / "credentials") == 0o600


@as_root
@pytest.mark.parametrize("folder_mode", [0o755, 0o711])
def test_a_file_in_a_folder_that_cannot_be_written_is_written_itself(
    place: Path, folder_mode: int
) -> None:
    folder = owned(place / "etc", 0, folder_mode)
    file = owned(folder / "credentials", USER, 0o640, b"[a]\n")

    assert as_user(USER, lambda: write(file)) == ""

    assert b"TOKEN" in file.read_bytes()
    assert mode_of(file) == 0o640
    assert list(folder.iterdir()) == [file]


@as_root
def test_a_file_of_root_that_a_user_may_write_stays_roots(place: Path) -> None:
    folder = owned(place / "home", USER, 0o755)
    file = owned(folder / "credentials", 0, 0o660, b"[a]\n")
    os.chown(file, 0, USER)

    assert as_user(USER, lambda: write(file)) == ""

    assert (file.stat().st_uid, file.stat().st_gid, mode_of(file)) == (0, USER, 0o660)
    assert b"TOKEN" in file.read_bytes()


@as_root
def test_root_writes_a_users_file_in_a_folder_of_roots_own(place: Path) -> None:
    file = owned(owned(place / "etc", 0, 0o755) / "credentials", USER, 0o600, b"[a]\n")

    write(file)

    assert (file.stat().st_uid, mode_of(file)) == (USER, 0o600)
    assert b"TOKEN" in file.read_bytes()


@as_root
def test_a_file_that_is_a_mount_point_is_written_itself(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "credentials"
    outside.write_bytes(b"[a]\n")
    inside.touch()
    script = (
        "import sys; from pathlib import Path\n"
        "from boto_rolesanywhere.settings.profile_writer import change_credentials\n"
        f"change_credentials(Path(sys.argv[1]), 'work', {KEYS!r})"
    )
    shell = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$2"'
    words = (outside, inside, sys.executable, script)
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mounts can be made here")

    subprocess.run(["unshare", "--mount", "sh", "-c", shell, "sh", *words], check=True)

    assert b"TOKEN" in outside.read_bytes()
    assert inside.read_bytes() == b""
    assert list(tmp_path.glob(".*.tmp")) == []


def test_a_file_keeps_what_it_holds_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_bytes(b"[kept]\na = b\n")
    os_write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if b"TOKEN" in bytes(content):
            os_write(descriptor, bytes(content)[:20])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os_write(descriptor, content)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        change_credentials(file, "work", KEYS, in_place=True)

    assert file.read_bytes() == b"[kept]\na = b\n"


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


def _second_name_of_a_file_of_root(place: Path) -> Path:
    owned(place / "of-root", 0, 0o600, b"[a]\n")
    file = owned(place / "home", OTHER, 0o755) / "credentials"
    file.hardlink_to(place / "of-root")
    return file


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
    _second_name_of_a_file_of_root,
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
