"""From what the user gave to an `Identity`: read, decode, match, order, check.

Each step is another module's; the order of the steps, and the words for parts that do not fit
together, are this one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from boto_rolesanywhere.certificates.chain import find_leaf, is_issued_by, order_chain
from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key
from boto_rolesanywhere.certificates.reading import (
    describe_issuer,
    describe_subject,
    readable_public_key,
)
from boto_rolesanywhere.certificates.rules import check_certificate
from boto_rolesanywhere.errors import CertificateError, PrivateKeyError, RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import Contents, open_contents
from boto_rolesanywhere.identity.files.reading import Part, Role
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.places import TOKEN, kind_of

from .identity import Identity
from .material import Material, place_of, read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from boto_rolesanywhere.settings.sources import IdentitySources
    from boto_rolesanywhere.signing_key import SigningKey

    _KeyOpener = Callable[[], SigningKey]

__all__ = ["Matched", "Material", "build_identity", "match_key", "open_identity", "read_sources"]

logger = logger_of("boto_rolesanywhere.identity")

_warned_of: set[str] = set()


@dataclass(frozen=True, slots=True)
class Matched:
    """A key, and the certificates among which its own is.

    Attributes:
        key: what signs.
        leaf: the certificate with its public key; whether AWS takes it is not looked at.
        candidates: all certificates that were given, in their order.
        extra: those of them that were given as the chain.
    """

    key: SigningKey
    leaf: x509.Certificate
    candidates: tuple[x509.Certificate, ...]
    extra: tuple[x509.Certificate, ...]


def open_identity(sources: IdentitySources, *, now: datetime) -> Identity:
    """Read and check what `sources` name.

    Args:
        sources: certificate, key and chain as the user gave them.
        now: the present time, with its time zone.

    Raises:
        ConfigurationError: a source is of a type that cannot be one.
        CertificateError: a certificate cannot be read, or AWS would refuse it.
        PrivateKeyError: the key cannot be read, or belongs to none of the certificates.
        PassphraseError: the key is encrypted, and the passphrase is missing or wrong.
        KeyDeviceError: the token or TPM failed.
    """
    return build_identity(read_sources(sources), sources, now=now)


def build_identity(
    material: Material,
    sources: IdentitySources,
    *,
    now: datetime,
    in_use: Identity | None = None,
) -> Identity:
    """Build the identity from what was read.

    Args:
        material: what was read.
        sources: what it was read from.
        now: the present time, with its time zone.
        in_use: the one that it is to replace, if there is one that may be kept.

    Raises:
        RolesAnywhereError: as `open_identity`; also if the chain of `in_use` shows that the new one
            is not whole yet.
    """
    found = match_key(material, sources, now=now)
    place = place_of(material.certificate)
    check_certificate(found.leaf, now=now, where=place)
    where = place_of(material.chain) or place
    chain = order_chain(found.leaf, found.candidates, now=now, where=where)
    if in_use is not None:
        _require_whole((found.leaf, *chain), in_use, where, apart=material.chain is not None)
    _warn_of_strangers(found.leaf, found.extra, found.candidates, material)
    return Identity(
        certificate=found.leaf,
        chain=chain,
        key=found.key,
        algorithm=algorithm_for(found.leaf.public_key()),
    )


def match_key(material: Material, sources: IdentitySources, *, now: datetime) -> Matched:
    """Open the key and find its certificate. Raises as `open_identity` does, of these two alone."""
    held = _certificates_of(material.certificate, "certificate", sources)
    extra = _certificates_of(material.chain, "chain", sources)
    apart = (
        open_contents(material.private_key, sources.secret)
        if isinstance(material.private_key, Part)
        else Contents()
    )
    candidates = (*held.certificates, *extra.certificates, *apart.certificates)
    if material.private_key is None:
        openers = _keys_in(material.certificate, held, sources)
    else:
        openers = _keys_in(material.private_key, apart, sources)
    key, leaf = _match(openers, candidates, material, now)
    return Matched(key, leaf, candidates, extra.certificates)


def _certificates_of(source: object, role: Role, sources: IdentitySources) -> Contents:
    if source is None:
        return Contents()
    if isinstance(source, Part):
        contents = open_contents(source, sources.secret)
    elif isinstance(source, str):
        contents = Contents(_on_token(source, role, sources))
    else:
        objects = source if isinstance(source, tuple) else (source,)
        return Contents(cast("tuple[x509.Certificate, ...]", objects))
    if not contents.certificates:
        swapped = role == "certificate" and contents.has_key
        raise CertificateError(
            f"it holds {contents.inventory} and no certificate",
            code="certificate-not-in-file",
            where=place_of(source),
            remedy="Are certificate and private key given the wrong way round?"
            if swapped
            else contents.remedy,
        )
    return contents


def _on_token(uri: str, role: Role, sources: IdentitySources) -> tuple[x509.Certificate, ...]:
    from .pkcs11 import named_token_certificates, read_token_certificates

    if role == "chain":  # else the key tells which of them is meant
        named, others = named_token_certificates(
            uri, module=sources.pkcs11_module, secret=sources.secret
        )
        return (*named, *others)
    return read_token_certificates(uri, module=sources.pkcs11_module, secret=sources.secret)


def _keys_in(source: object, contents: Contents, sources: IdentitySources) -> list[_KeyOpener]:
    from cryptography import x509

    if isinstance(source, Part):
        return _keys_in_part(source, contents, sources)
    if isinstance(source, str):
        return [partial(_device_key, source, sources)]
    if isinstance(source, x509.Certificate):
        raise _no_key("the certificate was given as an object, and no private key with it")
    return [partial(_as_signing_key, cast("SigningKey | PrivateKeyTypes", source))]


def _keys_in_part(part: Part, contents: Contents, sources: IdentitySources) -> list[_KeyOpener]:
    if not contents.has_key:
        if part.role == "private key":
            raise PrivateKeyError(
                f"it holds {contents.inventory} and no private key",
                code="key-not-in-file",
                where=part.where,
                remedy=contents.remedy,
            )
        raise _no_key(
            f"it holds {contents.inventory} and no private key, and none was given", part.where
        )
    openers: list[_KeyOpener] = [
        partial(_software_key, load, part)
        for load in contents.key_loaders(part.where, sources.secret)
    ]
    if contents.tpm_key:
        openers.append(partial(_device_key, contents.tpm_key, sources, part.where))
    return openers


def _software_key(load: Callable[[], PrivateKeyTypes], part: Part) -> SigningKey:
    key = load()
    if part.exposed and part.where not in _warned_of:
        _warned_of.add(part.where)
        logger.warning(
            "%s holds a private key, and others than its owner may read it: chmod 600.", part.where
        )
    return _as_signing_key(key, part.where)


def _no_key(what: str, where: str | None = None) -> PrivateKeyError:
    return PrivateKeyError(
        what,
        code="key-not-in-file",
        where=where,
        remedy="Give it as the argument `key`, in AWS_ROLESANYWHERE_PRIVATE_KEY or as "
        "rolesanywhere_private_key in the AWS config file, or put it into the certificate's file.",
    )


def _device_key(
    source: str | bytes, sources: IdentitySources, where: str | None = None
) -> SigningKey:
    if isinstance(source, str) and kind_of(source) == TOKEN:
        from .pkcs11 import open_token_key

        return open_token_key(source, module=sources.pkcs11_module, secret=sources.secret)
    from .tpm import open_tpm_key

    return open_tpm_key(source, tcti=sources.tpm_tcti, secret=sources.secret, where=where)


def _as_signing_key(key: SigningKey | PrivateKeyTypes, where: str | None = None) -> SigningKey:
    """`key`, if it is the user's own; wrapped, if it is a private key of `cryptography`."""
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


