"""A profile is written into a file that others use at the same time."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import sys
import time
from configparser import RawConfigParser
from io import BufferedWriter
from pathlib import Path
from types import FrameType

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.profile_writer import aws_file, change_credentials, change_profile

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "s/+=", "aws_session_token": "t"}
# Modules, and the type of a file, whose functions reach the system.
SYSTEM = {"posix", "fcntl", BufferedWriter}
WRITTEN = b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/+=\naws_session_token = t\n"


def parsed(content: bytes) -> dict[str, dict[str, str]]:
    parser = RawConfigParser()
    parser.read_string(content.decode())
    return {title: dict(parser.items(title)) for title in parser.sections()}


def test_a_new_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".aws" / "credentials"

    change_credentials(file, "work", KEYS)

    assert file.read_bytes() == b"[work]\n" + WRITTEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_that_would_be_read_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    broken = b"[work]\na = 1\n[work]\n"
    file.write_bytes(broken)

    with pytest.raises(ConfigurationError, match=f"{file}: AWS's tools cannot read this file"):
        change_credentials(file, "work", KEYS)

    assert file.read_bytes() == broken


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")

    with pytest.raises(ConfigurationError, match=rf"{file}.*cannot be written|Not a directory"):
        change_credentials(file / "credentials", "work", KEYS)


def killed_before_call(number: int, file: Path, token: str) -> bool:
    """Write in a child that is killed before its `number`-th call that the system answers.

    Gives whether it came so far.
    """

    def count(_frame: FrameType, event: str, called: object) -> None:
        nonlocal number
        owner = getattr(called, "__module__", None) or type(getattr(called, "__self__", None))
        if event == "c_call" and owner in SYSTEM:
            number -= 1
            if number < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            sys.setprofile(count)
            change_credentials(file, "work", {"aws_session_token": token})
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}
    return status == signal.SIGKILL


def test_a_writer_killed_at_any_call_leaves_the_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    kept = b"[kept]\naws_access_key_id = AKIAKEPT\n# to the last byte"
    old = "old" * 500
    file.write_bytes(kept + f"\n\n[work]\naws_session_token = {old}\n".encode())
    seen = [old]
    for number in itertools.count():
        new = f"{number}" * (400 - number)  # a shorter one in place of a longer one
        killed = killed_before_call(number, file, new)
        assert file.read_bytes().startswith(kept)
        seen.append(parsed(file.read_bytes())["work"]["aws_session_token"])
        assert seen[-1] in {seen[-2], new}
        if not killed:
            break
    assert len(set(seen)) > 2  # some were killed after the new file was in place
    assert number > 20

    change_credentials(file, "work", KEYS)

    assert list(tmp_path.glob(".*.tmp")) == []


def test_a_writer_killed_at_any_time_leaves_the_file_whole(tmp_path: Path) -> None:
    """The children write without end; SIGKILL comes after more and more of their work."""
    file = tmp_path / "credentials"
    kept = b"[kept]\naws_access_key_id = AKIAKEPT\n# to the last byte"
    file.write_bytes(kept)
    seen = set()
    start = time.perf_counter()
    change_credentials(file, "work", {"aws_session_token": "0-" * 500})
    once = time.perf_counter() - start
    for number in range(20):
        done, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                for count in itertools.count():
                    token = f"{number}.{count}-" * 500
                    change_credentials(file, "work", {"aws_session_token": token})
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
    assert len(seen) > 10

    change_credentials(file, "work", KEYS)

    assert list(tmp_path.glob(".*.tmp")) == []


def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    pipe = folder / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(ConfigurationError, match="it is a folder, pipe, device or ring of links"):
        change_credentials(pipe, "work", KEYS)

    assert pipe.is_fifo()
    assert list(folder.iterdir()) == [pipe]


def test_the_section_that_is_part_of_all_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'DEFAULT' cannot be the title"):
        change_credentials(tmp_path / "credentials", "DEFAULT", KEYS)


def test_the_file_of_another_writer_is_not_cleared_away(tmp_path: Path) -> None:
    others, ours = tmp_path / ".a.b.XXXX.tmp", tmp_path / ".a.XXXX.tmp"
    others.touch()
    ours.touch()

    change_credentials(tmp_path / "a", "work", KEYS)

    assert others.exists()
    assert not ours.exists()


def test_a_home_that_nobody_has_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "~nobody-of-this-name/config")

    assert str(aws_file("AWS_CONFIG_FILE", "~/.aws/config")) == "~nobody-of-this-name/config"


def test_links_in_a_ring_are_an_error_of_ours(tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    ring.symlink_to(ring)

    with pytest.raises(ConfigurationError, match="ring of links"):
        change_credentials(ring, "work", KEYS)


def test_the_config_file_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_bytes(b"[default]\n")
    file.chmod(0o644)

    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    change_profile("work", {"region": "eu-west-1"})

    assert stat.S_IMODE(file.stat().st_mode) == 0o644
