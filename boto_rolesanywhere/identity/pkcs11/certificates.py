"""The certificates on a token, for the caller to pick from. No key is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from pkcs11.constants import Attribute

from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import CertificateError, KeyDeviceError

from .libraries import LIBRARIES
from .objects import check_type, find_objects, read
from .token import NotFoundError, close_session

if TYPE_CHECKING:
    from pkcs11.types import Session

    from .token import TokenAccess
    from .uri import Pkcs11Uri


def read_certificates(
    access: TokenAccess,
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """Those that the URI names, and the others. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.

    Raises:
        NotFoundError: there are none.
        CertificateError: one that the URI names cannot be read.
    """
    check_type(access.uri)
    named, others = _read(access, login=False)
    if not named and access.has_pin():
        named, others = _read(access, login=True)
    if not (named or others):
        raise NotFoundError(
            KeyDeviceError(
                "no certificate on the token",
                code="token-certificate-missing",
                where=str(access.uri),
                remedy="Write it there (`pkcs11-tool --write-object cert.der --type cert --id …`), "
                "or give it as a file and the token's URI as the key.",
            )
        )
    return (
        tuple(_parse(value, access.uri) for value in named),
        tuple(filter(None, map(_try, others))),
    )


def _read(access: TokenAccess, *, login: bool) -> tuple[list[bytes], list[bytes]]:
    session = access.open(login=login)
    try:
        return _split(session, access.uri)
    finally:
        close_session(session, LIBRARIES.generation)


def _split(session: Session, uri: Pkcs11Uri) -> tuple[list[bytes], list[bytes]]:
    named: list[bytes] = []
    others: list[bytes] = []
    for one in find_objects(session, "cert"):
        value, label = read(one, Attribute.VALUE), read(one, Attribute.LABEL)
        # A YubiKey certifies each key that it made, under the key's own id and for the same public
        # key. AWS trusts none of these attestations; only their label tells them apart.
        if not value or ("attestation" in (label or "").lower() and label != uri.object):
            continue
        wanted = uri.object in (None, label) and uri.id in (None, read(one, Attribute.ID))
        (named if wanted else others).append(value)
    return named, others


def _parse(value: bytes, uri: Pkcs11Uri) -> x509.Certificate:
    certificate = _try(value)
    if certificate is None:
        raise CertificateError(
            "a certificate on the token cannot be read",
            code="token-certificate-unreadable",
            where=str(uri),
            expected="an X.509 certificate as DER in its CKA_VALUE",
            remedy="Write the certificate to the token again.",
        )
    return certificate


def _try(value: bytes) -> x509.Certificate | None:
    try:
        return quietly(lambda: x509.load_der_x509_certificate(value))
    except ValueError:
        return None
