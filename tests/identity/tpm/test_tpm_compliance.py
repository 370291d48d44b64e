"""The compliance suite over keys in a real (software) TPM: files and handles, RSA and EC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from software_tpm import SoftwareTpm, software_tpm

from boto_rolesanywhere.identity.tpm import open_tpm_key
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import SigningKeyCompliance

PASSWORD = "a password of the key"


@dataclass(frozen=True)
class MadeKey:
    tcti: str
    source: str | bytes
    public_key: PublicKeyTypes
    secret: Secret | None = None


@pytest.fixture(scope="module")
def tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        yield tpm


FILES = {
    "rsa-2048": ("RSA", "bits:2048"),
    "p-256": ("EC", "group:P-256"),
    "p-384": ("EC", "group:P-384"),
    "p-256-password": ("EC", "group:P-256", f"user-auth:{PASSWORD}"),
    "rsa-2048-password": ("RSA", "bits:2048", f"user-auth:{PASSWORD}"),
    "p-256-parent": ("EC", "group:P-256", "parent:0x81000001"),
}
HANDLES = {
    "rsa-2048": ("rsa2048", 0x81000110),
    "rsa-3072": ("rsa3072:rsassa-sha256", 0x81000111),
    "p-256": ("ecc256", 0x81000112),
    "p-384": ("ecc384:ecdsa-sha256", 0x81000113),
    "p-521": ("ecc521", 0x81000114),
    "p-256-password": ("ecc256:ecdsa-sha256", 0x81000115),
}


@pytest.fixture(scope="module", params=FILES)
def file_key(request: pytest.FixtureRequest, tpm: SoftwareTpm) -> MadeKey:
    algorithm, *options = FILES[request.param]
    source = tpm.pem(*options, algorithm=algorithm)
    public_key = tpm.public_key_of_pem(PASSWORD)
    return MadeKey(tpm.tcti, source, public_key, _secret(request.param))


@pytest.fixture(scope="module", params=HANDLES)
def persistent_key(request: pytest.FixtureRequest, tpm: SoftwareTpm) -> MadeKey:
    algorithm, handle = HANDLES[request.param]
    secret = _secret(request.param)
    source = tpm.persistent(handle, algorithm, *(("-p", PASSWORD) if secret else ()))
    return MadeKey(tpm.tcti, source, tpm.public_key_of_handle(handle), secret)


def _secret(name: str) -> Secret | None:
    return Secret(PASSWORD) if name.endswith("-password") else None


class _TpmCompliance(SigningKeyCompliance):
    @pytest.fixture
    def signing_key(self, made: MadeKey) -> SigningKey:
        return open_tpm_key(made.source, tcti=made.tcti, secret=made.secret)

    @pytest.fixture
    def expected_public_key(self, made: MadeKey) -> PublicKeyTypes:
        return made.public_key

    @pytest.fixture
    def key_secrets(self) -> list[bytes]:
        return [PASSWORD.encode()]


class TestTpmFileKey(_TpmCompliance):
    @pytest.fixture
    def made(self, file_key: MadeKey) -> MadeKey:
        return file_key


class TestTpmHandle(_TpmCompliance):
    @pytest.fixture
    def made(self, persistent_key: MadeKey) -> MadeKey:
        return persistent_key


def test_the_suite_leaves_the_tpm_as_it_was(tpm: SoftwareTpm) -> None:
    assert tpm.occupied_slots() == []
    assert tpm.failed_tries() == 0
