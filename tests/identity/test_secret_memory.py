"""The marks of refused passwords: written whole, read only where they can be trusted."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest

from boto_rolesanywhere.identity.secret_memory import Mark, SecretMemory

MARKS = [Mark(*values) for values in product((None, True, False), (False, True), (False, True))]
REFUSED = Mark(has_password=True, refused=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "when needed"


@pytest.fixture
def memory(folder: Path) -> SecretMemory:
    return SecretMemory(str(folder), b"a key")


@pytest.mark.parametrize("mark", MARKS)
def test_what_is_remembered_is_recalled(memory: SecretMemory, folder: Path, mark: Mark) -> None:
    assert memory.recall() == Mark()
    assert memory.remember(mark)

    assert SecretMemory(str(folder), b"a key").recall() == mark
    assert SecretMemory(str(folder), b"another key").recall() == Mark()


def test_nothing_new_is_not_written(memory: SecretMemory, folder: Path) -> None:
    assert memory.remember(Mark())
    assert not folder.exists()
    assert memory.remember(REFUSED)
    written = Path(memory.path).stat().st_ino

    assert memory.remember(REFUSED)
    assert Path(memory.path).stat().st_ino == written


@pytest.mark.parametrize("content", [b"", b"boto_rolesanywhere tries 1 pass", b"\xff\n" * 1000])
def test_a_torn_file_says_nothing(memory: SecretMemory, content: bytes) -> None:
    memory.remember(REFUSED)
    Path(memory.path).write_bytes(content)

    assert memory.recall() == Mark()
    assert memory.remember(REFUSED)
    assert memory.recall() == REFUSED


@pytest.mark.skipif(os.name != "posix", reason="Windows has neither modes nor links of this kind")
@pytest.mark.parametrize("mischief", ["file mode", "folder mode", "link"])
def test_what_others_may_have_written_says_nothing(
    memory: SecretMemory, folder: Path, tmp_path: Path, mischief: str
) -> None:
    memory.remember(REFUSED)
    if mischief == "file mode":
        Path(memory.path).chmod(0o666)
    elif mischief == "folder mode":
        folder.chmod(0o777)
    else:
        Path(memory.path).rename(tmp_path / "elsewhere")
        Path(memory.path).symlink_to(tmp_path / "elsewhere")

    assert memory.recall() == Mark()


def test_without_a_folder_nothing_is_remembered() -> None:
    memory = SecretMemory(None, b"a key")
    with memory.turn():
        assert not memory.remember(REFUSED)
    assert memory.recall() == Mark()
