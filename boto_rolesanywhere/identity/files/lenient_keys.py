"""Private keys whose value is plain and whose encoding `cryptography` refuses.

- An EC key whose number has a byte too few or too many: programs cut its leading zeros or put one
  before it (RFC 5915, section 3, wants the curve's length).
- PKCS #8 in version 2, with the public key after the private one (RFC 5958).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.reading import quietly

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
_CURVE: Final = 0xA0  # SEC 1: [0] parameters


def load_leniently(encoded: bytes) -> PrivateKeyTypes | None:
    """The key in a PKCS #8 or SEC 1 that the library refused; None if it is refused rightly."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        fields = der.read_only(encoded).expect(der.SEQUENCE).children()
        if fields[1].tag == der.OCTET_STRING:
            return _ec_key(fields, None)
        algorithm = fields[1].children()
        if der.oid(algorithm[0]) == _EC_PUBLIC_KEY:
            inner = der.read_only(fields[2].expect(der.OCTET_STRING).content)
            return _ec_key(inner.expect(der.SEQUENCE).children(), der.oid(algorithm[1]))
        version_1 = (der.encode(der.INTEGER, b"\0"), fields[1].raw, fields[2].raw)
        return quietly(lambda: load_der_private_key(_sequence(*version_1), None))
    except Exception:  # noqa: BLE001  # the library's, of many kinds for what is damaged
        return None


def _ec_key(fields: tuple[der.Element, ...], curve: str | None) -> PrivateKeyTypes:
    """RFC 5915: version, privateKey, [0] parameters, [1] publicKey."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import ObjectIdentifier

    if curve is None:
        (named,) = (field for field in fields if field.tag == _CURVE)
        curve = der.oid(named.children()[0])
    number = int.from_bytes(fields[1].expect(der.OCTET_STRING).content, "big")
    kind = ec.get_curve_for_oid(ObjectIdentifier(curve))
    return cast("PrivateKeyTypes", ec.derive_private_key(number, kind()))


def _sequence(*parts: bytes) -> bytes:
    return der.encode(der.SEQUENCE, b"".join(parts))
