"""Keys and certificates on PKCS#11 tokens (smart cards, HSMs), named by RFC 7512 URIs.

Only what the rest of the package calls stands here; it loads nothing until it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError, KeyDeviceError
from boto_rolesanywhere.settings.places import TOKEN, kind_of

from .library_path import library_path
from .pin import LentPin, TokenPin
from .uri import parse_pkcs11_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.settings.sources import Secret
    from boto_rolesanywhere.signing_key import SigningKey

    from .token import TokenAccess
    from .uri import Pkcs11Uri

_OF_A_TOKEN: Final = (
    *("token", "manufacturer", "serial", "model"),
    *("slot_id", "slot_description", "slot_manufacturer"),
)


def open_token_key(
    uri: str, *, module: str | None = None, secret: Secret | None = None
) -> SigningKey:
    """The private key that `uri` names on a token, found and its token unlocked.

    The URI may name the key itself, its certificate or its public key.

    Args:
        uri: an RFC 7512 URI. It must match one token and one key.
        module: path or name of the PKCS#11 library. It goes before the URI's module-path and
            module-name; without any of them it is p11-kit's proxy, which serves all tokens of the
            system.
        secret: the PIN, unless the URI has one (pin-value, pin-source). Asked for only when the
            token wants it; a wrong one is never tried twice.

    Returns:
        A key that signs with RSA or EC. Its `close()` ends its session.

    Raises:
        ConfigurationError: the URI, the library's path or pin-source is wrong.
        PassphraseError: the PIN is missing or wrong.
        KeyDeviceError: python-pkcs11 is missing; there is no such token or key, or there are
            several; the token or its library failed.
    """
    access = _access(uri, module, secret)
    from .key import TokenKey

    return TokenKey(access)


def token_keys(
    uri: str,
    *,
    wanted: Sequence[PublicKeyTypes],
    module: str | None = None,
    secret: Secret | None = None,
) -> list[SigningKey]:
    """The private keys that `uri` may mean, opened.

    Other arguments and errors are those of `open_token_key`, but several keys are no error. Of
    several tokens the one is meant that shows one of `wanted`, or else an object of the URI's name.
    The PIN is tried on no other.

    Args:
        uri: as of `open_token_key`.
        wanted: the public keys of the certificates that are given.
        module: as of `open_token_key`.
        secret: as of `open_token_key`.

    Raises:
        KeyDeviceError: also if nothing that can be seen tells which of several tokens is meant.
    """
    access = _access(uri, module, secret)
    access.wanted = wanted
    from .key import open_keys

    return list(open_keys(access))


def secrets_of_a_pair(
    certificate: str, key: str, secret: Secret | None
) -> tuple[Secret | None, Secret | None]:
    """What opens a certificate and a key: the PIN of one URI serves the other on the same token.

    Args:
        certificate: its ``pkcs11:`` URI.
        key: the key's, or a TPM's ``handle:``.
        secret: that is configured; it goes before another URI's PIN.
    """
    if kind_of(key) != TOKEN or (secret is not None and not secret.asks):
        return secret, secret
    first, second = parse_pkcs11_uri(certificate), parse_pkcs11_uri(key)
    return _lent_pin(first, second) or secret, _lent_pin(second, first) or secret


def _lent_pin(uri: Pkcs11Uri, other: Pkcs11Uri) -> Secret | None:
    """The PIN of `other` for `uri`, if that has none and may name the same token."""
    if uri.has_pin or not other.has_pin:
        return None
    for name in _OF_A_TOKEN:
        named = (getattr(uri, name), getattr(other, name))
        if None not in named and named[0] != named[1]:
            return None
    return LentPin(other)


def read_token_certificates(
    uri: str, *, module: str | None = None, secret: Secret | None = None, key_decides: bool = True
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """The certificates on the token that `uri` names, or on all that it may mean.

    Arguments and errors are those of `open_token_key`. The PIN is needed only where a token hides
    its certificates until it is given. If no key decides which of them is the end-entity
    certificate, some must have the URI's object and id, and be on one token.

    Returns:
        Those with the URI's object and id, and the token's others, among which the intermediates
        are. Attestation certificates of a YubiKey are left out, unless the URI gives their label.

    Raises:
        KeyDeviceError: also if the token holds no such certificate.
    """
    access = _access(uri, module, secret)
    from .certificates import read_certificates

    named, others = access.run(lambda: read_certificates(access, key_decides=key_decides))
    if not (named or key_decides):
        raise KeyDeviceError(
            "the token has no certificate with the label and id of the URI",
            code="token-object-missing",
            where=str(access.uri),
            remedy="List them: boto-rolesanywhere read-certificate-data --certificate pkcs11:…"
            " with the token alone. If it hides them, give the PIN too.",
        )
    return named, others


def list_token_certificates(
    uri: str, *, module: str | None = None, secret: Secret | None = None
) -> tuple[tuple[str, x509.Certificate], ...]:
    """The certificates that `uri` names, each with a URI that names it alone.

    Arguments and errors are those of `open_token_key`.

    Returns:
        URI (without its PIN) and certificate. Attestation certificates are among them. Empty if
        none matches.
    """
    access = _access(uri, module, secret)
    from .certificates import list_certificates

    return access.run(lambda: list_certificates(access))


def _access(uri: str, module: str | None, secret: Secret | None) -> TokenAccess:
    parsed = parse_pkcs11_uri(uri)
    if parsed.type in ("secret-key", "data"):
        raise ConfigurationError(
            f"type={parsed.type}",
            code="pkcs11-uri-invalid",
            where=str(parsed),
            expected="type=private, type=cert, or no type",
        )
    try:
        from .token import TokenAccess
    except ImportError as error:
        raise KeyDeviceError(
            f"keys on PKCS#11 tokens need the package python-pkcs11, which cannot be loaded: "
            f"{error}",
            code="package-missing",
            remedy="Install it: pip install 'boto_rolesanywhere[pkcs11]'.",
        ) from error
    return TokenAccess(library_path(parsed, module), parsed, TokenPin(parsed, secret))
