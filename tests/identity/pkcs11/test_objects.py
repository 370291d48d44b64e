"""Public keys from a token's attributes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from boto_rolesanywhere.identity.pkcs11.objects import certificate_key, ec_key, may_fit, rsa_key

P256, P384, P521 = (
    bytes.fromhex(text) for text in ("06082a8648ce3d030107", "06052b81040022", "06052b81040023")
)
SECP256K1 = bytes.fromhex("06052b8104000a")
CURVES = {P256: ec.SECP256R1(), P384: ec.SECP384R1(), P521: ec.SECP521R1()}
MODULUS = (2**2047 + 1).to_bytes(256, "big")


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("parameters", CURVES, ids=["P-256", "P-384", "P-521"])
def test_ec_point_with_and_without_its_der_header(parameters: bytes) -> None:
    key = ec.generate_private_key(CURVES[parameters]).public_key()
    point = point_of(key)
    length = bytes([len(point)]) if len(point) < 128 else bytes([0x81, len(point)])
    assert ec_key(parameters, b"\x04" + length + point) == key
    assert ec_key(parameters, point) == key


@pytest.mark.parametrize(
    ("parameters", "point"),
    [
        (None, b"\x04"),
        (P256, None),
        (P256, b""),
        (P256, b"\x04\x41\x04" + bytes(64)),
        (P256, b"\x04\x03\x04\x01\x02"),
        (SECP256K1, b"\x04\x41\x04" + bytes(64)),
        (b"0\x00", b"\x04\x41\x04" + bytes(64)),
    ],
)
def test_no_ec_key(parameters: bytes | None, point: bytes | None) -> None:
    assert ec_key(parameters, point) is None


def test_rsa_key() -> None:
    key = rsa_key(b"\0" + MODULUS, b"\x01\x00\x01")
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers() == rsa.RSAPublicNumbers(65537, int.from_bytes(MODULUS, "big"))


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (None, b"\x03"),
        (MODULUS, None),
        (MODULUS, b""),
        (b"", b"\x03"),
        (MODULUS, b"\x02"),
        (b"\0", b"\x03"),
    ],
)
def test_no_rsa_key(modulus: bytes | None, exponent: bytes | None) -> None:
    assert rsa_key(modulus, exponent) is None


@pytest.mark.parametrize("value", [None, b"", b"text", b"0\x03\x02\x01\x01"])
def test_no_certificate(value: bytes | None) -> None:
    assert certificate_key(value) is None


def test_what_may_fit() -> None:
    other = (2**2047 + 3).to_bytes(256, "big")
    key = rsa_key(MODULUS, b"\x01\x00\x01")
    assert key is not None
    assert may_fit(key, MODULUS, None)
    assert may_fit(key, None, None)
    assert not may_fit(key, other, None)
    assert not may_fit(key, None, P256)
    ec_public = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert may_fit(ec_public, None, P256)
    assert may_fit(ec_public, None, None)
    assert not may_fit(ec_public, None, P384)
    assert not may_fit(ec_public, None, SECP256K1)
    assert not may_fit(ec_public, MODULUS, None)
