"""The parts of an identity before they are opened: bytes of files, objects, or names of devices.

Comparing two materials shows whether files have changed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.plain import is_certificate
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.files.reading import Part, Role, read_part
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.settings.places import TOKEN, is_device, kind_of, plain_place
from boto_rolesanywhere.signing_key import SigningKey

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.settings.sources import IdentitySources

_CHOICES: Final = {
    "private key": "a path, bytes, a pkcs11: URI, a TPM handle: or an object that can sign",
    "chain": "a path, bytes, or x509.Certificate objects",
}
_CERTIFICATE: Final = "a path, bytes, a pkcs11: URI or an x509.Certificate"


class Material(NamedTuple):
    """The inputs as they were read. Two are equal when nothing has changed.

    Attributes:
        certificate: bytes with their place, an object, or a ``pkcs11:`` URI.
        private_key: bytes with their place, an object, a ``pkcs11:`` URI or a ``handle:``; None if
            the key is in the certificate's file.
        chain: bytes with their place, objects, a ``pkcs11:`` URI, or None.
    """

    certificate: Part | str | x509.Certificate
    private_key: Part | str | SigningKey | PrivateKeyTypes | None
    chain: Part | str | tuple[x509.Certificate, ...] | None

    def __repr__(self) -> str:
        # A URI may hold a PIN, and an object's repr anything.
        places = map(place_of, self)
        return f"<Material from {', '.join(place for place in places if place)}>"

    def contents(self) -> tuple[bytes | str | None, ...]:
        """Bytes, URI or public part of certificate, key and chain, to tell them from others."""
        return tuple(map(_content, self))


def read_sources(sources: IdentitySources) -> Material:
    """Read the files that `sources` name, without looking into them.

    Raises:
        ConfigurationError, CertificateError, PrivateKeyError: a file cannot be read.
    """
    key, chain = sources.private_key, sources.chain
    return Material(
        read_certificate(sources.certificate),
        None if key is None else read_key(key),
        None if chain is None else read_chain(chain),
    )


def read_certificate(place: object, role: Role = "certificate") -> Part | str | x509.Certificate:
    """The certificate's bytes, URI or object. Raises as `read_sources` does, like the next two."""
    if is_certificate(place):
        return place
    return _read(place, role)


def read_key(place: object) -> Part | str | SigningKey:
    """The key's bytes, URI or handle, or the object that signs."""
    return place if isinstance(place, SigningKey) else _read(place, "private key")


def read_chain(place: object) -> Part | str | tuple[x509.Certificate, ...]:
    """The chain's bytes or URI, or its certificates."""
    if is_certificate(place):
        return (place,)
    if isinstance(place, list | tuple) and all(map(is_certificate, place)):
        return tuple(place)
    return _read(place, "chain")


def place_of(read: object) -> str | None:
    """Where a part of the material came from, for messages; None for nothing."""
    if isinstance(read, Part):
        return read.where
    if isinstance(read, str):
        return "the PKCS#11 token" if kind_of(read) == TOKEN else read
    return None if read is None else "the objects given"


def _read(place: object, role: Role) -> Part | str:
    holds_role = is_device(place) and (role == "private key" or kind_of(place) == TOKEN)
    if isinstance(place, str) and holds_role:
        return plain_place(place)
    if isinstance(place, str | os.PathLike | bytes | bytearray | memoryview):
        return read_part(place, role)
    raise ConfigurationError(
        f"the {role} was given as {type(place).__name__}",
        code="setting-not-text",
        expected=_CHOICES.get(role, _CERTIFICATE),
    )


def _content(source: object) -> bytes | str | None:
    if isinstance(source, Part):
        return source.data
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if is_certificate(source):
        return source.public_bytes(Encoding.DER)
    if isinstance(source, tuple):
        return b"".join(each.public_bytes(Encoding.DER) for each in source)
    if isinstance(source, SigningKey):
        key = source.public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return source if isinstance(source, str) else None
