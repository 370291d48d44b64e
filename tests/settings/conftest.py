"""A folder outside pytest's, which is closed to other users."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of root's that every user reaches, unlike pytest's."""
    folder = Path(mkdtemp(prefix="rolesanywhere-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
