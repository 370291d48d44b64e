"""The emulator and the user of the tests of ``credential-process``."""

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
