"""ML-DSA private keys in the forms that `cryptography` does not read.

RFC 9881, section 6: a key is kept as its seed, as the expanded key, or as both. That library
reads the seed alone, from version 48 on, while OpenSSL 3.5 and later write both.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.errors import PrivateKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

NAMES: Final = {  # NIST's CSOR
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
UPGRADE: Final = "Install cryptography 48 or later, or use an EC or RSA key."
_SEED_BYTES: Final = 32
_SEED = 0x80  # [0] IMPLICIT OCTET STRING
_RHO = slice(0, 32)
_TR = slice(64, 128)


def load_mldsa(name: str, inner: bytes, where: str) -> PrivateKeyTypes:
    """The private key from the content of PKCS #8's privateKey.

    Args:
        name: the parameter set, such as ``ML-DSA-65``.
        inner: DER of the CHOICE of seed, expandedKey and both.
        where: the file, for the error.

    Raises:
        PrivateKeyError: there is no seed in it, seed and expanded key are not one key, or
            `cryptography` is too old.
    """
    seed, expanded = _parts(inner, name, where)
    if seed is None:
        raise PrivateKeyError(
            f"it holds the {name} key in its expanded form alone, which cannot be used",
            code="key-unusable",
            where=where,
            expected="the seed, or seed and expanded key",
            remedy="Take the key from where its seed still is (with OpenSSL 3.5 or later: "
            "`openssl pkey -in key.pem -provparam ml-dsa.output_formats=seed-only -out new.pem`), "
            "or make a new one.",
        )
    key, public = _from_seed(name, seed, where)
    if expanded is not None and not _is_expansion(expanded, public):
        raise PrivateKeyError(
            f"the seed and the expanded form of this {name} key do not belong together",
            code="key-unreadable",
            where=where,
        )
    return key


def _parts(inner: bytes, name: str, where: str) -> tuple[bytes | None, bytes | None]:
    try:
        choice = der.read_only(inner)
        if choice.tag == _SEED:
            return _sized(choice.content), None
        if choice.tag == der.OCTET_STRING:
            return None, choice.content
        seed, expanded = choice.expect(der.SEQUENCE).children()
        return (
            _sized(seed.expect(der.OCTET_STRING).content),
            expanded.expect(der.OCTET_STRING).content,
        )
    except ValueError:
        raise PrivateKeyError(
            f"it holds an {name} key in a form that RFC 9881 does not know",
            code="key-unreadable",
            where=where,
            expected="the seed, or seed and expanded key",
        ) from None


def _sized(seed: bytes) -> bytes:
    if len(seed) != _SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    return seed


def _from_seed(name: str, seed: bytes, where: str) -> tuple[PrivateKeyTypes, bytes]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        kind: type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]
        kind = getattr(mldsa, f"{name.replace('-', '')}PrivateKey")
        key = kind.from_seed_bytes(seed)
    except (ImportError, UnsupportedAlgorithm):
        raise PrivateKeyError(
            f"it holds an {name} key, which the installed cryptography cannot use",
            code="mldsa-unsupported",
            where=where,
            remedy=UPGRADE,
        ) from None
    return key, key.public_key().public_bytes_raw()


def _is_expansion(expanded: bytes, public: bytes) -> bool:
    # FIPS 204, algorithm 24: the expanded key begins with rho, which begins the public key too,
    # then K, then tr, which is the public key's hash.
    return expanded[_RHO] == public[_RHO] and expanded[_TR] == hashlib.shake_256(public).digest(64)
