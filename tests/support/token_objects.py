"""Keys and certificates on a (software) PKCS#11 token, as the package opens them."""

from __future__ import annotations

import pytest
from cryptography import x509
from soft_token import PIN, SOFTHSM, SoftToken

from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.pkcs11 import open_token_key, read_token_certificates
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()


def opened(token: SoftToken, rest: str, module: str | None = SOFTHSM) -> SigningKey:
    return open_token_key(token.uri + rest, module=module, secret=Secret(PIN))


def certificates(token: SoftToken, rest: str = "") -> tuple[x509.Certificate, ...]:
    return read(token.uri + rest)


def read(
    uri: str, module: str = SOFTHSM, secret: Secret | None = None
) -> tuple[x509.Certificate, ...]:
    """Those that the URI names, then the others."""
    named, others = read_token_certificates(uri, module=module, secret=secret)
    return (*named, *others)


def fails(token: SoftToken, rest: str) -> str:
    with pytest.raises(KeyDeviceError) as caught:
        opened(token, rest)
    return str(caught.value)
