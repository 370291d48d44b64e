"""Which keys AWS takes, what they are called, and which signatures fit them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import (
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from made_certificates import (
    KEY,
    SIGNER,
    curve,
    rsa_of,
)

from boto_rolesanywhere.certificates.public_keys import (
    algorithm_for,
    describe_key,
    verify_signature,
)
from boto_rolesanywhere.errors import CertificateError


@pytest.mark.parametrize(
    ("key", "algorithm", "described"),
    [
        (rsa_of(2048), "AWS4-X509-RSA-SHA256", "RSA 2048"),
        (rsa_of(3000), "AWS4-X509-RSA-SHA256", "RSA 3000"),
        (rsa_of(4096), "AWS4-X509-RSA-SHA256", "RSA 4096"),
        (rsa_of(8192), "AWS4-X509-RSA-SHA256", "RSA 8192"),
        (curve(ec.SECP256R1), "AWS4-X509-ECDSA-SHA256", "EC P-256"),
        (curve(ec.SECP384R1), "AWS4-X509-ECDSA-SHA256", "EC P-384"),
        (curve(ec.SECP521R1), "AWS4-X509-ECDSA-SHA256", "EC P-521"),
    ],
)
def test_the_algorithm_follows_from_the_key(
    key: PublicKeyTypes, algorithm: str, described: str
) -> None:
    assert algorithm_for(key) == algorithm
    assert describe_key(key) == described


@pytest.mark.parametrize(
    ("key", "described"),
    [
        (rsa_of(2047), "RSA 2047"),
        (curve(ec.SECP256K1), "EC secp256k1"),
        (curve(ec.SECP224R1), "EC secp224r1"),
        (curve(ec.BrainpoolP256R1), "EC brainpoolP256r1"),
        (ed25519.Ed25519PrivateKey.generate().public_key(), "Ed25519"),
        (x25519.X25519PrivateKey.generate().public_key(), "X25519"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_keys_are_refused_with_what_to_use(key: PublicKeyTypes, described: str) -> None:
    with pytest.raises(CertificateError) as caught:
        algorithm_for(key, where="app.pem")
    assert str(caught.value) == (
        f"app.pem: IAM Roles Anywhere cannot use a key of this kind: {described}; expected RSA of "
        "2048 bits or more, EC on P-256, P-384 or P-521, or ML-DSA. Make a new key, for example "
        "with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`, and "
        "have a certificate issued for it."
    )


def test_signatures_verify_in_the_forms_that_aws_wants() -> None:
    rsa_key = rsa.generate_private_key(65537, 2048)
    good_rsa = rsa_key.sign(b"data", padding.PKCS1v15(), SHA256())
    assert verify_signature(rsa_key.public_key(), good_rsa, b"data")
    assert not verify_signature(rsa_key.public_key(), good_rsa, b"other data")
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    assert not verify_signature(rsa_key.public_key(), rsa_key.sign(b"data", pss, SHA256()), b"data")
    good_ec = KEY.sign(b"data", ec.ECDSA(SHA256()))
    assert verify_signature(KEY.public_key(), good_ec, b"data")
    assert not verify_signature(KEY.public_key(), KEY.sign(b"data", ec.ECDSA(SHA384())), b"data")
    assert not verify_signature(SIGNER.public_key(), good_ec, b"data")
    dsa_key = dsa.generate_private_key(1024)
    assert not verify_signature(dsa_key.public_key(), dsa_key.sign(b"data", SHA256()), b"data")
