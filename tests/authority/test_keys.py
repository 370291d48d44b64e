"""New keys of each type, and what is said of one that cannot be made."""

from __future__ import annotations

import sys

import pytest
from cryptography.hazmat.primitives import asymmetric
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from key_types import QUICK

from boto_rolesanywhere.authority.keys import KeyType, generate_key, key_type_of
from boto_rolesanywhere.errors import ConfigurationError


@pytest.mark.parametrize("key_type", [*QUICK, "RSA-3072", "RSA-4096"])
def test_the_type_of_a_key_and_of_its_public_half_is_known_again(key_type: KeyType) -> None:
    key = generate_key(key_type)

    assert key_type_of(key) == key_type_of(key.public_key()) == key_type


@pytest.mark.parametrize("key_type", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_mldsa_asks_for_a_newer_cryptography_where_it_is_too_old(
    key_type: KeyType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in versions before 47, whose package has no such module.
    monkeypatch.delattr(asymmetric, "mldsa", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)

    with pytest.raises(ConfigurationError, match="Install cryptography 48 or later") as caught:
        generate_key(key_type)

    assert caught.value.code == "mldsa-unsupported"
    assert key_type in str(caught.value)


def test_a_type_that_there_is_not() -> None:
    with pytest.raises(ConfigurationError, match="one of P-256, P-384"):
        generate_key("P-224")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_a_key_of_another_type(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(ConfigurationError, match="is not one that can be made here"):
        key_type_of(key)