def _public_key(key: SigningKey | PrivateKeyTypes) -> PublicKeyTypes:
    try:
        return key.public_key()
    except RolesAnywhereError:
        raise
    except Exception as error:
        raise PrivateKeyError(
            f"public_key() of {type(key).__name__} raised {type(error).__name__}",
            code="signing-failed",
        ) from error


def _match(
    openers: Iterable[_KeyOpener],
    candidates: tuple[x509.Certificate, ...],
    material: Material,
    now: datetime,
) -> tuple[SigningKey, x509.Certificate]:
    strangers: list[SigningKey] = []
    refused: RolesAnywhereError | None = None
    for open_key in openers:
        try:
            key = open_key()
        except RolesAnywhereError as error:
            refused = refused or error  # the next one may be the certificate's
            continue
        leaf = find_leaf(candidates, _public_key(key), now=now)
        if leaf is not None:
            return key, leaf
        strangers.append(key)
    if refused is not None:
        raise refused
    for one in candidates:
        if readable_public_key(one) is None:
            check_certificate(one, now=now, where=place_of(material.certificate))
    raise _mismatch(strangers[0], candidates, material)


def _mismatch(
    key: SigningKey, candidates: tuple[x509.Certificate, ...], material: Material
) -> PrivateKeyError:
    place = place_of(material.certificate)
    kind = describe_key(_public_key(key))
    if len(candidates) == 1:
        other = describe_key(readable_public_key(candidates[0]))
        theirs = f"that is {describe_subject(candidates[0])}, {other}"
    else:
        theirs = f"none of its {len(candidates)} certificates has the same public key"
    return PrivateKeyError(
        f"the private key ({kind}) does not belong to the certificate ({place}): {theirs}",
        code="key-not-of-certificate",
        where=place_of(material.private_key),
        remedy="Compare `openssl pkey -in KEY -pubout` with `openssl x509 -in CERTIFICATE -noout "
        "-pubkey`: they must be equal.",
    )


def _require_whole(
    path: tuple[x509.Certificate, ...], in_use: Identity, where: str | None, *, apart: bool
) -> None:
    """Refuse a path that ends where the one in use goes on: its file is still being written.

    Likewise one without intermediates, if there were some and they stand in a file `apart`: that
    is still the old one.
    """
    goes_on = any(is_issued_by(path[-1], one) for one in in_use.chain if one not in path)
    if goes_on or (apart and in_use.chain and len(path) == 1):
        raise CertificateError(
            f"the certificate of {describe_issuer(path[-1])}, which issued"
            f" {describe_subject(path[-1])}, is not there yet",
            code="chain-incomplete",
            where=where,
        )


def _warn_of_strangers(
    leaf: x509.Certificate,
    extra: tuple[x509.Certificate, ...],
    candidates: Iterable[x509.Certificate],
    material: Material,
) -> None:
    if extra and not any(is_issued_by(leaf, one) for one in candidates):
        logger.warning(
            "None of the certificates in %s issued %s: no chain is sent.",
            place_of(material.chain),
            describe_subject(leaf),
        )
