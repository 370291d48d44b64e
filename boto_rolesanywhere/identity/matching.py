"""Finds the private key and the end-entity certificate that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from boto_rolesanywhere.certificates.chain import find_leaf
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key
from boto_rolesanywhere.certificates.reading import readable_public_key, serial_number
from boto_rolesanywhere.certificates.rules import check_certificate, problems
from boto_rolesanywhere.errors import CertificateError, PrivateKeyError, RolesAnywhereError
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from boto_rolesanywhere.signing_key import SigningKey

    AnyKey: TypeAlias = SigningKey | PrivateKeyTypes
    KeyOpener: TypeAlias = Callable[[], AnyKey]


class Pair(NamedTuple):
    """A key, and the certificate with its public key; AWS might still refuse the certificate."""

    key: SigningKey
    leaf: x509.Certificate


def match(
    openers: Iterable[KeyOpener],
    held: Sequence[x509.Certificate],
    candidates: Sequence[x509.Certificate],
    *,
    key_place: str | None,
    certificate_place: str | None,
    now: datetime,
) -> Pair:
    """The key that belongs to a certificate, and this certificate.

    Each key is tried. A certificate that AWS would take goes before one that it would refuse.

    Args:
        openers: open the keys, in their order.
        held: the certificates among which the end-entity certificate is meant to be.
        candidates: all certificates, which count where no key belongs to one of `held`.
        key_place: where the key came from, for messages.
        certificate_place: the same of the certificate.
        now: aware; for the certificates' validity.

    Raises:
        PrivateKeyError: no key belongs to a certificate, or several pairs are usable.
        RolesAnywhereError: as the openers; only if no other key is usable.
    """
    usable = [certificate for certificate in held if not problems(certificate, now)]
    pairs: list[Pair] = []
    strangers: list[SigningKey] = []
    refused: RolesAnywhereError | None = None
    for open_one in openers:
        try:
            key = _as_signing_key(open_one(), key_place)
        except RolesAnywhereError as error:
            refused = refused or error  # the next one may be the certificate's
            continue
        public_key = _public_key(key)
        leaf = find_leaf(held, public_key, now=now) or find_leaf(candidates, public_key, now=now)
        if leaf is None:
            strangers.append(key)
            continue
        pairs.append(Pair(key, leaf))
        if leaf in usable and len(usable) == 1:
            break  # the others need not be opened, which may take a passphrase
    if pairs:
        return _chosen(pairs, usable, certificate_place)
    if refused is not None:
        raise refused
    for candidate in candidates:
        if readable_public_key(candidate) is None:
            check_certificate(candidate, now=now, where=certificate_place)
    raise _mismatch(strangers[0], candidates, key_place, certificate_place)


def wanted_keys(held: Sequence[x509.Certificate], now: datetime) -> list[PublicKeyTypes]:
    """The public keys of those certificates that AWS would take; if it takes none, of all."""
    usable = [certificate for certificate in held if not problems(certificate, now)]
    keys = map(readable_public_key, usable or held)
    return [cast("PublicKeyTypes", key) for key in keys if key is not None]


def _chosen(pairs: list[Pair], usable: list[x509.Certificate], where: str | None) -> Pair:
    # The same key may stand there twice.
    good = list({pair.leaf: pair for pair in reversed(pairs) if pair.leaf in usable}.values())
    if len(good) > 1:
        listed = ", ".join(
            f"{describe_subject(pair.leaf)} (serial number {serial_number(pair.leaf):x})"
            for pair in reversed(good)
        )
        raise PrivateKeyError(
            f"it holds {len(good)} identities that could be used: {listed}",
            code="identity-ambiguous",
            where=where,
            expected="one",
            remedy="Put the certificate that is meant into a file of its own, and name that file "
            "as the certificate: it decides which key is used.",
        )
    return good[0] if good else pairs[0]


def _as_signing_key(key: AnyKey, where: str | None) -> SigningKey:
    """`key` itself, or in a `SoftwareKey` if it is a private key of `cryptography`."""
    public_key = _public_key(key)
    try:
        algorithm_for(public_key)
    except CertificateError as error:
        raise PrivateKeyError(
            error.problem,
            code=error.code,
            where=where,
            expected=error.expected,
            remedy=error.remedy,
        ) from None
    if type(key).__module__.partition(".")[0] == "cryptography":
        return SoftwareKey(cast("PrivateKeyTypes", key))
    return cast("SigningKey", key)


def _public_key(key: AnyKey) -> PublicKeyTypes:
    try:
        return key.public_key()
    except RolesAnywhereError:
        raise
    except Exception as error:
        raise PrivateKeyError(
            f"public_key() of {type(key).__name__} raised {type(error).__name__}",
            code="signing-failed",
        ) from error


def _mismatch(
    key: SigningKey, candidates: Sequence[x509.Certificate], where: str | None, place: str | None
) -> PrivateKeyError:
    kind = describe_key(_public_key(key))
    if len(candidates) == 1:
        its_key = describe_key(readable_public_key(candidates[0]))
        theirs = f"that is {describe_subject(candidates[0])}, {its_key}"
    else:
        theirs = f"none of its {len(candidates)} certificates has the same public key"
    return PrivateKeyError(
        f"the private key ({kind}) does not belong to the certificate ({place}): {theirs}",
        code="key-not-of-certificate",
        where=where,
        remedy="Compare `openssl pkey -in KEY -pubout` with `openssl x509 -in CERTIFICATE -noout "
        "-pubkey`: they must be equal.",
    )
