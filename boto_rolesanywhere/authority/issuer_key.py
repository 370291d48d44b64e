"""A key that lives elsewhere (token, TPM, the user's own), as `cryptography`'s builders take it.

The builders sign with objects of `cryptography`'s own key classes. Those made here are of these
classes and hand each signature on to a `SigningKey`, which hashes with SHA-256 by contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from boto_rolesanywhere.certificates.public_keys import is_mldsa
from boto_rolesanywhere.errors import PrivateKeyError

if TYPE_CHECKING:
    from collections.abc import Callable

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
    private = _private_class(public_key)
    if private is None:
        raise PrivateKeyError(
            f"a CA cannot sign with a {type(public_key).__name__.removesuffix('PublicKey')} key",
            code="certificate-key",
            expected="an RSA, EC or ML-DSA key",
        )
    cannot = {name: _refusal(name) for name in private.__abstractmethods__ - vars(_Held).keys()}
    adapter = type("_HeldKey", (_Held, private), cannot)
    return cast("CertificateIssuerPrivateKeyTypes", adapter(key, public_key))


def as_issuer_key(key: SigningKey | PrivateKeyTypes) -> PrivateKey:
    """What `identity.opening.open_key` opened, as the builders take it.

    Raises:
        PrivateKeyError: they cannot sign with a key of this kind.
    """
    if type(key).__module__.partition(".")[0] == "cryptography":
        return cast("PrivateKey", key)
    return cast("PrivateKey", issuer_key(cast("SigningKey", key)))


def _private_class(public_key: object) -> Any:  # noqa: ANN401  # an abstract class
    if isinstance(public_key, rsa.RSAPublicKey):
        return rsa.RSAPrivateKey
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return ec.EllipticCurvePrivateKey
    if is_mldsa(public_key):
        from cryptography.hazmat.primitives.asymmetric import mldsa  # not in every cryptography

        return getattr(mldsa, type(public_key).__name__.replace("Public", "Private"))
    return None


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotImplementedError(f"a key that lives elsewhere has no {name}")

    return refuse


class _Held:
    """What a builder asks of a key; the private part stays where it is."""

    def __init__(self, key: SigningKey, public_key: PublicKeyTypes) -> None:
        self._key, self._public_key = key, public_key

    def public_key(self) -> PublicKeyTypes:
        return self._public_key

    @property
    def key_size(self) -> Any:  # noqa: ANN401  # of RSA and EC alone
        return cast("Any", self._public_key).key_size

    @property
    def curve(self) -> Any:  # noqa: ANN401  # of EC alone
        return cast("Any", self._public_key).curve

    def sign(self, data: bytes, *_: object) -> bytes:
        return self._key.sign(data)

    def __copy__(self) -> _Held:
        return self

    def __deepcopy__(self, _memo: object) -> _Held:
        return self
