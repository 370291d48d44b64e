"""A small strict reader of DER, for the few structures that `cryptography` does not open.

It splits bytes into elements and knows nothing of what they mean. Single-byte tags only, and
unless it is told otherwise definite, minimal lengths (X.690, section 10.1): that is all that most
certificates and keys use. `from_ber` makes DER of the other forms, which some programs write.
"""

from __future__ import annotations

from boto_rolesanywhere.records import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F
_LONG_FORM = 0x80
_TOO_LONG = 1 << 32
_LONGEST_OID = 128
_DEEPEST = 32  # of elements with indefinite lengths
# X.690, section 8.23: strings, which BER may cut into pieces.
_STRINGS = {BIT_STRING, OCTET_STRING, 0x0C, *range(0x12, 0x1F)}


class DerError(ValueError):
    """The bytes are not DER. The caller that knows the file catches it."""


class Element(NamedTuple):
    """One element: its tag byte, its content, and the whole encoding."""

    tag: int
    content: bytes
    raw: bytes

    def __repr__(self) -> str:
        return f"<Element {self.tag:#04x}>"  # its content may be a key's

    def children(self) -> tuple[Element, ...]:
        """The elements inside a constructed one."""
        if not self.tag & CONSTRUCTED:
            raise DerError(f"the element with tag {self.tag:#04x} holds no others")
        return split(self.content)

    def expect(self, tag: int) -> Element:
        """This element, if it has that tag."""
        if self.tag != tag:
            raise DerError(f"found tag {self.tag:#04x} where {tag:#04x} belongs")
        return self


def read(data: bytes, start: int = 0, *, shortest: bool = True) -> Element:
    """The element of `data` that begins at `start`; others may follow it.

    Its length must be in the `shortest` form, as DER asks; or may be in each form that BER has.
    """
    content, length = header(data, start, shortest=shortest)
    if length is None:
        end = _end_of_contents(data, content)
        return Element(data[start], data[content:end], data[start : end + 2])
    end = content + length
    if end > len(data):
        raise DerError(f"{end - len(data)} bytes are missing at the end")
    return Element(data[start], data[content:end], data[start:end])


def _end_of_contents(data: bytes, at: int, depth: int = 0) -> int:
    """The offset of the two zeros that end an element of indefinite length (X.690, 8.1.5)."""
    if depth > _DEEPEST:
        raise DerError("it is nested too deep")
    while data[at : at + 2] != b"\0\0":
        content, length = header(data, at, shortest=False)
        at = content + (length or 0)
        if length is None:
            at = _end_of_contents(data, content, depth + 1) + 2
    return at


def split(data: bytes, *, shortest: bool = True) -> tuple[Element, ...]:
    """All elements of `data`, one after the other."""
    elements, at = [], 0
    while at < len(data):
        elements.append(read(data, at, shortest=shortest))
        at += len(elements[-1].raw)
    return tuple(elements)


def read_only(data: bytes, *, shortest: bool = True) -> Element:
    """The one element of `data`, with nothing after it."""
    element = read(data, shortest=shortest)
    if rest := len(data) - len(element.raw):
        raise DerError(f"{rest} bytes follow the end")
    return element


def from_ber(data: bytes, depth: int = 0) -> bytes:
    """The one element of `data` in DER, as far as lengths and pieces of strings go.

    What an OCTET STRING or a BIT STRING holds stays as it is.
    """
    if depth > _DEEPEST:
        raise DerError("it is nested too deep")
    element = read_only(data, shortest=False)
    if not element.tag & CONSTRUCTED:
        return encode(element.tag, element.content)
    children = [from_ber(each.raw, depth + 1) for each in split(element.content, shortest=False)]
    return joined(element.tag, children) or encode(element.tag, b"".join(children))


def joined(tag: int, pieces: list[bytes]) -> bytes | None:
    """The DER of a string whose `pieces` are in DER; None if elements with `tag` are no string."""
    if (string := tag & ~CONSTRUCTED) not in _STRINGS:
        return None
    contents = [read_only(piece).content for piece in pieces]
    if string == BIT_STRING:  # each begins with the number of its unused bits
        bits = b"".join(content[1:] for content in contents)
        return encode(string, (contents[-1][:1] if contents else b"\0") + bits)
    return encode(string, b"".join(contents))


def header(data: bytes, start: int, *, shortest: bool = True) -> tuple[int, int | None]:
    """Where the content of the element at `start` begins, and its length.

    BER also has longer forms of a length, and None: up to end-of-contents (X.690, section 8.1.3).
    """
    if len(data) < start + 2:
        raise DerError("it ends within an element's header")
    tag, first = data[start], data[start + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise DerError("an element has a tag of several bytes")
    if first < _LONG_FORM:
        return start + 2, first
    if first == _LONG_FORM and tag & CONSTRUCTED and not shortest:
        return start + 2, None
    content = start + 2 + (first & ~_LONG_FORM)
    octets = data[start + 2 : content]
    length = int.from_bytes(octets, "big")
    if not octets or content > len(data) or length >= _TOO_LONG:
        raise DerError("an element's length is indefinite, too long or cut short")
    if shortest and (length < _LONG_FORM or not octets[0]):
        raise DerError("an element's length is not in its shortest form")
    return content, length


def encode(tag: int, content: bytes) -> bytes:
    """The encoding of one element."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    """The encoding of a SEQUENCE of these elements."""
    return encode(SEQUENCE, b"".join(parts))


def oid(element: Element) -> str:
    """The dotted form of an OBJECT IDENTIFIER."""
    content = element.expect(OID).content
    if not content or content[-1] & 0x80:
        raise DerError("the object identifier is cut short")
    if len(content) > _LONGEST_OID:
        raise DerError("the object identifier is longer than any in use")
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    # X.690, 8.19.4: the first octets hold 40 times the first arc (0 to 2) plus the second.
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
