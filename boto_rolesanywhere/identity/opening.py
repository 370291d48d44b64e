"""The one door to certificates and keys, wherever they are, and from there to an `Identity`.

`open_certificates` and `open_key` open a place of any kind: a file, bytes, a token, a TPM or an
object. `open_identity` opens certificate, key and chain, and checks that they belong together.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.certificates.chain import is_issued_by, order_chain
from boto_rolesanywhere.certificates.descriptions import describe_issuer, describe_subject
from boto_rolesanywhere.certificates.plain import is_certificate
from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key, is_untried
from boto_rolesanywhere.certificates.rules import check_certificate
from boto_rolesanywhere.errors import CertificateError, PrivateKeyError, RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import Contents, open_contents
from boto_rolesanywhere.identity.files.private_keys import decode_key
from boto_rolesanywhere.identity.files.reading import FileSource, Part, Role, read_part
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.settings.places import TOKEN, TPM, kind_of

from .identity import Identity
from .matching import match, wanted_keys
from .material import (
    Material,
    place_of,
    read_certificate,
    read_chain,
    read_key,
    read_sources,
)
from .notices import warn_of_slips, warn_of_strangers, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.settings.places import Kind
    from boto_rolesanywhere.settings.sources import IdentitySources, Secret
    from boto_rolesanywhere.signing_key import SigningKey

    from .matching import AnyKey, KeyOpener

_SWAPPED: Final = "Are certificate and private key given the wrong way round?"


class Matched(NamedTuple):
    """A key, and the certificates that were opened with it.

    Attributes:
        key: what signs.
        leaf: the certificate with its public key; AWS might still refuse it.
        candidates: all certificates that were opened, in their order.
        intermediates: the candidates that the chain's setting names.
    """

    key: SigningKey
    leaf: x509.Certificate
    candidates: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]

    def __repr__(self) -> str:
        return f"<Matched: one of {len(self.candidates)} certificates>"


class Access(NamedTuple):
    """The secret and the library that open a place.

    Attributes:
        secret: passphrase, PIN or TPM password; asked for only when something is locked.
        pkcs11_module: path of a PKCS#11 library; None for p11-kit's proxy.
        tpm_tcti: a TCTI configuration; None for the kernel's.
    """

    secret: Secret | None = None
    pkcs11_module: str | None = None
    tpm_tcti: str | None = None


_PLAIN: Final = Access()


def open_certificates(
    place: object, role: Role = "certificate", access: Access = _PLAIN
) -> Contents:
    """The certificates at `place`, whether AWS takes them or not.

    Args:
        place: a path, bytes, a ``pkcs11:`` URI, or a certificate; for a chain also several.
        role: what the certificates are for; errors name it.
        access: secret and library.

    Returns:
        Contents with one certificate at least. On a token, `Contents.certificates` are those with
        the URI's object and id, `Contents.beside` the others.

    Raises:
        ConfigurationError: `place` is of a type that cannot be one, or a URI is wrong.
        CertificateError: it cannot be read, or holds no certificate.
        PassphraseError: it is encrypted, and the passphrase is missing or wrong.
        KeyDeviceError: the token failed, or has no such certificate.
    """
    read = read_chain(place) if role == "chain" else read_certificate(place, role)
    return _certificates_in(read, role, access)


def open_key(
    place: object, access: Access = _PLAIN, wanted: Sequence[PublicKeyTypes] = ()
) -> AnyKey:
    """The private key at `place`; of several in a file the first that can be opened.

    Args:
        place: a path, bytes, a ``pkcs11:`` URI, a ``handle:`` of a TPM, or an object that signs.
        access: secret, library and TPM.
        wanted: public keys of which one tells a token's key from others there, if any is known.

    Returns:
        A key of `cryptography`, or a `SigningKey`. It may belong to any certificate.

    Raises:
        ConfigurationError: `place` is of a type that cannot be one, or a URI is wrong.
        PrivateKeyError: it cannot be read, or holds no private key.
        PassphraseError: it is encrypted, and the passphrase is missing or wrong.
        KeyDeviceError: the token or TPM failed, or has no such key.
    """
    read = read_key(place)
    contents = open_contents(read, access.secret) if isinstance(read, Part) else Contents()
    refused: RolesAnywhereError | None = None
    for open_one in _keys_in(read, contents, access, (lambda: wanted) if wanted else None):
        try:
            return open_one()
        except RolesAnywhereError as error:  # noqa: PERF203  # the next may be usable
            refused = refused or error
    raise refused or _no_key_in(contents, place_of(read))


def open_file(place: FileSource | Part, role: Role, access: Access = _PLAIN) -> Contents:
    """What the file or the bytes at `place` hold, certificates and keys, or neither.

    Args:
        place: a path, bytes, or a `Part` that was read before.
        role: what the file is for; errors name it.
        access: the passphrase of a PKCS #12 file.

    Raises:
        CertificateError, PrivateKeyError: it cannot be read.
        PassphraseError: it is encrypted as a whole, and the passphrase is missing or wrong.
    """
    part = place if isinstance(place, Part) else read_part(place, role)
    return open_contents(part, access.secret)


def file_keys(contents: Contents, access: Access) -> list[KeyOpener]:
    """A function for each private key of a file, which opens it as `open_key` does.

    One at a time, since a key that cannot be read may stand before the wanted key.
    """
    openers: list[KeyOpener] = [partial(_itself, key) for key in contents.opened]
    openers += [partial(decode_key, key, contents.where, access.secret) for key in contents.keys]
    if contents.tpm_key:
        openers.append(partial(_tpm_key, contents.tpm_key, access, contents.where))
    return openers


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
        in_use: the identity to replace; None if there is none that may be kept.

    Raises:
        RolesAnywhereError: as `open_identity`; also if the chain of `in_use` shows that the new
            files are not complete yet.
    """
    matched = match_key(material, sources, now=now)
    place = place_of(material.certificate)
    check_certificate(matched.leaf, now=now, where=place)
    where = place_of(material.chain) or place
    chain = order_chain(matched.leaf, matched.candidates, now=now, where=where)
    if in_use is not None:
        _require_whole((matched.leaf, *chain), in_use, where, apart=material.chain is not None)
    warn_of_strangers(matched.leaf, chain, matched.intermediates, matched.candidates, material)
    warn_of_slips((matched.leaf, *chain), place)
    public_key = matched.leaf.public_key()
    if is_untried(public_key):
        warn_once(
            f"{place}: its key is {describe_key(public_key)}, and AWS publishes no upper bound."
        )
    return Identity(
        certificate=matched.leaf,
        chain=chain,
        key=matched.key,
        algorithm=algorithm_for(public_key),
    )


