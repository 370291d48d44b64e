"""Several users on one machine, for tests that run as root: their files, tasks and attacks."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError

USER, OTHER = 12345, 54321

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be several users")


def owned(path: Path, owner: int, mode: int, content: bytes | None = None) -> Path:
    if content is None:
        path.mkdir(exist_ok=True)
    else:
        path.write_bytes(content)
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


def link(path: Path, target: Path, owner: int) -> Path:
    path.symlink_to(target)
    os.lchown(path, owner, owner)
    return path


def as_user(user: int, task: Callable[[], None]) -> str:
    """What `task` raised of our errors, when that user ran it; "" if it went well."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            task()
        except ConfigurationError as error:
            os.write(writer, str(error).encode())
        except BaseException as error:  # noqa: BLE001  # the parent only learns its text
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def everything_in(place: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Owner, mode and content of all files, without the locks."""
    return {
        path: (status.st_uid, status.st_mode, path.read_bytes() if path.is_file() else b"")
        for path in place.rglob("*")
        if not (path.name.endswith(".lock") and not path.is_symlink())
        for status in (path.lstat(),)
    }


@contextmanager
def swapper(user: int, swap: Callable[[], int]) -> Iterator[Callable[[], int]]:
    """A process of `user` that swaps without pause; gives a function that ends it and counts."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        ended = False

        def end(*_: object) -> None:
            nonlocal ended
            ended = True

        try:
            signal.signal(signal.SIGTERM, end)
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            count = 0
            while not ended:
                with suppress(OSError):
                    count += swap()
            os.write(writer, str(count).encode())
        finally:
            os._exit(0)
    os.close(writer)
    counts: list[int] = []

    def end_and_count() -> int:
        if not counts:
            os.kill(child, signal.SIGTERM)
            with os.fdopen(reader) as pipe:
                counts.append(int(pipe.read() or 0))
            os.waitpid(child, 0)
        return counts[0]

    try:
        yield end_and_count
    finally:
        end_and_count()  # also where the test fails: an attacker must not go on for ever
