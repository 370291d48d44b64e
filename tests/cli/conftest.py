"""A workload's files, and the flags that name them and the emulator's ARNs."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import arns, identity

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.fixture
def flags(emulator: Emulator, paths: IssuedPaths) -> list[str]:
    return [*identity(paths), *arns(emulator)]
