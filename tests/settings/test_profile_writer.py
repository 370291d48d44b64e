"""One section of an AWS file is changed, and nothing beside it."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import time
from configparser import Error, RawConfigParser
from pathlib import Path

import pytest
from botocore.configloader import build_profile_map
from hypothesis import assume, given
from hypothesis import strategies as st

from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.settings.profile_writer import (
    aws_file,
    change_file,
    quoted_name,
    with_section,
)

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "s/+=", "aws_session_token": "t"}
WRITTEN = b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/+=\naws_session_token = t\n"
ID, SECRET, TOKEN = WRITTEN.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"[work]\n" + WRITTEN),
        (b"[other]\na = b", b"[other]\na = b\n\n[work]\n" + WRITTEN),
        (
            b"# mine\n[work]\naws_access_key_id=OLD\nregion = x ; kept\n\n# end\n[z]\nk = v\n",
            b"# mine\n[work]\naws_access_key_id = ASIANEW\nregion = x ; kept\n"
            + SECRET
            + TOKEN
            + b"\n# end\n[z]\nk = v\n",
        ),
        (b"[work]", b"[work]\n" + WRITTEN),
        (b"[work]\n" + WRITTEN, b"[work]\n" + WRITTEN),
        (
            b"[work]\r\naws_session_token = a\r\n  b\r\n\r\n  c\r\nx = y\r\n",
            b"[work]\r\naws_session_token = t\r\nx = y\r\n" + (ID + SECRET).replace(b"\n", b"\r\n"),
        ),
        (
            b"[work]\nAWS_Session_Token: old\n[last]\nkey = last line",
            b"[work]\naws_session_token = t\n" + ID + SECRET + b"[last]\nkey = last line",
        ),
        (b"[workshop]\na = b\n", b"[workshop]\na = b\n\n[work]\n" + WRITTEN),
        (b"[x]\nname = \xe9\xff\n", b"[x]\nname = \xe9\xff\n\n[work]\n" + WRITTEN),
    ],
)
def test_the_section_is_set_and_every_other_byte_kept(before: bytes, after: bytes) -> None:
    assert with_section(before, "work", KEYS, shell_words=True) == after


@pytest.mark.parametrize("title", ['profile "a b"', "profile 'a b'", 'profile  "a b"'])
def test_a_quoted_name_is_the_same_however_it_is_quoted(title: str) -> None:
    before = f"[{title}]\nregion = x\n".encode()

    assert with_section(before, "profile 'a b'", {"region": "y"}, shell_words=True).count(b"[") == 1


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("work]", {"a": "b"}),
        ("work", {"a": "b\n[other]"}),
        ("work", {"a": ""}),
        ("wo\nrk", {"a": "b"}),
        ("", {"a": "b"}),
    ],
)
def test_what_would_break_the_file_is_refused(title: str, values: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        with_section(b"", title, values, shell_words=True)


def parsed(content: bytes) -> dict[str, dict[str, str]]:
    parser = RawConfigParser(strict=False)
    parser.read_string(content.decode("latin-1"))
    return {title: dict(parser.items(title)) for title in parser.sections()}


LINE = st.sampled_from(
    [
        *("[work]", "[other]", "[profile x]", "# comment", "; comment", "", "   ", "a = b"),
        *("aws_session_token = old", "  continued = 1", "\tmore", "s3 =", "  nested = 2", "k: v"),
    ]
)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_file_is_read_the_same_but_for_the_section(
    lines: list[str], end: str, ended: bool
) -> None:
    first = ["[first]"]  # configparser takes no line before a header
    before = (end.join(first + lines) + (end if ended else "")).encode()

    try:
        expected = parsed(before)
    except Error:
        assume(False)

    after = with_section(before, "work", KEYS, shell_words=True)

    expected["work"] = expected.get("work", {}) | KEYS
    assert parsed(after) == expected
    assert with_section(after, "work", KEYS, shell_words=True) == after


@given(st.binary(max_size=60), st.text(max_size=8), st.dictionaries(st.text(), st.text()))
def test_any_bytes_give_bytes_or_our_error(
    content: bytes, title: str, values: dict[str, str]
) -> None:
    try:
        after = with_section(content, title, values, shell_words=True)
    except RolesAnywhereError:
        return
    assert title.encode() in after
    assert not set(content.splitlines()) - set(after.splitlines()) or title.encode() in content


def test_a_new_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".aws" / "credentials"

    change_file(file, "work", KEYS, shell_words=False)

    assert file.read_bytes() == b"[work]\n" + WRITTEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_link_is_followed_and_a_wide_mode_narrowed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_bytes(b"[a]\nb = c\n")
    real.chmod(0o644)
    link = tmp_path / "credentials"
    link.symlink_to(real)

    change_file(link, "work", KEYS, shell_words=False)

    assert link.is_symlink()
    assert real.read_bytes().startswith(b"[a]\nb = c\n\n[work]\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")

    with pytest.raises(ConfigurationError, match=rf"{file}.*cannot be written|Not a directory"):
        change_file(file / "credentials", "work", KEYS, shell_words=False)


def test_a_writer_killed_at_any_time_leaves_the_file_whole(tmp_path: Path) -> None:
    """The children write without end; SIGKILL comes after more and more of their work."""
    file = tmp_path / "credentials"
    kept = b"[kept]\naws_access_key_id = AKIAKEPT\n# to the last byte"
    file.write_bytes(kept)
    seen = set()
    start = time.perf_counter()
    change_file(file, "work", {"aws_session_token": "0-" * 500}, shell_words=False)
    once = time.perf_counter() - start
    for number in range(200):
        done, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                for count in itertools.count():
                    token = f"{number}.{count}-" * 500
                    change_file(file, "work", {"aws_session_token": token}, shell_words=False)
                    os.write(tell, b".")
            finally:
                os._exit(1)
        os.close(tell)
        if number % 4:
            os.read(done, 1)  # at least one write is whole, then it ends somewhere in the next
        end = time.perf_counter() + once * (number % 10) / 10
        while time.perf_counter() < end:
            pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(done)
        content = file.read_bytes()
        assert content.startswith(kept)
        token = parsed(content).get("work", {}).get("aws_session_token", "")
        assert token == (token[: len(token) // 500]) * 500
        seen.add(token)
    assert len(seen) > 100

    change_file(file, "work", KEYS, shell_words=False)

    assert list(tmp_path.glob(".*.tmp")) == []


def test_an_option_below_a_short_header_is_found_however_far_it_is_indented() -> None:
    before = b"[p]\n      region = old\n[other]\nregion = x\n"

    after = with_section(before, "p", {"region": "new"}, shell_words=False)

    assert parsed(after) == {"p": {"region": "new"}, "other": {"region": "x"}}


def test_titles_of_the_credentials_file_are_taken_as_they_are() -> None:
    before = b"[dom\\user]\nregion = mine\n[ default ]\nregion = odd\n"

    for name in ("domuser", "a b", "default"):
        before = with_section(before, name, {"region": name}, shell_words=False)

    assert parsed(before) == {
        "dom\\user": {"region": "mine"},
        " default ": {"region": "odd"},
        **{name: {"region": name} for name in ("domuser", "a b", "default")},
    }


@pytest.mark.parametrize("name", ["dom\\user", "o'b", 'o"b', "a b", "plain", "pr#od"])
def test_botocore_finds_each_name_in_the_config_file(name: str) -> None:
    title = f"profile {quoted_name(name)}"
    content = with_section(b"", title, {"region": "eu-west-1"}, shell_words=True)

    profiles = build_profile_map(parsed(content))["profiles"]

    assert profiles == {name: {"region": "eu-west-1"}}


def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    pipe = folder / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(ConfigurationError, match="it is a folder, pipe, device or ring of links"):
        change_file(pipe, "work", KEYS, shell_words=False)

    assert pipe.is_fifo()
    assert list(folder.iterdir()) == [pipe]


def test_the_section_that_is_part_of_all_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'DEFAULT' cannot be the title"):
        change_file(tmp_path / "credentials", "DEFAULT", KEYS, shell_words=False)


def test_the_file_of_another_writer_is_not_cleared_away(tmp_path: Path) -> None:
    others, ours = tmp_path / ".a.b.XXXX.tmp", tmp_path / ".a.XXXX.tmp"
    others.touch()
    ours.touch()

    change_file(tmp_path / "a", "work", KEYS, shell_words=False)

    assert others.exists()
    assert not ours.exists()


def test_a_home_that_nobody_has_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "~nobody-of-this-name/config")

    assert str(aws_file("AWS_CONFIG_FILE", "~/.aws/config")) == "~nobody-of-this-name/config"


def test_links_in_a_ring_are_an_error_of_ours(tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    ring.symlink_to(ring)

    with pytest.raises(ConfigurationError, match="ring of links"):
        change_file(ring, "work", KEYS, shell_words=False)


def test_the_config_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(b"[default]\n")
    file.chmod(0o644)

    change_file(file, "profile work", {"region": "eu-west-1"}, shell_words=True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_root_leaves_a_users_file_the_users(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_bytes(b"[default]\n")
    os.chown(file, 12345, 23456)

    change_file(file, "work", KEYS, shell_words=False)

    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
