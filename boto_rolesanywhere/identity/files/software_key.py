"""A private key held in this process's memory, as a `SigningKey`."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.one_process import NotPickled, hold_in_forks

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from boto_rolesanywhere.signing_key import SigningKey

# OpenSSL has locks of its own; a child found them taken once in some thousand forks.
_signing: Final = RLock()
hold_in_forks(lambda: (_signing,))


class SoftwareKey(NotPickled):
    """Signs with a private key object of `cryptography`. Safe in threads and after a fork."""

    __slots__ = ("_public_key", "_sign")

    def __init__(self, private_key: PrivateKeyTypes) -> None:
        """Hold `private_key`, which must be of a kind that AWS takes (see `algorithm_for`)."""
        self._public_key: PublicKeyTypes = private_key.public_key()
        self._sign: Callable[[bytes], bytes] | None = _signer(private_key)

    def public_key(self) -> PublicKeyTypes:
        """The public key; also after `close`."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Sign `data`, as `SigningKey` says.

        Raises:
            PrivateKeyError: the key was closed, or the library refused to sign.
        """
        sign = self._sign
        if sign is None:
            raise PrivateKeyError(
                "the private key was closed", code="key-closed", remedy="Open the identity again."
            )
        try:
            with _signing:
                return sign(data)
        except (ValueError, TypeError) as error:
            raise PrivateKeyError(f"signing failed ({error})", code="signing-failed") from None

    def close(self) -> None:
        """Let go of the private key. Nothing can be signed afterwards."""
        self._sign = None

    def __repr__(self) -> str:
        return f"<SoftwareKey {type(self._public_key).__name__}>"


def _signer(key: PrivateKeyTypes) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, rsa.RSAPrivateKey):
        rsa_key, pkcs1v15, sha256 = key, padding.PKCS1v15(), SHA256()
        return lambda data: rsa_key.sign(data, pkcs1v15, sha256)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ec_key, ecdsa = key, ec.ECDSA(SHA256())
        return lambda data: ec_key.sign(data, ecdsa)
    return cast("SigningKey", key).sign  # ML-DSA: there is nothing to choose
