"""Plain certificates, of which all that a start needs is read here.

To load one certificate through `cryptography.x509` takes two fifths of the time from import to the
first credentials: mostly for regular expressions of names that are not asked for. So a certificate
without anything odd is read here, and `cryptography` reads it only when something else is asked.
"""

from __future__ import annotations

import ssl
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, TypeGuard, cast

from boto_rolesanywhere.records import NamedTuple

from . import der
from .names import IA5, PRINTABLE, PRINTABLE_CHARACTERS, UTF8
from .reading import quietly

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.hazmat.primitives.serialization import Encoding

# AlgorithmIdentifiers (RFC 5758, section 3.2; RFC 4055, section 5) → the key's kind and the hash.
_SIGNATURES: Final = {
    bytes.fromhex("300a06082a8648ce3d040302"): ("EC", "SHA256"),
    bytes.fromhex("300a06082a8648ce3d040303"): ("EC", "SHA384"),
    bytes.fromhex("300a06082a8648ce3d040304"): ("EC", "SHA512"),
    bytes.fromhex("300d06092a864886f70d01010b0500"): ("RSA", "SHA256"),
    bytes.fromhex("300d06092a864886f70d01010c0500"): ("RSA", "SHA384"),
    bytes.fromhex("300d06092a864886f70d01010d0500"): ("RSA", "SHA512"),
}
# EC on P-256, P-384 and P-521 (RFC 5480, section 2.1.1) → the octets of an uncompressed point.
_EC_KEYS: Final = {
    bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"): 1 + 2 * 32,
    bytes.fromhex("301006072a8648ce3d020106052b81040022"): 1 + 2 * 48,
    bytes.fromhex("301006072a8648ce3d020106052b81040023"): 1 + 2 * 66,
}
_RSA_KEY: Final = bytes.fromhex("300d06092a864886f70d0101010500")  # RFC 3279, section 2.3.1
_UNCOMPRESSED: Final = 4
# RFC 5280, section 4.2.1: keyUsage, subjectAltName, basicConstraints, nameConstraints,
# certificatePolicies and extKeyUsage may be critical.
_MAY_BE_CRITICAL: Final = {bytes((0x55, 0x1D, last)) for last in (15, 17, 19, 30, 32, 37)}
_V3: Final = bytes.fromhex("a003020102")
_EXTENSIONS: Final = 0xA3
_TRUE: Final = bytes.fromhex("0101ff")
_UTC_TIME: Final = 0x17
_LONGEST_SERIAL: Final = 20  # RFC 5280, section 4.1.2.2
_LONGEST_OID: Final = 32


class Fields(NamedTuple):
    """What is read of a plain certificate: attributes of `x509.Certificate`, and some of ours.

    Attributes:
        signed_bytes: what the issuer signed, as of an `OddCertificate`.
        names_der: the DER of issuer and subject.
        key: the DER of the public key.
        algorithm: kind of the issuer's key, and the hash of its signature.
    """

    tbs_certificate_bytes: bytes
    signed_bytes: bytes
    names_der: tuple[bytes, bytes]
    serial_number: int
    not_valid_before_utc: datetime
    not_valid_after_utc: datetime
    key: bytes
    algorithm: tuple[str, str]
    signature: bytes


class Version(NamedTuple):
    """As `x509.Version`."""

    name: str = "v3"
    value: int = 2


