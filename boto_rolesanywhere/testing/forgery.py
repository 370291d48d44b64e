"""Certificates that `cryptography` refuses to make: signed with SHA-1, or of X.509 version 1.

It takes a good certificate apart, changes it, and signs it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    from boto_rolesanywhere.authority.keys import PrivateKey

_SEQUENCE = 0x30
_BIT_STRING = 0x03
_VERSION = 0xA0  # tbsCertificate: version [0] EXPLICIT, absent in a v1 certificate
_EXTENSIONS = 0xA3  # tbsCertificate: extensions [3] EXPLICIT, "If present, version MUST be v3"

_LONG_FORM = 0x80  # X.690, 8.1.3.5: the length has octets of its own

# AlgorithmIdentifier of RFC 3279: sha1WithRSAEncryption has NULL parameters, ecdsa-with-SHA1 none.
_SHA1_WITH_RSA = bytes.fromhex("300d06092a864886f70d0101050500")
_ECDSA_WITH_SHA1 = bytes.fromhex("300906072a8648ce3d0401")


def forge(
    certificate: x509.Certificate,
    issuer_key: PrivateKey,
    digest: hashes.HashAlgorithm,
    *,
    sha1: bool,
    version_1: bool,
) -> x509.Certificate:
    """The same certificate, signed again with SHA-1, or as version 1, or both.

    Raises:
        ConfigurationError: the issuer's key cannot sign with SHA-1.
    """
    from cryptography.hazmat.primitives import hashes

    parts = list(_elements(_content(certificate.tbs_certificate_bytes)))
    algorithm = parts[2]  # after version and serialNumber
    if sha1:
        digest = hashes.SHA1()  # noqa: S303  # weak on purpose
        # RFC 5280, 4.1.2.3: the same algorithm stands inside and outside
        parts[2] = algorithm = _sha1_algorithm(issuer_key)
    if version_1:
        parts = [part for part in parts if part[0] not in (_VERSION, _EXTENSIONS)]
    return _assemble(parts, algorithm, issuer_key, digest)


def _sha1_algorithm(issuer_key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(issuer_key, rsa.RSAPrivateKey):
        return _SHA1_WITH_RSA
    if isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        return _ECDSA_WITH_SHA1
    raise ConfigurationError(
        "only RSA and EC authorities can sign with SHA-1",
        code="testing-value-unusable",
        where="flaws",
        remedy="Give the authority an RSA or EC key_type.",
    )


def _assemble(
    parts: list[bytes], algorithm: bytes, issuer_key: PrivateKey, digest: hashes.HashAlgorithm
) -> x509.Certificate:
    from cryptography import x509

    tbs = _element(_SEQUENCE, b"".join(parts))
    signature = _element(_BIT_STRING, b"\0" + _sign(tbs, issuer_key, digest))
    return x509.load_der_x509_certificate(_element(_SEQUENCE, tbs + algorithm + signature))


def _sign(data: bytes, key: PrivateKey, digest: hashes.HashAlgorithm) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(digest))
    return key.sign(data)


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def _bounds(data: bytes, start: int) -> tuple[int, int]:
    """Where the content of the element at `start` begins and ends."""
    size, begin = data[start + 1], start + 2
    if size & _LONG_FORM:  # the other bits count the octets of the length
        octets = size & ~_LONG_FORM
        size, begin = int.from_bytes(data[begin : begin + octets], "big"), begin + octets
    return begin, begin + size


def _content(data: bytes) -> bytes:
    begin, end = _bounds(data, 0)
    return data[begin:end]


def _elements(content: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(content):
        _, end = _bounds(content, start)
        yield content[start:end]
        start = end
