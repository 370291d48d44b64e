"""The public keys that AWS takes, and the algorithm with which each signs.

IAM Roles Anywhere User Guide, "Signing process": RSA, EC and ML-DSA, chosen by the end-entity
certificate's public key alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeGuard

from boto_rolesanywhere.errors import CertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import (
        MLDSA44PublicKey,
        MLDSA65PublicKey,
        MLDSA87PublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.signing_key import Algorithm, Digest

USABLE_KEYS: Final = "RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or ML-DSA"
NEW_KEY: Final = (
    "Make a new key, for example with `openssl genpkey -algorithm EC -pkeyopt "
    "ec_paramgen_curve:P-256 -out key.pem`, and have a certificate issued for it."
)
_FEWEST_RSA_BITS: Final = 2048
_MOST_TRIED_RSA_BITS: Final = 4096
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def algorithm_for(public_key: PublicKeyTypes, *, where: str | None = None) -> Algorithm:
    """The signing algorithm, which follows from the end-entity certificate's public key alone.

    The hash of the CA's signature does not matter.

    Args:
        public_key: an object of `cryptography`.
        where: the file it came from, for the error.

    Raises:
        CertificateError: AWS takes no key of this kind or size.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size >= _FEWEST_RSA_BITS:
        return "AWS4-X509-RSA-SHA256"
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name in _CURVES:
        return "AWS4-X509-ECDSA-SHA256"
    if is_mldsa(public_key):
        return "AWS4-X509-MLDSA"
    raise CertificateError(
        f"IAM Roles Anywhere cannot use a key of this kind: {describe_key(public_key)}",
        code="certificate-key",
        where=where,
        expected=USABLE_KEYS,
        remedy=NEW_KEY,
    )


def is_untried(public_key: PublicKeyTypes) -> bool:
    """Whether it is larger than the keys that are in use. AWS publishes no upper bound."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size > _MOST_TRIED_RSA_BITS


def describe_key(public_key: object) -> str:
    """The kind and size of a public key, such as ``EC P-256`` or ``RSA 2048``."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA {public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(public_key.curve.name, public_key.curve.name)}"
    name = type(public_key).__name__.removesuffix("PublicKey").lstrip("_")
    return name.replace("MLDSA", "ML-DSA-")


def verify_signature(
    public_key: PublicKeyTypes,
    signature: bytes,
    data: bytes,
    digest: Digest | Literal["SHA1"] = "SHA256",
) -> bool:
    """Whether `signature` is a valid signature of `data` by the algorithm of this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    hashed: hashes.HashAlgorithm = getattr(hashes, digest)()
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), hashed)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(hashed))
        elif is_mldsa(public_key):
            public_key.verify(signature, data)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_mldsa(
    public_key: object,
) -> TypeGuard[MLDSA44PublicKey | MLDSA65PublicKey | MLDSA87PublicKey]:
    """Whether it is an ML-DSA key; False if the installed `cryptography` has no ML-DSA."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:  # an older cryptography
        return False
    return isinstance(
        public_key, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
    )
