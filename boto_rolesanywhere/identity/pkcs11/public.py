"""Public keys from the attributes that a token gives, as objects of `cryptography`. Pure.

None means: not a key of this kind, or not enough is known of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.reading import quietly

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

# CKA_EC_PARAMS: the DER of the curve's name (RFC 5480 section 2.1.1.1), and the bytes of one
# coordinate.
_CURVES: Final = {
    bytes.fromhex("06082a8648ce3d030107"): ("secp256r1", 32),
    bytes.fromhex("06052b81040022"): ("secp384r1", 48),
    bytes.fromhex("06052b81040023"): ("secp521r1", 66),
}


def rsa_key(modulus: bytes | None, exponent: bytes | None) -> PublicKeyTypes | None:
    """From CKA_MODULUS and CKA_PUBLIC_EXPONENT, both big-endian."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not modulus or not exponent:
        return None
    numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    try:
        return numbers.public_key()
    except ValueError:
        return None


def ec_key(parameters: bytes | None, point: bytes | None) -> PublicKeyTypes | None:
    """From CKA_EC_PARAMS and CKA_EC_POINT.

    The point is a DER OCTET STRING (PKCS #11 v2.40, section 2.3.3); some tokens give its content.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    if not parameters or not point or parameters not in _CURVES:
        return None
    name, size = _CURVES[parameters]
    curves = {"secp256r1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "secp521r1": ec.SECP521R1()}
    try:
        # 04 and both coordinates (SEC 1, section 2.3.3), whatever header stands before them.
        return ec.EllipticCurvePublicKey.from_encoded_point(curves[name], point[-(1 + 2 * size) :])
    except ValueError:
        return None


def certificate_key(value: bytes | None) -> PublicKeyTypes | None:
    """From a certificate's CKA_VALUE, its DER."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    if not value:
        return None
    try:
        return quietly(lambda: x509.load_der_x509_certificate(value).public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def may_fit(key: PublicKeyTypes, modulus: bytes | None, parameters: bytes | None) -> bool:
    """Whether `key` may be the public key of a private key with this modulus or these parameters.

    For RSA that settles it; for EC only the curve is compared.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return parameters is None and (
            modulus is None or key.public_numbers().n == int.from_bytes(modulus, "big")
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve, _ = _CURVES.get(parameters or b"", (None, 0))
        return modulus is None and (parameters is None or key.curve.name == curve)
    return False
