"""The certificates on a token, for the caller to pick from. No key is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs11.constants import Attribute

from boto_rolesanywhere.errors import CertificateError

from .errors import NotFoundError
from .objects import certificate_in, find_objects, read, uri_of
from .token import pinned

if TYPE_CHECKING:
    from cryptography import x509
    from pkcs11.types import Token

    from .token import TokenAccess
    from .uri import Pkcs11Uri


def read_certificates(
    access: TokenAccess, *, key_decides: bool
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """The certificates that the URI names, and the others. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.

    Args:
        access: to the token.
        key_decides: whether a key tells which is meant, so that they may be on several tokens.

    Raises:
        NotFoundError: the token holds no certificate.
        CertificateError: a certificate that the URI names cannot be read.
    """
    named, others = _on_several(access) if key_decides else ([], [])
    if not (named or others):
        named, others = _split(access, login=False)
        if not named and access.pin.available(by_asking=not others):
            named, others = _split(access, login=True)
    if not (named or others):
        raise NotFoundError(
            "no certificate on the token",
            code="token-object-missing",
            where=str(access.uri),
            remedy="Write it there (`pkcs11-tool --write-object cert.der --type cert --id …`), "
            "or give it as a file and the token's URI as the key.",
        )
    return (
        tuple(_parse(value, access.uri) for value in named),
        tuple(filter(None, map(certificate_in, others))),
    )


def list_certificates(access: TokenAccess) -> tuple[tuple[str, x509.Certificate], ...]:
    """All certificates that match the URI, each with its own URI. Only within `access.run`.

    Certificates are public objects as a rule, so the PIN is used only where that finds nothing.
    """

    def look(
        token: Token | None = None, *, login: bool = False
    ) -> tuple[tuple[str, x509.Certificate], ...]:
        with access.session(token, login=login) as session:
            uri = pinned(access.uri, session.token)
            found = find_objects(session, "cert", label=uri.object, id_=uri.id)
            read_ = [(uri_of(each, uri, "cert"), read(each, Attribute.VALUE)) for each in found]
        parsed = [(str(place), certificate_in(value)) for place, value in read_]
        return tuple((place, certificate) for place, certificate in parsed if certificate)

    seen = tuple(found for token in access.matching() for found in look(token))
    return seen or (look(login=True) if access.pin.available(by_asking=True) else look())


def _split(
    access: TokenAccess, token: Token | None = None, *, login: bool
) -> tuple[list[bytes], list[bytes]]:
    uri, named, others = access.uri, list[bytes](), list[bytes]()
    with access.session(token, login=login) as session:
        for found in find_objects(session, "cert"):
            value, label = read(found, Attribute.VALUE), read(found, Attribute.LABEL)
            # A YubiKey certifies each key that it made, under the key's own id and for the same
            # public key. AWS trusts none of these attestations; only their label tells them apart.
            if not value or ("attestation" in (label or "").lower() and label != uri.object):
                continue
            wanted = uri.object in (None, label) and uri.id in (None, read(found, Attribute.ID))
            (named if wanted else others).append(value)
    return named, others


def _on_several(access: TokenAccess) -> tuple[list[bytes], list[bytes]]:
    """The certificates visible without a login, if the URI fits several tokens; else none."""
    tokens = access.matching()
    named, others = dict[bytes, None](), dict[bytes, None]()  # the same may be on all of them
    for token in tokens if len(tokens) > 1 else ():
        of_one, rest = _split(access, token, login=False)
        named.update(dict.fromkeys(of_one))
        others.update(dict.fromkeys(rest))
    return list(named), list(others)


def _parse(value: bytes, uri: Pkcs11Uri) -> x509.Certificate:
    certificate = certificate_in(value)
    if certificate is None:
        raise CertificateError(
            "a certificate on the token cannot be read",
            code="certificate-unreadable",
            where=str(uri),
            expected="an X.509 certificate as DER in its CKA_VALUE",
            remedy="Write the certificate to the token again.",
        )
    return certificate
