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
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if key_type not in get_args(KeyType):
        raise ConfigurationError(
            f"unknown key type {key_type!r}",
            code="authority-value-unusable",
            where="key_type",
            expected="one of " + ", ".join(get_args(KeyType)),
        )
    family, _, size = key_type.rpartition("-")
    if family == "P":
        return ec.generate_private_key(getattr(ec, f"SECP{size}R1")())
    if family == "RSA":
        return rsa.generate_private_key(65537, int(size))
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return cast("PrivateKey", getattr(mldsa, f"MLDSA{size}PrivateKey").generate())
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
    if name in get_args(KeyType):
        return cast("KeyType", name)
    raise ConfigurationError(
        f"a key of type {name} is not one that can be made here", code="authority-value-unusable"
    )
