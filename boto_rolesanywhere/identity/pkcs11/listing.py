"""The certificates on a token, each with the URI that names it and no other. No key is used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography import x509
from pkcs11.constants import Attribute

from boto_rolesanywhere.certificates.reading import quietly

from .libraries import LIBRARIES
from .objects import check_type, find_objects, read
from .token import close_session

if TYPE_CHECKING:
    from pkcs11.types import Object, Session, Token

    from .token import TokenAccess
    from .uri import Pkcs11Uri


def list_certificates(access: TokenAccess) -> tuple[tuple[str, x509.Certificate], ...]:
    """URI and certificate of all that match the URI. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.
    """
    check_type(access.uri)
    found = _list(access, login=False)
    return found or (_list(access, login=True) if access.has_pin() else ())


def _list(access: TokenAccess, *, login: bool) -> tuple[tuple[str, x509.Certificate], ...]:
    session = access.open(login=login)
    try:
        return tuple(_named(session, access.uri))
    finally:
        close_session(session, LIBRARIES.generation)


def _named(session: Session, uri: Pkcs11Uri) -> list[tuple[str, x509.Certificate]]:
    named: list[tuple[str, x509.Certificate]] = []
    for one in find_objects(session, "cert", label=uri.object, id_=uri.id):
        certificate = _parse(read(one, Attribute.VALUE))
        if certificate is not None:
            named.append((_uri(session.token, one, uri), certificate))
    return named


def _uri(token: Token, one: Object, asked: Pkcs11Uri) -> str:
    """As narrow as can be; how library and PIN are found stays as it was asked."""
    return str(
        replace(
            asked,
            token=token.label,
            manufacturer=token.manufacturer_id,
            model=token.model,
            serial=token.serial.rstrip(b"\0 ").decode("utf-8", "replace"),
            object=read(one, Attribute.LABEL) or None,
            id=read(one, Attribute.ID) or None,
            type="cert",
        )
    )


def _parse(value: bytes | None) -> x509.Certificate | None:
    try:
        return quietly(lambda: x509.load_der_x509_certificate(value)) if value else None
    except ValueError:
        return None
