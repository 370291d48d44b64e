"""Certificates to choose from: those in a folder of files, or on a PKCS #11 token.

`selector` says which certificate is meant. This module finds it in the
store, and its private key. The certificate stores of operating systems are not read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.chain import order_chain
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.reading import readable_public_key
from boto_rolesanywhere.cli.flag_table import LATEST, STORE
from boto_rolesanywhere.cli.refusals import shown_place, unreadable
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    PassphraseError,
    PrivateKeyError,
    RolesAnywhereError,
)
from boto_rolesanywhere.identity.files.contents import Contents
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.identity.opening import Access, file_keys, open_file
from boto_rolesanywhere.identity.pkcs11 import list_token_certificates
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.places import TOKEN, kind_of, plain_place
from boto_rolesanywhere.settings.sources import Secret

from .helper_names import as_helper_shows
from .selector import Selector, parse_selector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.settings.config import Arguments

logger = logger_of(__name__)

_WITHOUT_SECRET: Final = Access()


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate of a store.

    Attributes:
        certificate: it.
        place: the file, or the URI that names it alone.
    """

    certificate: x509.Certificate
    place: str


@dataclass(frozen=True, slots=True)
class _File:
    """What a file of the folder holds; nothing if it is locked."""

    path: str
    contents: Contents = field(repr=False)
    locked: bool = False


def find_certificates(
    selector: Selector, store: str | None, access: Access = _WITHOUT_SECRET
) -> tuple[Listed, ...]:
    """The certificates of a store that the selector matches, each once."""
    place = _require_store(store)
    if kind_of(place) == TOKEN:
        return _on_token(selector, place, access)
    return _in_folder(selector, _read_folder(place, access.secret))


@dataclass(frozen=True, slots=True)
class Choice:
    """What a selector chooses.

    Attributes:
        leaf: the certificate.
        key: the file with its private key, or the URI of both.
        chain: the intermediates, in order.
        secret: what unlocks them; None for nothing.
    """

    leaf: Listed
    key: str
    chain: tuple[Listed, ...]
    secret: Secret | None


def choose(
    selector: str,
    store: str | None,
    access: Access = _WITHOUT_SECRET,
    *,
    latest: bool = False,
    contents: Mapping[str, bytes | None] | None = None,
) -> Choice:
    """The certificate, key and chain that a selector chooses."""
    wanted, place = parse_selector(selector), _require_store(store)
    if kind_of(place) == TOKEN:
        leaf = _choose_one(_on_token(wanted, place, access), place, latest=latest)
        pin = parse_pkcs11_uri(place).pin_value
        if pin is not None and access.secret is None:
            access = access._replace(secret=Secret(pin, f"pin-value in {STORE}"))
        others = _on_token(Selector(), place, access)
        key = leaf.place
    else:
        files = _read_folder(place, access.secret, contents)
        leaf = _choose_one(_in_folder(wanted, files), place, latest=latest)
        others = _in_folder(Selector(), files)
        key = _key_file(leaf, files, place, access.secret)
    known = {other.certificate: other for other in others}
    chain = order_chain(leaf.certificate, list(known), now=datetime.now(timezone.utc))
    return Choice(leaf, key, tuple(known[issuer] for issuer in chain), access.secret)


def arguments_of(choice: Choice) -> Arguments:
    """The choice as arguments of `get_session`."""
    # The certificate as an object: its file may hold another one of the same key.
    found: Arguments = {"cert": choice.leaf.certificate, "key": choice.key}
    if choice.chain:
        found["chain"] = tuple(issuer.certificate for issuer in choice.chain)
    if kind_of(choice.key) == TOKEN and choice.secret is not None:
        found["passphrase"] = choice.secret
    return found


def _require_store(store: str | None) -> str:
    if not store:
        raise ConfigurationError(
            "the certificate stores of Windows and macOS are not supported",
            code="store-incomplete",
            where="--cert-selector",
            remedy=f"Name what to choose from: {STORE} with a folder of certificate files or a"
            " pkcs11: URI; or name the certificate itself with --certificate.",
        )
    return plain_place(store)


