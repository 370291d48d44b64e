"""A key that lives elsewhere (token, TPM, the user's own), as `cryptography`'s builders take it.

The builders sign with objects of `cryptography`'s own key classes. These here are of those classes
and hand each signature on to a `SigningKey`, which hashes with SHA-256 by contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from boto_rolesanywhere.certificates.public_keys import is_mldsa
from boto_rolesanywhere.errors import PrivateKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        PrivateKeyTypes,
        PublicKeyTypes,
    )

    from boto_rolesanywhere.signing_key import SigningKey

    from .keys import PrivateKey


def issuer_key(key: SigningKey) -> CertificateIssuerPrivateKeyTypes:
    """A key that the builders of certificates and revocation lists can sign with.

    Args:
        key: RSA, EC or ML-DSA, of any holder.

    Raises:
        PrivateKeyError: a CA cannot sign with a key of this kind.
    """
    public_key = key.public_key()
    if isinstance(public_key, rsa.RSAPublicKey):
        return _RSAKey(key, public_key)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return _ECKey(key, public_key)
    if is_mldsa(public_key):
        return _mldsa_key(key, public_key)
    raise PrivateKeyError(
        f"a CA cannot sign with a {type(public_key).__name__.removesuffix('PublicKey')} key",
        code="certificate-key",
        expected="an RSA, EC or ML-DSA key",
    )


def as_issuer_key(key: SigningKey | PrivateKeyTypes) -> PrivateKey:
    """What `identity.opening.open_key` opened, as the builders take it.

    Raises:
        PrivateKeyError: they cannot sign with a key of this kind.
    """
    if type(key).__module__.partition(".")[0] == "cryptography":
        return cast("PrivateKey", key)
    return cast("PrivateKey", issuer_key(cast("SigningKey", key)))


def _cannot(action: str) -> NoReturn:
    raise NotImplementedError(f"a key that lives elsewhere cannot {action}")


class _Held:
    """What both kinds have in common: the private part stays where it is."""

    def private_numbers(self) -> NoReturn:
        _cannot("show its numbers")

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        _cannot("be written to a file")

    def __copy__(self) -> _Held:
        return self

    def __deepcopy__(self, _memo: object) -> _Held:
        return self


class _RSAKey(_Held, rsa.RSAPrivateKey):  # type: ignore[misc]  # _Held answers in its place
    def __init__(self, key: SigningKey, public_key: rsa.RSAPublicKey) -> None:
        self._key, self._public_key = key, public_key

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def sign(self, data: bytes, *_: object) -> bytes:
        return self._key.sign(data)

    def decrypt(self, *_: object) -> NoReturn:
        _cannot("decrypt")


class _ECKey(_Held, ec.EllipticCurvePrivateKey):  # type: ignore[misc]  # as above
    def __init__(self, key: SigningKey, public_key: ec.EllipticCurvePublicKey) -> None:
        self._key, self._public_key = key, public_key

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def sign(self, data: bytes, *_: object) -> bytes:  # type: ignore[override]  # SHA-256 always
        return self._key.sign(data)

    def exchange(self, *_: object) -> NoReturn:
        _cannot("agree on a secret")


class _MLDSAKey(_Held):
    """What the three kinds of ML-DSA keys have in common."""

    def __init__(self, key: SigningKey, public_key: PublicKeyTypes) -> None:
        self._key, self._public_key = key, public_key

    def public_key(self) -> PublicKeyTypes:
        return self._public_key

    def sign(self, data: bytes, *_: object) -> bytes:
        return self._key.sign(data)

    def sign_mu(self, *_: object) -> NoReturn:
        _cannot("sign a hash")

    def private_bytes_raw(self) -> NoReturn:
        _cannot("show its seed")


def _mldsa_key(key: SigningKey, public_key: PublicKeyTypes) -> CertificateIssuerPrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import mldsa  # not in every cryptography

    private: type = mldsa.MLDSA87PrivateKey
    if isinstance(public_key, mldsa.MLDSA44PublicKey):
        private = mldsa.MLDSA44PrivateKey
    elif isinstance(public_key, mldsa.MLDSA65PublicKey):
        private = mldsa.MLDSA65PrivateKey
    adapter = type("_MLDSAKey", (_MLDSAKey, private), {})
    return cast("CertificateIssuerPrivateKeyTypes", adapter(key, public_key))
