"""DER as a tree, and BER as far as certificates with slips have it. For the emulator alone."""

from __future__ import annotations

from typing import Final, NamedTuple

SEQUENCE: Final = 0x30
BIT_STRING: Final = 0x03
# Of a tbsCertificate: both are wrapped, and absent from one of version 1.
VERSION: Final = 0xA0
EXTENSIONS: Final = 0xA3

_CONSTRUCTED: Final = 0x20
_LONG_FORM: Final = 0x80  # X.690, 8.1.3.5: the length has octets of its own
_LONGEST_LENGTH: Final = 4
_DEEPEST: Final = 32


class Node(NamedTuple):
    """An element: its tag, and its bytes or the elements in it."""

    tag: int
    inner: bytes | tuple[Node, ...]

    @property
    def content(self) -> bytes:
        """The bytes in it; a ValueError if it holds elements."""
        if not isinstance(self.inner, bytes):
            raise ValueError("an element holds others where bytes belong")  # noqa: TRY004  # of the file
        return self.inner

    @property
    def children(self) -> tuple[Node, ...]:
        """The elements in it; a ValueError if it holds bytes."""
        if not isinstance(self.inner, tuple):
            raise ValueError("an element holds bytes where others belong")  # noqa: TRY004  # of the file
        return self.inner

    @property
    def encoded(self) -> bytes:
        """It in DER."""
        inner = self.inner
        content = inner if isinstance(inner, bytes) else b"".join(each.encoded for each in inner)
        size = len(content)
        if size < _LONG_FORM:
            return bytes((self.tag, size)) + content
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes((self.tag, _LONG_FORM | len(octets))) + octets + content


def read(data: bytes, depth: int = 0) -> Node:
    """The one element that `data` is.

    Raises:
        ValueError: it is damaged.
    """
    if depth > _DEEPEST or not data:
        raise ValueError("it is nested too deep, or empty")
    begin, length = header(data, 0)
    content = data[begin:]
    if len(content) != length:
        raise ValueError("its length is wrong")
    if not data[0] & _CONSTRUCTED:
        return Node(data[0], content)
    inner, at = [], 0
    while at < length:
        start, size = header(content, at)
        inner.append(read(content[at : start + size], depth + 1))
        at = start + size
    return Node(data[0], tuple(inner))


def header(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and its length, in any definite form.

    Raises:
        ValueError: there is no such.
    """
    if len(data) < at + 2:
        raise ValueError("it is cut short")
    first = data[at + 1]
    if first < _LONG_FORM:
        return at + 2, first
    size = first - _LONG_FORM
    if not 0 < size <= _LONGEST_LENGTH:
        raise ValueError("its length is missing or too long")
    return at + 2 + size, int.from_bytes(data[at + 2 : at + 2 + size], "big")
