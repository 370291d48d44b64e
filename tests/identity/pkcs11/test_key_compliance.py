"""The compliance suite over keys on a real (software) token: directly, and through p11-kit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.identity.pkcs11 import open_token_key
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority, SigningKeyCompliance

# Label of the key: its type, and further options of pkcs11-tool.
KEYS = {
    "rsa-2048": ("RSA-2048",),
    "p-256": ("P-256",),
    "p-384": ("P-384",),
    "p-521": ("P-521",),
}
ALWAYS_AUTHENTICATE_KEYS = {
    "p-256-always-authenticate": ("P-256", "--always-auth"),
    "rsa-2048-always-authenticate": ("RSA-2048", "--always-auth"),
}


@pytest.fixture(scope="module")
def token_and_keys() -> Iterator[tuple[SoftToken, dict[str, PublicKeyTypes]]]:
    ca = CertificateAuthority()
    with soft_token() as token:
        public_keys: dict[str, PublicKeyTypes] = {}
        made = KEYS | ALWAYS_AUTHENTICATE_KEYS
        for number, (label, (key_type, *options)) in enumerate(made.items(), 1):
            issued = ca.issue(label, key_type=key_type)  # type: ignore[arg-type]  # one of KeyType
            token.add_key(issued.private_key, *options, label=label, id_=f"{number:02x}")
            token.add_certificate(issued.certificate, label=label, id_=f"{number:02x}")
            public_keys[label] = issued.certificate.public_key()
        yield token, public_keys


class _Pkcs11Compliance(SigningKeyCompliance):
    signatures_per_thread = 10
    module: str | None

    @pytest.fixture(params=KEYS)
    def label(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def signing_key(
        self, label: str, token_and_keys: tuple[SoftToken, dict[str, PublicKeyTypes]]
    ) -> SigningKey:
        uri = f"{token_and_keys[0].uri};object={label}"
        return open_token_key(uri, module=self.module, secret=Secret(PIN))

    @pytest.fixture
    def expected_public_key(
        self, label: str, token_and_keys: tuple[SoftToken, dict[str, PublicKeyTypes]]
    ) -> PublicKeyTypes:
        return token_and_keys[1][label]

    @pytest.fixture
    def key_secrets(self) -> list[bytes]:
        return [PIN.encode()]


class TestProxyKey(_Pkcs11Compliance):
    """Through p11-kit's proxy, first: what it initialised must not keep SoftHSM from loading."""

    module = None


class TestDirectKey(_Pkcs11Compliance):
    """SoftHSM's own library, in the same process."""

    module = SOFTHSM


class _AlwaysAuthenticateCompliance(_Pkcs11Compliance):
    # Each signature logs in, and at each login SoftHSM writes the token's files anew, without
    # regard for other processes that read them: a child forked meanwhile finds no token.
    test_signs_in_a_child_forked_during_a_signature = None  # type: ignore[assignment]  # not for it

    @pytest.fixture(params=ALWAYS_AUTHENTICATE_KEYS)
    def label(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


class TestProxyAlwaysAuthenticateKey(_AlwaysAuthenticateCompliance):
    module = None


class TestDirectAlwaysAuthenticateKey(_AlwaysAuthenticateCompliance):
    module = SOFTHSM
