"""What an identity is made of, as it was read: bytes of files, or objects, or names of devices.

Nothing here looks into them. Two of them can be compared, which tells whether files have changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.files.reading import Part, Role, read_part
from boto_rolesanywhere.settings.places import TOKEN, TPM, kind_of, plain_place
from boto_rolesanywhere.signing_key import SigningKey

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.settings.sources import IdentitySources

_CHOICES: Final = {
    "certificate": "a path, bytes, a pkcs11: URI or an x509.Certificate",
    "private key": "a path, bytes, a pkcs11: URI, a TPM handle: or an object that can sign",
    "chain": "a path, bytes, or x509.Certificate objects",
}


@dataclass(frozen=True, slots=True, repr=False)
class Material:
    """The inputs as they were read. Equal to another when nothing changed.

    Attributes:
        certificate: bytes with their place, an object, or a ``pkcs11:`` URI.
        private_key: the same, or a ``handle:``, or None if it stands with the certificate.
        chain: bytes with their place, objects, a ``pkcs11:`` URI, or None.
    """

    certificate: Part | str | x509.Certificate
    private_key: Part | str | SigningKey | PrivateKeyTypes | None
    chain: Part | str | tuple[x509.Certificate, ...] | None

    def __repr__(self) -> str:
        # A URI may hold a PIN, and an object's repr anything.
        places = map(place_of, (self.certificate, self.private_key, self.chain))
        return f"<Material from {', '.join(place for place in places if place)}>"


def read_sources(sources: IdentitySources) -> Material:
    """Read the files that `sources` name, without looking into them.

    Raises:
        ConfigurationError, CertificateError, PrivateKeyError: one of them cannot be read.
    """
    key, chain = sources.private_key, sources.chain
    return Material(
        cast("Part | str | x509.Certificate", _read(sources.certificate, "certificate")),
        None if key is None else cast("Part | str | SigningKey", _read(key, "private key")),
        None
        if chain is None
        else cast("Part | str | tuple[x509.Certificate, ...]", _read(chain, "chain")),
    )


def place_of(source: object) -> str | None:
    """Where a part of the material came from, for messages; None for nothing."""
    if isinstance(source, Part):
        return source.where
    if isinstance(source, str):
        return "the PKCS#11 token" if kind_of(source) == TOKEN else source
    return None if source is None else "the objects given"


def _read(source: object, role: Role) -> object:
    from cryptography import x509

    kind = kind_of(source)
    if isinstance(source, str) and (kind == TOKEN or (kind == TPM and role == "private key")):
        return plain_place(source)
    if isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
        return read_part(source, role)
    if role == "certificate" and isinstance(source, x509.Certificate):
        return source
    if role == "private key" and isinstance(source, SigningKey):
        return source
    if role == "chain":
        objects = (source,) if isinstance(source, x509.Certificate) else source
        if isinstance(objects, list | tuple) and all(
            isinstance(one, x509.Certificate) for one in objects
        ):
            return tuple(objects)
    raise ConfigurationError(
        f"the {role} was given as {type(source).__name__}",
        code="source-type-unusable",
        expected=_CHOICES[role],
    )