class StandIn:
    """Stands in for an `x509.Certificate`, which cannot be subclassed. It holds its bytes."""

    __slots__ = ("_encoded",)

    def __init__(self, encoded: bytes) -> None:
        """Hold `encoded`, the DER of the certificate."""
        self._encoded = encoded

    def public_bytes(self, encoding: Encoding) -> bytes:
        """The certificate as it was found, in DER or PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding as Encodings

        if encoding is Encodings.PEM:
            return ssl.DER_cert_to_PEM_cert(self._encoded).encode("ascii")
        return self._encoded

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StandIn):
            return other._encoded == self._encoded
        if is_certificate(other):
            from cryptography.hazmat.primitives.serialization import Encoding

            return bool(other.public_bytes(Encoding.DER) == self._encoded)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._encoded)


def is_plain(certificate: object) -> bool:
    """Whether `read_plain` has read it."""
    return isinstance(certificate, PlainCertificate)


class PlainCertificate(StandIn):
    """Stands in for one that cannot be made without `cryptography.x509`.

    What is neither defined here nor among its fields is asked of `cryptography`'s own object.
    """

    __slots__ = ("_fields", "_own", "_public_key")

    version = Version()

    def __init__(self, encoded: bytes, fields: Fields) -> None:
        """Hold `encoded`, of which `fields` were read."""
        super().__init__(encoded)
        self._fields = fields
        self._own: x509.Certificate | None = None
        self._public_key: CertificatePublicKeyTypes | None = None

    @property
    def signature_hash_algorithm(self) -> hashes.HashAlgorithm:
        """The hash of the issuer's signature."""
        from cryptography.hazmat.primitives import hashes

        made: hashes.HashAlgorithm = getattr(hashes, self._fields.algorithm[1])()
        return made

    @property
    def signature_algorithm_parameters(self) -> ec.ECDSA | padding.PKCS1v15:
        """The scheme of the issuer's signature."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        if self._fields.algorithm[0] == "RSA":
            return padding.PKCS1v15()
        return ec.ECDSA(self.signature_hash_algorithm)

    def public_key(self) -> CertificatePublicKeyTypes:
        """Its public key.

        Raises:
            ValueError: it is damaged.
        """
        if self._public_key is None:
            from cryptography.hazmat.primitives.serialization import load_der_public_key

            made = load_der_public_key(self._fields.key)
            self._public_key = cast("CertificatePublicKeyTypes", made)
        return self._public_key

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the certificate has
        if name.startswith("_"):
            raise AttributeError(name)
        if name in Fields._fields:
            return getattr(self._fields, name)
        if self._own is None:
            from cryptography import x509

            self._own = quietly(lambda: x509.load_der_x509_certificate(self._encoded))
        return getattr(self._own, name)

    def __repr__(self) -> str:
        return f"<PlainCertificate {self._fields.serial_number:x}>"


def read_plain(encoded: bytes) -> PlainCertificate | None:
    """The certificate `encoded`; None if there is anything about it that is not plain.

    Plain is X.509 v3 in DER, with a usual key and signature, names of single attributes in usual
    strings, and a validity before 2050. `cryptography` reads whatever is read here.
    """
    try:
        return PlainCertificate(encoded, _fields(encoded))
    except (ValueError, LookupError):
        return None


def is_certificate(value: object) -> TypeGuard[x509.Certificate]:
    """Whether `value` is a certificate as an object.

    `cryptography.x509` is not loaded to find out: whoever made one of its objects has loaded it.
    """
    x509 = sys.modules.get("cryptography.x509")
    return isinstance(value, StandIn) or (x509 is not None and isinstance(value, x509.Certificate))


def _fields(encoded: bytes) -> Fields:
    """Raises ValueError or LookupError for what is not plain."""
    tbs, algorithm, signature = der.read_only(encoded).expect(der.SEQUENCE).children()
    version, serial, inner, issuer, validity, subject, key, extensions = tbs.expect(
        der.SEQUENCE
    ).children()
    _require(version.raw == _V3 and inner.raw == algorithm.raw)
    _check_name(issuer)
    _check_name(subject)
    kind, bits = key.expect(der.SEQUENCE).children()
    _check_key(kind.raw, _bits(bits))
    _check_extensions(extensions)
    start, end = validity.expect(der.SEQUENCE).children()
    return Fields(
        tbs_certificate_bytes=tbs.raw,
        signed_bytes=tbs.raw,
        names_der=(issuer.raw, subject.raw),
        serial_number=_serial_number(serial),
        not_valid_before_utc=_time(start),
        not_valid_after_utc=_time(end),
        key=key.raw,
        algorithm=_SIGNATURES[algorithm.raw],
        signature=_bits(signature),
    )


def _require(condition: bool) -> None:  # reads as a sentence
    if not condition:
        raise der.DerError("it is not plain")


def _serial_number(element: der.Element) -> int:
    _require(len(element.content) <= _LONGEST_SERIAL)
    return _positive(element)


def _positive(element: der.Element) -> int:
    content = element.expect(der.INTEGER).content
    _require(len(content) > 0 and content[0] < 0x80)  # noqa: PLR2004  # sign
    _require(content[0] > 0 or (len(content) > 1 and content[1] >= 0x80))  # noqa: PLR2004  # sign
    return int.from_bytes(content, "big")


def _time(element: der.Element) -> datetime:
    text = element.expect(_UTC_TIME).content
    _require(len(text) == len("YYMMDDHHMMSSZ") and text[:-1].isdigit() and text[-1:] == b"Z")
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    year += 2000 if year < 50 else 1900  # noqa: PLR2004  # RFC 5280, section 4.1.2.5.1
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def _bits(element: der.Element) -> bytes:
    content = element.expect(der.BIT_STRING).content
    _require(len(content) > 1 and content[0] == 0)
    return content[1:]


def _check_key(kind: bytes, key: bytes) -> None:
    if kind == _RSA_KEY:
        for number in der.read_only(key).expect(der.SEQUENCE).children():
            _positive(number)
    else:
        _require(key[0] == _UNCOMPRESSED and len(key) == _EC_KEYS[kind])


def _check_name(element: der.Element) -> None:
    for rdn in element.expect(der.SEQUENCE).children():
        (attribute,) = rdn.expect(der.SET).children()
        kind, value = attribute.expect(der.SEQUENCE).children()
        _check_oid(kind)
        printable = value.tag == PRINTABLE and PRINTABLE_CHARACTERS.issuperset(value.content)
        _require(printable or value.tag in (UTF8, IA5))


def _check_extensions(element: der.Element) -> None:
    (listed,) = element.expect(_EXTENSIONS).children()
    kinds = set()
    extensions = listed.expect(der.SEQUENCE).children()
    for extension in extensions:
        kind, *critical, value = extension.expect(der.SEQUENCE).children()
        _check_oid(kind)
        _require(not critical or kind.content in _MAY_BE_CRITICAL)
        _require([each.raw for each in critical] in ([], [_TRUE]))
        value.expect(der.OCTET_STRING)
        kinds.add(kind.content)
    _require(0 < len(kinds) == len(extensions))


def _check_oid(element: der.Element) -> None:
    """In the shortest form (X.690, section 8.19.2), with arcs below 2**28."""
    content = element.expect(der.OID).content
    _require(0 < len(content) <= _LONGEST_OID and content[-1] < 0x80)  # noqa: PLR2004  # its end
    octets = 0
    for byte in content:
        _require(octets > 0 or byte != 0x80)  # noqa: PLR2004  # a leading zero
        octets = octets + 1 if byte & 0x80 else 0
        _require(octets < 4)  # noqa: PLR2004  # see above
