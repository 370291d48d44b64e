"""Compares names as RFC 5280, section 7.1, does: not by their bytes.

String type, case and blanks do not count: a CA called "Example CA" in a UTF8String is the issuer
that a certificate names "EXAMPLE  CA" in a PrintableString.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from . import der

if TYPE_CHECKING:
    from typing import TypeAlias

    # Of each RDN its attributes, sorted: OID and value.
    ComparableName: TypeAlias = tuple[tuple[tuple[bytes, str | bytes], ...], ...]

PRINTABLE_CHARACTERS: Final = frozenset(  # X.680, section 41.4
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
)
UTF8, PRINTABLE, T61, IA5, UNIVERSAL, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1C, 0x1E
_UNSEEN: Final = {"Cc", "Cf"}  # Unicode's categories of control and format characters
# X.680, section 41. T61String is Latin-1 wherever it is met (X.509 Style Guide, "Strings").
ENCODINGS: Final = {
    UTF8: "utf-8",
    0x12: "ascii",  # NumericString
    PRINTABLE: "latin-1",
    T61: "latin-1",
    IA5: "latin-1",
    0x1A: "ascii",  # VisibleString
    UNIVERSAL: "utf-32-be",
    BMP: "utf-16-be",
}


def comparable(name: bytes) -> ComparableName:
    """A value that is equal for names that mean the same.

    Args:
        name: DER of a Name. What is no Name is equal to its own bytes alone.
    """
    try:
        plain = der.read_only(der.from_ber(name))
        return tuple(
            tuple(sorted(map(_attribute, rdn.children()), key=repr)) for rdn in plain.children()
        )
    except (der.DerError, ValueError):
        return (((b"", name),),)


def _attribute(attribute: der.Element) -> tuple[bytes, str | bytes]:
    oid, value = attribute.children()
    encoding = ENCODINGS.get(value.tag)
    if encoding is None:
        return oid.content, value.raw
    try:
        text = value.content.decode(encoding)
    except UnicodeDecodeError:
        return oid.content, value.raw
    # RFC 4518, section 2, as far as certificates use it: compatible forms, case, what is not seen
    # (soft hyphens, byte order marks), blanks.
    shown = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return oid.content, " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
