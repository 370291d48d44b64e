"""How much work an encrypted file asks for, read from the file before it is opened.

The file itself says how often its passphrase is hashed. So a program that can write the file could
stop the process: `cryptography` has no limit, and no other thread runs meanwhile.

The structures are those of RFC 8018 (PBES1, PBES2), RFC 7914 (scrypt) and RFC 7292 (PKCS #12). The
library reads BER, so this module reads BER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.der import (
    CONSTRUCTED,
    INTEGER,
    OCTET_STRING,
    OID,
    DerError,
    header,
)
from boto_rolesanywhere.records import NamedTuple

from .rsa_numbers import MOST_KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

# About a second each on a machine of 2020. OpenSSL writes 2,048 iterations, and scrypt with
# N = 16,384 and r = 8, which takes 16 MiB.
MOST_ITERATIONS: Final = 5_000_000
MOST_SCRYPT_BYTES: Final = 256 * 1024 * 1024
_MOST_SCRYPT_WORK: Final = 4 * 1024 * 1024
LIMITS: Final = (
    f"at most {MOST_ITERATIONS:,} iterations in the whole file; for scrypt at most 256 MiB, and "
    f"N·r·p at most {_MOST_SCRYPT_WORK:,}"
)
_MOST_ELEMENTS: Final = 50_000
_DEEPEST: Final = 32

_PKCS5: Final = bytes.fromhex("2a864886f70d0105")
_PBKDF2, _PBES2, _PBMAC1 = (_PKCS5 + bytes((number,)) for number in (12, 13, 14))
_PKCS12_PBE: Final = bytes.fromhex("2a864886f70d010c01")
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")
_DATA: Final = bytes.fromhex("2a864886f70d010701")
_KEY_BAGS: Final = (
    bytes.fromhex("2a864886f70d010c0a0101"),
    bytes.fromhex("2a864886f70d010c0a0102"),
)


class TooCostlyError(ValueError):
    """The file asks for more work than real files do; the message says which work."""


class _Element(NamedTuple):
    tag: int
    content: bytes
    children: list[_Element]
    size: int

    def __repr__(self) -> str:
        return f"<_Element {self.tag:#04x}>"  # its content may be a key's

    def number(self) -> int:
        """Its value as an INTEGER, or any huge one if it is negative or of many bytes."""
        return int.from_bytes(self.content[:16], "big") if self.tag == INTEGER else 0

    def octets(self) -> bytes:
        """Its content as an OCTET STRING, which BER may cut into pieces."""
        return self.content or b"".join(child.octets() for child in self.children)


def check_costs(data: bytes) -> None:
    """Refuse what costs too much to open: an EncryptedPrivateKeyInfo or a PKCS #12 file.

    Raises:
        TooCostlyError: it asks for more than `LIMITS`, or holds too large a key.
        DerError: it is damaged, or nested too deep.
    """
    iterations = work = 0
    for element in _Reader(data).all_elements():
        iterations += _iterations(element)
        work += _scrypt_work(element)
        if _is_key_bag(element) and element.size > MOST_KEY_BYTES:
            raise TooCostlyError("it holds a private key larger than any that AWS takes")
        if iterations > MOST_ITERATIONS:
            raise TooCostlyError("its passphrase would have to be hashed too often")
        if work > _MOST_SCRYPT_WORK:
            raise TooCostlyError("its passphrase would take scrypt too long or too much memory")


def _iterations(element: _Element) -> int:
    """What an AlgorithmIdentifier or the MacData of a PKCS #12 file asks for."""
    match element.children:
        case [_Element(tag=0x06, content=name), _Element(children=[_, iterations, *_])]:
            counts = name == _PBKDF2 or name.startswith(_PKCS12_PBE)
            counts |= name.startswith(_PKCS5) and name not in {_PBES2, _PBMAC1}
            return iterations.number() if counts else 0
        case [_Element(tag=0x30), _Element(tag=0x04 | 0x24), _Element(tag=0x02) as iterations]:
            return iterations.number()
    return 0


def _scrypt_work(element: _Element) -> int:
    match element.children:
        case [
            _Element(tag=0x06, content=name),
            _Element(children=[_, n, r, p, *_]),
        ] if name == _SCRYPT:
            too_large = 128 * n.number() * r.number() > MOST_SCRYPT_BYTES
            return _MOST_SCRYPT_WORK + 1 if too_large else n.number() * r.number() * p.number()
    return 0


def _is_key_bag(element: _Element) -> bool:
    first = element.children[0] if element.children else None
    return first is not None and first.tag == OID and first.content in _KEY_BAGS


class _Reader:
    """Splits BER into its elements; at most `_MOST_ELEMENTS` of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MOST_ELEMENTS
        # The file is "data", and what is in it may be "data" once more.
        self._bytes_left = 4 * len(data)

    def all_elements(self) -> Iterator[_Element]:
        """Every element that holds others, also those within the "data" of PKCS #7."""
        waiting, _ = self._read(self._data, 0, len(self._data))
        while waiting:
            element = waiting.pop()
            if not element.children:
                continue
            yield element
            waiting += element.children
            match element.children:
                case [
                    _Element(tag=0x06, content=name),
                    _Element(tag=0xA0, children=[octets, *_]),
                ] if name == _DATA and octets.tag & ~CONSTRUCTED == OCTET_STRING:
                    inner = octets.octets()
                    self._bytes_left -= len(inner)
                    if self._bytes_left < 0:
                        raise DerError("it is nested too deep")
                    waiting += self._read(inner, 0, len(inner))[0]

    def _read(
        self, data: bytes, at: int, end: int, depth: int = 0, *, open_ended: bool = False
    ) -> tuple[list[_Element], int]:
        """The elements from `at` to `end`, or to BER's end-of-contents, and where they end."""
        if depth > _DEEPEST:
            raise DerError("it is nested too deep")
        found: list[_Element] = []
        while at < end:
            start = at
            tag, (at, length) = data[at], header(data, at, shortest=False)
            if at + (length or 0) > end:
                raise DerError("it is cut short")
            if tag == 0 and length == 0:
                if open_ended:
                    return found, at
                raise DerError("an element in it ends too early")
            self._left -= 1
            if self._left < 0:
                raise DerError(f"it has more than {_MOST_ELEMENTS:,} parts")
            content = b""
            children: list[_Element] = []
            if not tag & CONSTRUCTED:
                content, at = data[at : at + (length or 0)], at + (length or 0)
            elif length is None:
                children, at = self._read(data, at, end, depth + 1, open_ended=True)
            else:
                children, at = self._read(data, at, at + length, depth + 1)
            found.append(_Element(tag, content, children, at - start))
        if open_ended:
            raise DerError("it is cut short")
        return found, at
