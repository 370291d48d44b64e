"""An emulator, and who administers it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from control_plane_calls import Administrator, client

from boto_rolesanywhere.testing import CertificateAuthority, Emulator


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as emulator:
        yield emulator


@pytest.fixture
def admin(emulator: Emulator) -> Administrator:
    return client(emulator)
