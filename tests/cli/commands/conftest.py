"""Users' config files, and the emulator and the user of the tests of ``credential-process``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cached_command import CA, Caller

from boto_rolesanywhere.testing import Emulator


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with Emulator(CA, accept_role_session_name=True) as emulator:
        yield emulator


@pytest.fixture
def caller(shared: Emulator, tmp_path: Path) -> Caller:
    return Caller(shared, tmp_path / "me")


@pytest.fixture
def aws_files(clean_environment: Path) -> Path:
    """The folder of the AWS config files, with a profile that OTHER_SOURCES names."""
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "config").write_text("[profile other]\nregion = us-west-2\n")
    return folder


@pytest.fixture
def file(clean_environment: Path) -> Path:
    """The config file, which is not there yet; its folder is."""
    path = clean_environment / ".aws" / "config"
    path.parent.mkdir()
    return path