def match_key(material: Material, sources: IdentitySources, *, now: datetime) -> Matched:
    """Open the key and find its certificate. Raises as `open_identity` does."""
    access = Access(sources.secret, sources.pkcs11_module, sources.tpm_tcti)
    for_certificate = for_key = access
    if isinstance(material.certificate, str) and isinstance(material.private_key, str):
        from .pkcs11 import secrets_of_a_pair

        secrets = secrets_of_a_pair(material.certificate, material.private_key, access.secret)
        for_certificate, for_key = (access._replace(secret=secret) for secret in secrets)
    opened = _certificates_in(
        material.certificate, "certificate", for_certificate, key_decides=True
    )
    held = (*opened.certificates, *opened.beside)
    chain = Contents()
    if material.chain is not None:
        chain = _certificates_in(material.chain, "chain", access)
    key_file = Contents()
    if isinstance(material.private_key, Part):
        key_file = open_contents(material.private_key, sources.secret)
    intermediates = (*chain.certificates, *chain.beside)
    candidates = (*held, *intermediates, *key_file.certificates)
    if material.private_key is None:
        held = candidates
    wanted = partial(wanted_keys, held, now)
    openers = (
        _keys_in(material.certificate, opened, access, wanted)
        if material.private_key is None
        else _keys_in(material.private_key, key_file, for_key, wanted)
    )
    pair = match(
        openers,
        held,
        candidates,
        key_place=place_of(material.private_key),
        certificate_place=place_of(material.certificate),
        now=now,
    )
    return Matched(*pair, candidates, intermediates)


