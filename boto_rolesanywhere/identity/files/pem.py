"""Finds PEM blocks in any text, without reading what they contain.

RFC 7468, read as leniently as section 3 allows: text around the blocks, any line ends and
indentation, a byte order mark. The old encrypted form's headers (RFC 1421, section 4.6) are kept.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from itertools import takewhile

from boto_rolesanywhere.records import NamedTuple

# The END line may lack hyphens at its end, where it was not copied to the last one.
_MARKER = re.compile(rb"-----(?:BEGIN ([^-\r\n]{1,64})-----|END ([^-\r\n]{1,64})-{1,5})")
_COPY = "Copy the whole block once more, as text: base64 has only letters, digits, +, / and =."
_USED = (b"CERTIFICATE", b"KEY", b"PKCS", b"CMS", b"CRL")  # parts of labels
_BREAKS = (
    "Make line breaks of them: `printf '%b' \"$TEXT\" > new.pem`; of JSON, take it with `jq -r`."
)
_WIDE_BEGIN = "-----BEGIN "
_WIDE_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class PemError(ValueError):
    """A block is damaged. The caller that knows the file catches it.

    Attributes:
        remedy: what to do about it, if that is known.
    """

    def __init__(self, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem)
        self.remedy = remedy


class Block(NamedTuple):
    """One block: its label, its headers and its decoded content."""

    label: str
    der: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"<Block {self.label}>"  # its content may be a key

    @property
    def is_encrypted(self) -> bool:
        """Whether it is a private key that takes a passphrase."""
        return self.label == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in dict(self.headers).get(
            "Proc-Type", ""
        )

    def to_pem(self) -> bytes:
        """The block in the plainest form: 64 characters a line, LF."""
        body = base64.b64encode(self.der).decode("ascii")
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        headers = [f"{name}: {value}" for name, value in self.headers]
        head = [*headers, ""] if headers else []
        return "\n".join(
            [f"-----BEGIN {self.label}-----", *head, *lines, f"-----END {self.label}-----", ""]
        ).encode("ascii")


def as_plain_text(data: bytes) -> bytes:
    """`data`, made UTF-8 if it is UTF-16, as Windows PowerShell writes; the mark may be lost.

    A UTF-8 mark does no harm: any text may stand before the first block.
    """
    if b"\0" not in data:  # every ASCII character of UTF-16 has one
        return data
    for mark, encoding in _WIDE_MARKS.items():
        # At an even place: an odd one is in the middle of another encoding's characters.
        if data.startswith(mark) or data.find(_WIDE_BEGIN.encode(encoding)) % 2 == 0:
            try:
                return data.removeprefix(mark).decode(encoding).encode("utf-8")
            except UnicodeError:
                return data  # two bytes that happened to look like a mark
    return data


def looks_like_pem(data: bytes) -> bool:
    """Whether there is a BEGIN line anywhere in it."""
    return b"-----BEGIN " in data


def scan(data: bytes) -> tuple[Block, ...]:
    """All blocks of `data`, in their order.

    Raises:
        PemError: a block has no end, ends as another, or does not hold base64.
    """
    blocks = []
    opened: re.Match[bytes] | None = None
    for marker in _MARKER.finditer(data):
        if marker[1]:
            if opened and not _stands_in_text(opened, data):
                break
            opened = marker
        elif opened:
            if marker[2] != opened[1]:
                raise PemError(f"{_name(opened, data)} ends as {_text(marker[2])!r}")
            blocks.append(_block(opened, data[opened.end() : marker.start()], data))
            opened = None
    if opened:
        raise PemError(f"{_name(opened, data)} has no END line: it is cut short")
    return tuple(blocks)


def _stands_in_text(opened: re.Match[bytes], data: bytes) -> bool:
    """Whether text stands before the BEGIN in its line, as in a sentence about it."""
    return bool(data[: opened.start()].rpartition(b"\n")[2].strip())


def _block(opened: re.Match[bytes], inner: bytes, data: bytes) -> Block:
    label = opened[1]
    if not inner.isascii():
        inner = _without_unseen(inner)
    headers, lines = _headers([line.strip() for line in inner.strip().splitlines()])
    body = b"".join(b"".join(lines).split()).rstrip(b"=")
    if label.startswith(b"PGP "):  # RFC 4880, section 6.2: a checksum stands behind the base64
        body = b""
    try:
        der = base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        if not any(part in label for part in _USED):
            return Block(_text(label), b"", headers)  # its content is not needed
        problem = f"{_name(opened, data)} does not hold base64"
        if rb"\n" in inner:
            raise PemError(
                rf"{problem}: it holds \n as two characters instead of line breaks", _BREAKS
            ) from None
        raise PemError(problem, _COPY) from None
    return Block(_text(label), der, headers)


def _without_unseen(inner: bytes) -> bytes:
    """The text with plain blanks for Unicode's, which text copied from a page has."""
    import unicodedata

    return "".join(
        " " if not c.isascii() and (c.isspace() or unicodedata.category(c) == "Cf") else c
        for c in inner.decode("utf-8", "replace")
    ).encode()


def _headers(lines: list[bytes]) -> tuple[tuple[tuple[str, str], ...], list[bytes]]:
    """The headers of a block, and the lines behind them, after a blank line (RFC 1421, 4.4)."""
    if not lines or b":" not in lines[0]:
        return (), lines
    count = sum(1 for _ in takewhile(lambda line: b":" in line, lines))
    if b"" in lines:  # without a blank line, only a colon marks a header
        count = lines.index(b"")
    found: list[tuple[str, str]] = []
    for line in lines[:count]:
        name, colon, value = line.partition(b":")
        if colon:  # a line without one continues the value before
            found.append((_text(name), _text(value.strip())))
    return tuple(found), lines[count:]


def _name(opened: re.Match[bytes], data: bytes) -> str:
    line = len((data[: opened.start()] + b"-").splitlines())
    return f"the block {_text(opened[1])!r} that begins in line {line}"


def _text(value: bytes) -> str:
    return value.decode("ascii", "backslashreplace")
