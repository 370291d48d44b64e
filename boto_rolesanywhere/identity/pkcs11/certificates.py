"""The certificates on a token, for the caller to pick from. No key is used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from pkcs11.constants import Attribute

from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import CertificateError, KeyDeviceError

from .libraries import LIBRARIES
from .objects import check_type, find_objects, read
from .token import NotFoundError, close_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs11.types import Object, Session, Token

    from .token import TokenAccess
    from .uri import Pkcs11Uri

Result = TypeVar("Result")


def read_certificates(
    access: TokenAccess,
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """The certificates that the URI names, and the others. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.

    Raises:
        NotFoundError: the token holds no certificate.
        CertificateError: a certificate that the URI names cannot be read.
    """
    check_type(access.uri)
    named, others = _in_session(access, _split, login=False)
    if not named and access.has_pin(by_asking=not others):
        named, others = _in_session(access, _split, login=True)
    if not (named or others):
        raise NotFoundError(
            KeyDeviceError(
                "no certificate on the token",
                code="token-object-missing",
                where=str(access.uri),
                remedy="Write it there (`pkcs11-tool --write-object cert.der --type cert --id …`), "
                "or give it as a file and the token's URI as the key.",
            )
        )
    return (
        tuple(_parse(value, access.uri) for value in named),
        tuple(filter(None, map(_try, others))),
    )


def list_certificates(access: TokenAccess) -> tuple[tuple[str, x509.Certificate], ...]:
    """All certificates that match the URI, each with its own URI. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.
    """
    check_type(access.uri)

    def look(*, login: bool) -> tuple[tuple[str, x509.Certificate], ...]:
        return tuple(_in_session(access, _named, login=login))

    return look(login=False) or (look(login=True) if access.has_pin(by_asking=True) else ())


def _named(session: Session, uri: Pkcs11Uri) -> list[tuple[str, x509.Certificate]]:
    named: list[tuple[str, x509.Certificate]] = []
    for found in find_objects(session, "cert", label=uri.object, id_=uri.id):
        certificate = _try(read(found, Attribute.VALUE))
        if certificate is not None:
            named.append((_uri(session.token, found, uri), certificate))
    return named


def _uri(token: Token, found: Object, asked: Pkcs11Uri) -> str:
    """The URI of this certificate alone, with the library and PIN source of `asked`."""
    return str(
        replace(
            asked,
            token=token.label,
            manufacturer=token.manufacturer_id,
            model=token.model,
            serial=token.serial.rstrip(b"\0 ").decode("utf-8", "replace"),
            object=read(found, Attribute.LABEL) or None,
            id=read(found, Attribute.ID) or None,
            type="cert",
        )
    )


def _in_session(
    access: TokenAccess, look: Callable[[Session, Pkcs11Uri], Result], *, login: bool
) -> Result:
    session = access.open(login=login)
    try:
        return look(session, access.uri)
    finally:
        close_session(session, LIBRARIES.generation)


def _split(session: Session, uri: Pkcs11Uri) -> tuple[list[bytes], list[bytes]]:
    named: list[bytes] = []
    others: list[bytes] = []
    for found in find_objects(session, "cert"):
        value, label = read(found, Attribute.VALUE), read(found, Attribute.LABEL)
        # A YubiKey certifies each key that it made, under the key's own id and for the same public
        # key. AWS trusts none of these attestations; only their label tells them apart.
        if not value or ("attestation" in (label or "").lower() and label != uri.object):
            continue
        wanted = uri.object in (None, label) and uri.id in (None, read(found, Attribute.ID))
        (named if wanted else others).append(value)
    return named, others


def _parse(value: bytes, uri: Pkcs11Uri) -> x509.Certificate:
    certificate = _try(value)
    if certificate is None:
        raise CertificateError(
            "a certificate on the token cannot be read",
            code="certificate-unreadable",
            where=str(uri),
            expected="an X.509 certificate as DER in its CKA_VALUE",
            remedy="Write the certificate to the token again.",
        )
    return certificate


def _try(value: bytes | None) -> x509.Certificate | None:
    try:
        return quietly(lambda: x509.load_der_x509_certificate(value)) if value else None
    except ValueError:
        return None
