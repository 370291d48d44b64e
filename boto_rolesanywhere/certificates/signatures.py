"""Whether a key made the signature on a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .reading import quietly

if TYPE_CHECKING:
    from cryptography import x509


def is_signed_with(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the signature on `certificate`, whatever their names are.

    Raises:
        UnsupportedAlgorithm: `cryptography` cannot tell: it lacks the algorithm or the key's kind.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

    key = cast("Any", quietly(issuer.public_key))
    signature = certificate.signature
    data: bytes = getattr(certificate, "signed_bytes", None) or certificate.tbs_certificate_bytes
    scheme, digest = (
        certificate.signature_algorithm_parameters,
        certificate.signature_hash_algorithm,
    )
    used: tuple[object, ...] = ()
    if isinstance(scheme, padding.PKCS1v15 | padding.PSS):
        fits, used = isinstance(key, rsa.RSAPublicKey), (scheme, digest)
    elif isinstance(scheme, ec.ECDSA):
        fits, used = isinstance(key, ec.EllipticCurvePublicKey), (scheme,)
    elif digest is not None:
        fits, used = isinstance(key, dsa.DSAPublicKey), (digest,)
    else:  # Ed25519, Ed448 and ML-DSA hash inside
        others = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey
        fits = not isinstance(key, others)
    try:
        if fits:
            key.verify(signature, data, *used)
    except (InvalidSignature, ValueError, AttributeError):
        return False
    return fits
