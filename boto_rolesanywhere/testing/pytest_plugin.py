"""Pytest fixtures for offline tests: a certificate authority and the emulator.

pytest loads this in every run of everybody who has the package installed, so nothing heavy is
imported before a fixture is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.testing.emulator.facade import Emulator

    from .ca import CertificateAuthority


@pytest.fixture(scope="session")
def rolesanywhere_ca() -> CertificateAuthority:
    """A certificate authority, the same for the whole run. `issue` gives certificates."""
    from .ca import CertificateAuthority

    return CertificateAuthority()


@pytest.fixture
def rolesanywhere_emulator(rolesanywhere_ca: CertificateAuthority) -> Iterator[Emulator]:
    """A running IAM Roles Anywhere that trusts `rolesanywhere_ca`; a new one for each test."""
    from boto_rolesanywhere.testing.emulator.facade import Emulator

    with Emulator(rolesanywhere_ca) as emulator:
        yield emulator
