"""The key bags of PKCS #12 (RFC 7292, section 4), of which `cryptography` opens the first alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.reading import quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_EXPLICIT: Final = 0xA0  # the content of a ContentInfo, and of a bag
_DATA: Final = "1.2.840.113549.1.7.1"
_DATA_OID: Final = bytes.fromhex("06092a864886f70d010701")
_KEY_BAG_OID: Final = bytes.fromhex("060b2a864886f70d010c0a0101")
_SHROUDED_KEY_BAG_OID: Final = bytes.fromhex("060b2a864886f70d010c0a0102")


def other_keys(
    file: bytes, passphrase: bytes, first: PrivateKeyTypes
) -> tuple[PrivateKeyTypes, ...]:
    """The keys of a PKCS #12 file but the `first`; none if it is BER, or its keys lie elsewhere.

    Programs put keys into bags that are encrypted one by one, or not at all.
    """
    try:
        bags = tuple(_key_bags(file))
    except (der.DerError, IndexError):
        return ()
    if len(bags) < 2:  # noqa: PLR2004  # the first alone
        return ()
    opened = [key for bag in bags if (key := _open(bag, passphrase)) is not None]
    return tuple(key for key in opened if key.public_key() != first.public_key())


def open_bag(encrypted: bytes, passphrase: bytes) -> PrivateKeyTypes | None:
    """The key in an EncryptedPrivateKeyInfo; None if it does not open or is refused rightly.

    It is read as the only thing in a PKCS #12 file without a MAC. The library reads a key there
    that it refuses in PKCS #8: an EC key's number of another length, or version 2.
    """
    return _open(der.sequence(_SHROUDED_KEY_BAG_OID, der.encode(_EXPLICIT, encrypted)), passphrase)


def _open(bag: bytes, passphrase: bytes) -> PrivateKeyTypes | None:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    file = der.sequence(
        der.encode(der.INTEGER, b"\3"), _data(der.sequence(_data(der.sequence(bag))))
    )
    try:
        return quietly(lambda: load_key_and_certificates(file, passphrase))[0]
    except Exception:  # noqa: BLE001  # the library's, of many kinds for what is damaged
        return None


def _key_bags(file: bytes) -> Iterator[bytes]:
    authenticated_safe = _content_of_data(der.read_only(file).children()[1])
    for info in der.read_only(authenticated_safe or b"").children():
        safe_contents = _content_of_data(info)
        if safe_contents is None:
            continue
        for bag in der.read_only(safe_contents).children():
            if bag.children()[0].raw in (_KEY_BAG_OID, _SHROUDED_KEY_BAG_OID):
                yield bag.raw


def _content_of_data(info: der.Element) -> bytes | None:
    name, *content = info.children()
    if der.oid(name) != _DATA:
        return None
    return content[0].children()[0].expect(der.OCTET_STRING).content


def _data(content: bytes) -> bytes:
    return der.sequence(_DATA_OID, der.encode(_EXPLICIT, der.encode(der.OCTET_STRING, content)))