def _certificates_in(
    read: Part | str | x509.Certificate | tuple[x509.Certificate, ...],
    role: Role,
    access: Access,
    *,
    key_decides: bool = False,
) -> Contents:
    """The contents of the certificate's place, with at least one certificate.

    On a token this is a certificate that the URI names, unless the key decides which is meant.
    """
    if isinstance(read, str):
        from .pkcs11 import read_token_certificates

        named, others = read_token_certificates(
            read, module=access.pkcs11_module, secret=access.secret, key_decides=key_decides
        )
        return Contents(named, beside=others)
    if not isinstance(read, Part):
        return Contents(
            cast("tuple[x509.Certificate, ...]", read if isinstance(read, tuple) else (read,))
        )
    contents = open_contents(read, access.secret)
    if not contents.certificates:
        swapped = role == "certificate" and contents.has_key
        raise CertificateError(
            f"it holds {contents.inventory} and no certificate",
            code="certificate-not-in-file",
            where=read.where,
            remedy=_SWAPPED if swapped else contents.remedy,
        )
    return contents


def _itself(key: AnyKey) -> AnyKey:
    return key


def _keys_in(
    read: Part | str | x509.Certificate | AnyKey,
    contents: Contents,
    access: Access,
    wanted: Callable[[], Sequence[PublicKeyTypes]] | None = None,
) -> list[KeyOpener]:
    """What opens each key there.

    If the key of a certificate is looked for, whose public key is among those that `wanted` gives,
    several keys of a token may be meant.
    """
    if wanted is not None and isinstance(read, str) and kind_of(read) == TOKEN:
        from .pkcs11 import token_keys

        keys = token_keys(read, wanted=wanted(), module=access.pkcs11_module, secret=access.secret)
        return [partial(_itself, key) for key in keys]
    if isinstance(read, str):
        return [partial(KEY_OPENERS[kind_of(read)], read, access)]
    if is_certificate(read):
        raise _no_key("the certificate was given as an object, and no private key with it")
    if not isinstance(read, Part):
        return [partial(_itself, cast("AnyKey", read))]
    if contents.has_key:
        openers = file_keys(contents, access)
        return [partial(_warning, opener, read) for opener in openers] if read.exposed else openers
    if read.role == "private key":
        raise _no_key_in(contents, read.where)
    raise _no_key(
        f"it holds {contents.inventory} and no private key, and none was given", read.where
    )


def _warning(open_one: KeyOpener, part: Part) -> AnyKey:
    """The key; first a warning if others may read its file."""
    key = open_one()
    warn_once(f"{part.where} holds a private key that other users may read: chmod 600.")
    return key


def _no_key_in(contents: Contents, where: str | None) -> PrivateKeyError:
    return PrivateKeyError(
        f"it holds {contents.inventory} and no private key",
        code="key-not-in-file",
        where=where,
        remedy=_SWAPPED if contents.certificates else contents.remedy,
    )


def _no_key(problem: str, where: str | None = None) -> PrivateKeyError:
    return PrivateKeyError(
        problem,
        code="key-not-in-file",
        where=where,
        remedy="Give it as the argument `key`, in AWS_ROLESANYWHERE_PRIVATE_KEY or as "
        "rolesanywhere_private_key in the AWS config file, or put it into the certificate's file.",
    )


def _token_key(uri: str, access: Access) -> SigningKey:
    from .pkcs11 import open_token_key

    return open_token_key(uri, module=access.pkcs11_module, secret=access.secret)


def _tpm_key(handle: str | bytes, access: Access, where: str | None = None) -> SigningKey:
    from .tpm import open_tpm_key

    return open_tpm_key(handle, tcti=access.tpm_tcti, secret=access.secret, where=where)


KEY_OPENERS: Final[dict[Kind, Callable[[str, Access], SigningKey]]] = {
    TOKEN: _token_key,
    TPM: _tpm_key,
}


def _require_whole(
    path: tuple[x509.Certificate, ...], in_use: Identity, where: str | None, *, apart: bool
) -> None:
    """Refuse a path that ends where the path in use goes on: its file is still being written.

    Also refuse a path without intermediates if the path in use has some in a separate file
    (`apart`): that file has not been replaced yet.
    """
    goes_on = any(is_issued_by(path[-1], upper) for upper in in_use.chain if upper not in path)
    if goes_on or (apart and in_use.chain and len(path) == 1):
        raise CertificateError(
            f"the certificate of {describe_issuer(path[-1])}, which issued"
            f" {describe_subject(path[-1])}, is not there yet",
            code="rotation-held-back",
            where=where,
        )
