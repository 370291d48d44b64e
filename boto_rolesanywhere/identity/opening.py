"""From what the user gave to an `Identity`: read, decode, match, order, check.

Each step is another module's; the order of the steps, and the words for parts that do not fit
together, are this one's.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..certificates import (
    algorithm_for,
    check_certificate,
    describe_key,
    describe_subject,
    find_leaf,
    order_chain,
)
from ..errors import CertificateError, ConfigurationError, PrivateKeyError
from . import Identity, SigningKey
from .contents import Contents, open_contents
from .file import Part, read_part
from .keys import decode_key
from .software import SoftwareKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from .file import Role
    from .sources import ChainSource, CertificateSource, IdentitySources, KeySource

logger = logging.getLogger("boto_rolesanywhere.identity")

_PKCS11 = "pkcs11:"
_TPM_HANDLE = "handle:"


@dataclass(frozen=True, slots=True)
class Material:
    """The inputs as they were read. Equal to another when nothing changed.

    Attributes:
        certificate: bytes with their place, an object, or a ``pkcs11:`` URI.
        private_key: the same, or a ``handle:``, or None if it stands with the certificate.
        chain: bytes with their place, or objects, or None.
    """

    certificate: Part | CertificateSource = field(repr=False)
    private_key: Part | KeySource | None = field(repr=False)
    chain: Part | ChainSource | None = field(repr=False)


def open_identity(sources: IdentitySources, *, now: datetime) -> Identity:
    """Read and check what `sources` name.

    Args:
        sources: certificate, key and chain as the user gave them.
        now: the present time, with its time zone.

    Raises:
        CertificateError: a certificate cannot be read, or AWS would refuse it.
        PrivateKeyError: the key cannot be read, or belongs to none of the certificates.
        PassphraseError: the key is encrypted, and the passphrase is missing or wrong.
        KeyDeviceError: the token or TPM failed.
    """
    return build_identity(read_sources(sources), sources, now=now)


def read_sources(sources: IdentitySources) -> Material:
    """Read the files that `sources` name, without looking into them."""
    key, chain = sources.private_key, sources.chain
    return Material(
        _read(sources.certificate, "certificate"),
        None if key is None else _read(key, "private key"),
        None if chain is None else _read(chain, "chain"),
    )


def build_identity(material: Material, sources: IdentitySources, *, now: datetime) -> Identity:
    """Build the identity from what was read. Raises as `open_identity` does."""
    held = _open(material.certificate, sources)
    apart = _open(material.private_key, sources)
    candidates = (
        *held.certificates,
        *_open(material.chain, sources).certificates,
        *apart.certificates,
    )
    keys = list(_signing_keys(material, held, apart, sources))
    for key in keys:
        leaf = find_leaf(candidates, key.public_key(), now=now)
        if leaf:
            break
    else:
        raise PrivateKeyError("no key fits")
    check_certificate(leaf, now=now, where=_place(material.certificate))
    return Identity(
        certificate=leaf,
        chain=order_chain(leaf, candidates, now=now),
        key=key,
        algorithm=algorithm_for(leaf.public_key()),
    )


def _signing_keys(
    material: Material, held: Contents, apart: Contents, sources: IdentitySources
) -> Iterator[SigningKey]:
    for part, contents in ((material.private_key, apart), (material.certificate, held)):
        if isinstance(part, Part):
            for block in contents.keys:
                yield SoftwareKey(decode_key(block, part, sources.secret))
            if contents.keys:
                return


def _open(source: object, sources: IdentitySources) -> Contents:
    return open_contents(source) if isinstance(source, Part) else Contents()


def _place(source: object) -> str | None:
    return source.where if isinstance(source, Part) else None


def _read(source: object, role: Role) -> object:
    if isinstance(source, bytes | os.PathLike) or (
        isinstance(source, str) and not source.startswith((_PKCS11, _TPM_HANDLE))
    ):
        return read_part(source, role)
    return source
