"""A workload's certificate below an intermediate, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue_intermediate("Issuing").issue("app")


@pytest.fixture
def paths(issued: IssuedCertificate, tmp_path: Path) -> IdentitySources:
    written = issued.write(tmp_path)
    return IdentitySources(certificate=written.certificate, private_key=written.private_key)
