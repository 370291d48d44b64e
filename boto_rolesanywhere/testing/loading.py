"""Reads the certificates and keys of an authority or the emulator."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.errors import ConfigurationError

from .lenient import load_leniently

if TYPE_CHECKING:
    from cryptography import x509

    from boto_rolesanywhere.authority.keys import PrivateKey

_LABEL: Final = rb"-----(?:BEGIN|END) (?:X509 |TRUSTED )?CERTIFICATE-----"
_BLOCK: Final = re.compile(_LABEL + rb"([A-Za-z0-9+/=\s]+)" + _LABEL)


def read_certificates(pem: str | bytes, *, where: str) -> tuple[x509.Certificate, ...]:
    """All certificates of a PEM text, in its order.

    Raises:
        ConfigurationError: there is none, or one cannot be read.
    """
    data = pem.encode("utf-8") if isinstance(pem, str) else pem
    try:
        found = [load_leniently(b64decode(body)) for body in _BLOCK.findall(data)]
    except ValueError:
        found = []
    if not found:
        raise ConfigurationError(
            "no certificate can be read from it",
            code="certificate-unreadable",
            where=where,
            expected="PEM with one or more CERTIFICATE blocks",
        )
    return tuple(found)


def read_authority(
    certificate: bytes, private_key: bytes, passphrase: str | bytes | None
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...], PrivateKey]:
    """An authority's certificate, its chain (itself included, the root not), and its key.

    Raises:
        ConfigurationError: something cannot be read, or the key is not the certificate's.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificates = read_certificates(certificate, where="the authority's certificate")
    secret = passphrase.encode("utf-8") if isinstance(passphrase, str) else passphrase
    where = "the authority's private key"
    try:
        key = cast("PrivateKey", load_pem_private_key(private_key, secret))
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            f"it cannot be read ({error})", code="file-unreadable", where=where
        ) from None
    if key.public_key() != certificates[0].public_key():
        raise ConfigurationError(
            "it is not the key of the first certificate",
            code="key-not-of-certificate",
            where=where,
            remedy="Put the authority's own certificate first, and give the key that made it.",
        )
    chain = tuple(ca for ca in certificates if ca.subject != ca.issuer)
    return certificates[0], chain, key
