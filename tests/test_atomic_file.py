"""Files that are there whole or not at all, and folders that are for their owner alone."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest
from users import USER, as_root, as_user

from boto_rolesanywhere.atomic_file import (
    OpenFolder,
    Ownership,
    make_private_folder,
    write_atomically,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def no_umask() -> None:
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.mark.usefixtures("no_umask")
def test_every_folder_that_is_made_is_private_also_without_a_umask(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b" / "c")

    assert [mode_of(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_a_folder_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_private_folder("a/b")
    make_private_folder(Path("c"))

    assert (tmp_path / "a" / "b").is_dir()
    assert (tmp_path / "c").is_dir()


def test_a_file_in_a_folders_place_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    with pytest.raises(OSError, match=r"exists|Not a directory"):
        make_private_folder(tmp_path / "a" / "b")


@pytest.mark.usefixtures("no_umask")
def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new", b"content")

    assert (tmp_path / "new").read_bytes() == b"content"
    assert mode_of(tmp_path / "new") == 0o600
    assert list(tmp_path.glob(".*")) == []


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"stays")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    write_atomically(tmp_path / "link", b"new")

    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"stays"


def test_a_link_to_a_folder_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        write_atomically(tmp_path / "link" / "file", b"new")

    assert list((tmp_path / "real").iterdir()) == []


def test_bits_that_lend_a_users_rights_are_never_given(tmp_path: Path) -> None:
    with closing(OpenFolder.at(tmp_path)) as folder:
        folder.write("file", b"", Ownership(mode=0o7755))

    assert mode_of(tmp_path / "file") == 0o755


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "folder" / "file").mkdir(parents=True)

    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "folder" / "file", b"new")

    assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder" / "file"]


def test_a_folder_that_is_moved_while_it_is_open_is_still_the_one_written_to(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "other").mkdir()
    with closing(OpenFolder.at(tmp_path / "mine")) as folder:
        (tmp_path / "mine").rename(tmp_path / "moved")
        (tmp_path / "mine").symlink_to(tmp_path / "other")

        folder.write("file", b"new")

    assert (tmp_path / "moved" / "file").read_bytes() == b"new"
    assert list((tmp_path / "other").iterdir()) == []


@as_root
def test_rights_for_a_group_that_cannot_be_given_go_to_no_group(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with closing(OpenFolder.at(tmp_path)) as folder:
        told = as_user(USER, lambda: folder.write("file", b"", Ownership(mode=0o640, group=0)))

    assert told == ""
    assert mode_of(tmp_path / "file") == 0o600
