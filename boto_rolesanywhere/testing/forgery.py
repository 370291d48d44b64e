"""Certificates that `cryptography` refuses to make: signed with SHA-1, or of X.509 version 1.

It takes a good certificate apart, changes it, and signs it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError

from .der import BIT_STRING, EXTENSIONS, SEQUENCE, VERSION, Node, read

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    from boto_rolesanywhere.authority.keys import PrivateKey

# AlgorithmIdentifier of RFC 3279: sha1WithRSAEncryption has NULL parameters, ecdsa-with-SHA1 none.
_SHA1_WITH_RSA = read(bytes.fromhex("300d06092a864886f70d0101050500"))
_ECDSA_WITH_SHA1 = read(bytes.fromhex("300906072a8648ce3d0401"))


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
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    parts = list(read(certificate.tbs_certificate_bytes).children)
    algorithm = parts[2]  # after version and serialNumber
    if sha1:
        digest = hashes.SHA1()  # noqa: S303  # weak on purpose
        # RFC 5280, 4.1.2.3: the same algorithm stands inside and outside
        parts[2] = algorithm = _sha1_algorithm(issuer_key)
    if version_1:
        parts = [part for part in parts if part.tag not in (VERSION, EXTENSIONS)]
    signed = Node(SEQUENCE, tuple(parts))
    signature = Node(BIT_STRING, b"\0" + _sign(signed.encoded, issuer_key, digest))
    return x509.load_der_x509_certificate(Node(SEQUENCE, (signed, algorithm, signature)).encoded)


def _sha1_algorithm(issuer_key: PrivateKey) -> Node:
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


def _sign(data: bytes, key: PrivateKey, digest: hashes.HashAlgorithm) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(digest))
    return key.sign(data)
