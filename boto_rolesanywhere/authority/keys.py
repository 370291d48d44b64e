"""New private keys of each type that IAM Roles Anywhere accepts. Nothing is read or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import (
        MLDSA44PrivateKey,
        MLDSA65PrivateKey,
        MLDSA87PrivateKey,
    )
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

KeyType = Literal[
    "P-256",
    "P-384",
    "P-521",
    "RSA-2048",
    "RSA-3072",
    "RSA-4096",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
]

# As strings: the types are cryptography's, which is loaded when the first key is made.
PrivateKey: TypeAlias = (
    "RSAPrivateKey | EllipticCurvePrivateKey"
    " | MLDSA44PrivateKey | MLDSA65PrivateKey | MLDSA87PrivateKey"
)
AnyPrivateKey: TypeAlias = "CertificateIssuerPrivateKeyTypes"

_NIST_NAMES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def generate_key(key_type: KeyType) -> PrivateKey:
    """A new private key.

    Args:
        key_type: one of `KeyType`. RSA keys take some tenths of a second, the others none.

    Raises:
        ConfigurationError: the type is unknown, or is ML-DSA and the installed `cryptography`
            does not know it.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if key_type == "P-256":
        return ec.generate_private_key(ec.SECP256R1())
    if key_type == "P-384":
        return ec.generate_private_key(ec.SECP384R1())
    if key_type == "P-521":
        return ec.generate_private_key(ec.SECP521R1())
    if key_type in ("RSA-2048", "RSA-3072", "RSA-4096"):
        return rsa.generate_private_key(65537, int(key_type[4:]))
    if key_type in get_args(KeyType):
        return _generate_mldsa(key_type)
    raise ConfigurationError(
        f"unknown key type {key_type!r}",
        code="authority-value-unusable",
        where="key_type",
        expected="one of " + ", ".join(get_args(KeyType)),
    )


def _generate_mldsa(key_type: KeyType) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        if key_type == "ML-DSA-44":
            return mldsa.MLDSA44PrivateKey.generate()
        if key_type == "ML-DSA-65":
            return mldsa.MLDSA65PrivateKey.generate()
        return mldsa.MLDSA87PrivateKey.generate()
    except (ImportError, UnsupportedAlgorithm):
        raise ConfigurationError(
            f"the installed cryptography cannot make {key_type} keys",
            code="mldsa-unsupported",
            where="key_type",
            remedy="Install cryptography 48 or later, or make an EC or RSA key.",
        ) from None


def key_type_of(key: PrivateKey | CertificatePublicKeyTypes) -> KeyType:
    """The type of a private or public key that `generate_key` could have made.

    Raises:
        ConfigurationError: it is of another type.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    name = type(key).__name__  # an ML-DSA class may not exist in the installed cryptography
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        name = _NIST_NAMES.get(key.curve.name, key.curve.name)
    elif isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        name = f"RSA-{key.key_size}"
    elif name.startswith("MLDSA"):
        name = f"ML-DSA-{name[5:7]}"
    for known in get_args(KeyType):
        if name == known:
            return cast("KeyType", known)
    raise ConfigurationError(
        f"a key of type {name} is not one that can be made here", code="authority-value-unusable"
    )
