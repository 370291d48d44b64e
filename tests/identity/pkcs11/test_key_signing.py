"""How a key on a token signs: digests, and mechanisms that it lacks."""

from __future__ import annotations

import pytest
from soft_token import SoftToken
from token_objects import CA, opened

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.signing_key import Digest, DigestSigningKey
from boto_rolesanywhere.testing import KeyType


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("key_type", ["P-256", "P-384", "RSA-2048"])
def test_a_token_signs_with_other_digests(
    token: SoftToken, key_type: KeyType, digest: Digest
) -> None:
    issued = CA.issue("app", key_type=key_type)
    token.add_key(issued.private_key, label="app", id_="01")
    token.add_certificate(issued.certificate, label="app", id_="01")
    key = opened(token, ";object=app")

    assert isinstance(key, DigestSigningKey)
    assert verify_signature(key.public_key(), key.sign_with(b"data", digest), b"data", digest)


class TestMechanisms:
    def test_rsa_where_the_token_does_not_hash(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web")
        token.configure("slots.mechanisms = CKM_RSA_PKCS,CKM_ECDSA")
        assert "SHA256-RSA-PKCS" not in token.tool("--list-mechanisms")
        key = opened(token, ";object=web")
        assert verify_signature(issued.certificate.public_key(), key.sign(b"data"), b"data")

    def test_a_key_that_must_not_use_them(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(
            issued.private_key, "--allowed-mechanisms", "RSA-PKCS-PSS", label="web", id_="01"
        )
        key = opened(token, ";object=web")
        with pytest.raises(KeyDeviceError, match="does not let this key sign as AWS wants it"):
            key.sign(b"data")
