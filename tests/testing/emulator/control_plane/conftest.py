"""Who administers the emulator."""

from __future__ import annotations

import pytest
from control_plane_calls import Administrator, client

from boto_rolesanywhere.testing import Emulator


@pytest.fixture
def admin(emulator: Emulator) -> Administrator:
    return client(emulator)
