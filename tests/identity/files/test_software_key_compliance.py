"""The compliance suite over private keys from files, of every kind that AWS takes."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate, SigningKeyCompliance

PASSPHRASE = "the passphrase of the file"
KEY_TYPES = ["RSA-2048", "P-256", "P-384", "P-521", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="module", params=KEY_TYPES)
def issued(request: pytest.FixtureRequest, ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue(key_type=request.param)


class TestFileKey(SigningKeyCompliance):
    passphrase: str | None = None

    @pytest.fixture
    def signing_key(self, issued: IssuedCertificate, tmp_path: Path) -> SigningKey:
        paths = issued.write(tmp_path, passphrase=self.passphrase)
        sources = IdentitySources(
            certificate=paths.certificate,
            private_key=paths.private_key,
            secret=Secret(self.passphrase) if self.passphrase else None,
        )
        return open_identity(sources, now=datetime.now(timezone.utc)).key

    @pytest.fixture
    def expected_public_key(self, issued: IssuedCertificate) -> PublicKeyTypes:
        return issued.certificate.public_key()

    @pytest.fixture
    def key_secrets(self, issued: IssuedCertificate) -> list[bytes]:
        key = issued.private_key
        secrets = [key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())]
        if hasattr(key, "private_bytes_raw"):
            secrets.append(key.private_bytes_raw())
        return [*secrets, PASSPHRASE.encode()]


class TestEncryptedFileKey(TestFileKey):
    passphrase = PASSPHRASE

    @pytest.fixture
    def issued(self, ca: CertificateAuthority) -> IssuedCertificate:
        return ca.issue(key_type="P-256")
