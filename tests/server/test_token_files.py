"""Token files: made once, private, whole, and refused when somebody else could have a hand in."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.server.token_files import NoPlaceError, default_folder, token_file


def test_a_missing_one_is_made_private_and_without_a_line_end(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path, token = token_file(tmp_path / "a" / "tokens", "reader")
    finally:
        os.umask(old)

    assert path == tmp_path / "a" / "tokens" / "reader.token"
    assert path.read_text() == token
    assert len(token) >= 43
    assert "\n" not in token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["reader.token"]


def test_one_that_is_there_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    _, first = token_file(folder, "reader")
    _, again = token_file(folder, "reader")
    _, other = token_file(folder, "writer")

    assert first == again != other


def test_servers_that_start_together_agree_on_one(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    start, found = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        found.append(token_file(folder, "reader")[1])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [file.name for file in folder.iterdir()] == ["reader.token"]


def prepared(tmp_path: Path, content: bytes = b"s" * 32, mode: int = 0o600) -> Path:
    folder = tmp_path / "tokens"
    folder.mkdir(mode=0o700)
    file = folder / "reader.token"
    file.write_bytes(content)
    file.chmod(mode)
    return folder


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_one_of_the_admins_is_taken_if_the_world_has_no_part_in_it(
    tmp_path: Path, mode: int
) -> None:
    assert token_file(prepared(tmp_path, mode=mode), "reader")[1] == "s" * 32


def test_a_link_to_a_private_file_is_followed_as_mounted_secrets_are_such(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    (folder / "reader.token").rename(folder / "data")
    (folder / "reader.token").symlink_to("data")

    assert token_file(folder, "reader")[1] == "s" * 32


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o660, 0o666])
def test_one_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match=f"its mode is {mode:04o}"):
        token_file(prepared(tmp_path, mode=mode), "reader")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 characters"),
        (b"short", "5 characters"),
        (b"x" * 5000, "4097 characters"),
        (b"s" * 32 + b"\n", "line end"),
        (b"s" * 16 + b" " + b"s" * 16, "blank"),
        (b"\xff" * 32, "special character"),
        (b"s" * 32 + b"\r\nX-Injected: 1", "line end"),
    ],
)
def test_what_is_no_token_is_refused_and_not_shown(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        token_file(prepared(tmp_path, content), "reader")

    assert caught.value.where == str(tmp_path / "tokens" / "reader.token")
    assert "ssss" not in str(caught.value)
    assert "delete it" in str(caught.value)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720, 0o702])
def test_a_folder_in_which_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = prepared(tmp_path)
    folder.chmod(mode)

    with pytest.raises(ConfigurationError, match="others can write in it"):
        token_file(folder, "reader")


def linked(tmp_path: Path, owner: int) -> Path:
    prepared(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "tokens")
    if os.getuid() == 0:
        os.lchown(link, owner, 0)
    return link


def test_a_folder_that_is_a_users_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="link of another user than root"):
        token_file(linked(tmp_path, 12345), "reader")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make root's links")
def test_a_link_of_roots_is_followed_to_a_private_folder(tmp_path: Path) -> None:
    link = linked(tmp_path, 0)
    assert token_file(link, "reader")[1] == "s" * 32

    (tmp_path / "tokens").chmod(0o777)
    with pytest.raises(ConfigurationError, match="others can write in it"):
        token_file(link, "reader")


def test_a_place_that_cannot_be_one_is_told_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"--token-folder"):
        token_file(tmp_path / "file" / "tokens", "reader")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    os.chown(folder / "reader.token", 12345, 0)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        token_file(folder, "reader")

    os.chown(folder, 12345, 0)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        token_file(folder, "writer")


def test_the_folder_is_where_the_system_wants_such_files(tmp_path: Path) -> None:
    systemd = {"RUNTIME_DIRECTORY": "/run/one:/run/two", "XDG_RUNTIME_DIR": "/run/user/1000"}

    assert default_folder(systemd) == Path("/run/one")
    del systemd["RUNTIME_DIRECTORY"]
    assert default_folder(systemd) == Path("/run/user/1000/boto-rolesanywhere")
    assert default_folder({}).name == f"boto-rolesanywhere-{os.getuid()}"


def test_a_machine_without_a_temporary_folder_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])

    with pytest.raises(NoPlaceError, match="--token-folder"):
        default_folder({})


def test_a_place_that_cannot_be_written_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NoPlaceError, match="cannot be kept there"):
        token_file(tmp_path / "file" / "tokens", "reader")