def _choose_one(found: Sequence[Listed], store: str, *, latest: bool) -> Listed:
    # A token may hold a certificate twice, and no selector tells the two apart: take the first.
    found = list({each.certificate: each for each in reversed(found)}.values())
    if not found:
        raise CertificateError(
            "--cert-selector matches no certificate in it",
            code="selector-matches-not-one",
            where=shown_place(store),
            remedy="`boto-rolesanywhere read-certificate-data --cert-store` lists what is there.",
        )
    if len(found) > 1 and not latest:
        names = ", ".join(
            f"{as_helper_shows(each.certificate.subject)}"
            f" (serial {each.certificate.serial_number:X})"
            for each in found
        )
        raise CertificateError(
            f"--cert-selector matches {len(found)} certificates in it: {names}",
            code="selector-matches-not-one",
            where=shown_place(store),
            remedy=f"Add x509Serial to the selector, or {LATEST}.",
        )
    return max(found, key=lambda listed: listed.certificate.not_valid_after_utc)


def _on_token(selector: Selector, uri: str, access: Access) -> tuple[Listed, ...]:
    found = list_token_certificates(uri, module=access.pkcs11_module, secret=access.secret)
    return tuple(
        Listed(certificate, place) for place, certificate in found if selector.matches(certificate)
    )


def _in_folder(selector: Selector, files: Sequence[_File]) -> tuple[Listed, ...]:
    found: dict[x509.Certificate, Listed] = {}
    for file in files:
        for certificate in file.contents.certificates:
            if selector.matches(certificate):
                found.setdefault(certificate, Listed(certificate, file.path))
    if not found and (locked := [file.path for file in files if file.locked]):
        logger.warning(
            "Left out of %s, since the passphrase is missing or wrong: %s",
            STORE,
            ", ".join(locked),
        )
    return tuple(found.values())


def _read_folder(
    place: str, secret: Secret | None, contents: Mapping[str, bytes | None] | None = None
) -> list[_File]:
    folder = Path(os.path.expanduser(place))  # noqa: PTH111  # Path's own may fail
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        expected = "a folder of certificate files, or a pkcs11: URI"
        raise unreadable(error, f"{STORE} {place}", expected) from None
    files: list[_File] = []
    for path in paths:
        content = contents.get(path.name) if contents is not None else None
        if contents is not None and not content:
            continue
        try:
            source = Part("certificate", str(path), content) if content else path
            files.append(_File(str(path), open_file(source, "certificate", Access(secret))))
        except PassphraseError:
            files.append(_File(str(path), Contents(), locked=True))
        except RolesAnywhereError as error:
            logger.debug("Left out of %s: %s", STORE, error)  # a folder may hold other things too
    return files


def _key_file(chosen: Listed, files: Sequence[_File], store: str, secret: Secret | None) -> str:
    public_key = readable_public_key(chosen.certificate)
    # That beside the certificate first, so that its file is not left for another copy of the key.
    for file in sorted(files, key=lambda file: file.path != chosen.place):
        if public_key in _public_keys(file, secret):
            return file.path
    raise PrivateKeyError(
        f"none of its files holds the private key of {describe_subject(chosen.certificate)}",
        code="key-not-in-file",
        where=shown_place(store),
        expected="the key in a file of its own, or with the certificate",
        remedy="If it is encrypted, give the passphrase with --pkcs8-password-file.",
    )


def _public_keys(file: _File, secret: Secret | None) -> list[PublicKeyTypes]:
    keys: list[PublicKeyTypes] = []
    for open_one in file_keys(file.contents, Access(secret)):
        try:
            keys.append(open_one().public_key())
        except RolesAnywhereError as error:  # noqa: PERF203  # another one may be the right one
            logger.debug("Left out of %s: %s", STORE, error)
    return keys
