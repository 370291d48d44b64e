"""A workload's identity."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority


@pytest.fixture(scope="module")
def identity(ca: CertificateAuthority) -> Identity:
    issued = ca.issue("app")
    sources = IdentitySources(
        certificate=issued.certificate_pem, private_key=issued.private_key_pem
    )
    return open_identity(sources, now=datetime.now(timezone.utc))
