"""A key that lives elsewhere signs certificates and lists that verify."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from key_types import QUICK

from boto_rolesanywhere.authority.drafts import Draft, name_of
from boto_rolesanywhere.authority.issuer_key import issuer_key
from boto_rolesanywhere.authority.keys import KeyType, generate_key
from boto_rolesanywhere.authority.revocation import Revoked, revocation_list
from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.files.software_key import SoftwareKey

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
SPAN = (NOW, NOW + timedelta(days=1))


@pytest.mark.parametrize("key_type", QUICK)
def test_it_signs_certificates_and_lists(key_type: KeyType) -> None:
    held = SoftwareKey(generate_key(key_type))
    key = issuer_key(held)
    name = name_of("Example CA")
    draft = Draft(
        subject=name,
        issuer=name,
        public_key=key.public_key(),
        issuer_public_key=key.public_key(),
        validity=SPAN,
        ca=True,
    )

    certificate = draft.sign(key, "SHA-256")
    revoked = [Revoked(7, NOW, "keyCompromise")]
    signed = revocation_list(name, key, revoked, SPAN, number=3, digest="SHA-256")

    certificate.verify_directly_issued_by(certificate)
    assert signed.is_signature_valid(held.public_key())


def test_its_private_part_stays_where_it_is() -> None:
    key = issuer_key(SoftwareKey(generate_key("P-256")))

    with pytest.raises(NotImplementedError, match="elsewhere"):
        key.private_bytes()
    with pytest.raises(NotImplementedError, match="elsewhere"):
        key.private_numbers()


def test_a_key_of_another_kind_is_refused() -> None:
    class Ed25519:
        def public_key(self) -> object:
            return ed25519.Ed25519PrivateKey.generate().public_key()

        def sign(self, data: bytes) -> bytes:
            return data

    with pytest.raises(PrivateKeyError, match="Ed25519") as caught:
        issuer_key(Ed25519())

    assert caught.value.code == "certificate-key"
