"""Each kind of key that signs certificates is verified, whatever the names are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from boto_rolesanywhere.certificates.chain import is_signed_with

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "any")])
KEYS = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "EC": ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "DSA": dsa.generate_private_key(2048),
}


def self_signed(kind: str, **options: padding.PSS) -> x509.Certificate:
    key: CertificateIssuerPrivateKeyTypes = KEYS[kind]
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    digest = None if kind.startswith("Ed") else SHA384() if kind == "EC" else SHA256()
    return builder.sign(key, digest, rsa_padding=options.get("rsa_padding"))


@pytest.mark.parametrize("kind", KEYS)
def test_the_signer_is_known_from_all_others(kind: str) -> None:
    signed = self_signed(kind)
    assert is_signed_with(signed, signed)
    others = [self_signed(other) for other in KEYS if other != kind]
    assert not any(is_signed_with(signed, other) for other in others)


def test_rsa_pss_is_verified_with_its_parameters() -> None:
    signed = self_signed("RSA", rsa_padding=padding.PSS(padding.MGF1(SHA256()), 32))
    assert is_signed_with(signed, self_signed("RSA"))
