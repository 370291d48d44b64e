"""DER as a tree, and BER as far as certificates with slips have it. For the emulator alone."""

from __future__ import annotations

from typing import Final, NamedTuple

SEQUENCE: Final = 0x30
BIT_STRING: Final = 0x03
# Of a tbsCertificate: both are wrapped, and absent from one of version 1.
VERSION: Final = 0xA0
EXTENSIONS: Final = 0xA3

CONSTRUCTED: Final = 0x20
_END_OF_CONTENTS: Final = b"\0\0"  # X.690, 8.1.5
_LONG_FORM: Final = 0x80  # X.690, 8.1.3.5: the length has octets of its own
_LONGEST_LENGTH: Final = 16
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


def read(data: bytes) -> Node:
    """The one element that `data` is.

    Raises:
        ValueError: it is damaged.
    """
    node, end = read_from(data, 0)
    if end != len(data):
        raise ValueError("its length is wrong")
    return node


def read_from(data: bytes, at: int, depth: int = 0) -> tuple[Node, int]:
    """The element of `data` at `at`, and where it ends.

    Raises:
        ValueError: it is damaged.
    """
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    begin, length = header(data, at)
    end = len(data) if length is None else begin + length
    if end > len(data):
        raise ValueError("its length is wrong")
    if not data[at] & CONSTRUCTED:
        return Node(data[at], data[begin:end]), end
    inner: list[Node] = []
    place = begin
    while place < end:
        if length is None and data[place : place + 2] == _END_OF_CONTENTS:
            return Node(data[at], tuple(inner)), place + 2
        node, place = read_from(data[:end], place, depth + 1)
        inner.append(node)
    if length is None:
        raise ValueError("it is cut short")
    return Node(data[at], tuple(inner)), end


def header(data: bytes, at: int) -> tuple[int, int | None]:
    """Where the content of the element at `at` begins, and its length; None if it is indefinite.

    Raises:
        ValueError: there is no such.
    """
    if len(data) < at + 2:
        raise ValueError("it is cut short")
    first = data[at + 1]
    if first < _LONG_FORM:
        return at + 2, first
    if first == _LONG_FORM and data[at] & CONSTRUCTED:
        return at + 2, None
    size = first - _LONG_FORM
    if not 0 < size <= _LONGEST_LENGTH:
        raise ValueError("its length is missing or too long")
    return at + 2 + size, int.from_bytes(data[at + 2 : at + 2 + size], "big")
