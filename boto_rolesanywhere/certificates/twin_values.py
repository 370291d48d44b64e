"""Puts the values of a certificate into DER, for `twin`, and notes each slip in words.

X.690 (DER) allows one encoding of each value; OpenSSL and Java read most of BER, and wrong string
types too.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Final

from . import der
from .names import ENCODINGS, PRINTABLE, PRINTABLE_CHARACTERS, UTF8

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 5758, 3.2 (ECDSA), RFC 8410, 3 (Ed25519, Ed448), RFC 9881, 2 (ML-DSA): without parameters.
_ECDSA: Final = bytes.fromhex("2a8648ce3d0403")
_WITHOUT_PARAMETERS: Final = (
    _ECDSA,
    *(bytes.fromhex(f"2b65{last:02x}") for last in (0x70, 0x71)),
    *(bytes.fromhex(f"6086480165030403{last}") for last in (11, 12, 13)),
)
# RFC 4055, section 5 (PKCS #1 v1.5, with SHA-1 and SHA-2): a NULL.
_PKCS1: Final = bytes.fromhex("2a864886f70d0101")
_WITH_NULL: Final = tuple(_PKCS1 + bytes((last,)) for last in (1, 5, 11, 12, 13, 14))
_RSA, _RSA_OF_X500 = "1.2.840.113549.1.1.1", "2.5.8.1.1"
_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_NULL: Final = der.encode(der.NULL, b"")
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_TIME: Final = re.compile(rb"(\d{10}|\d{12})(\d\d)?(?:[.,]\d+)?(?:Z|([+-])(\d\d)(\d\d))?")
_FIRST_GENERALIZED_YEAR: Final = 2050  # RFC 5280, section 4.1.2.5
_FIRST_UTC_YEAR: Final = 1950
_FIRST: Final = datetime(1, 1, 1, tzinfo=timezone.utc)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
_UNIQUE_IDENTIFIER: Final = bytes.fromhex("55042d")  # the only attribute that is a BIT STRING
_OTHER_TEXTS: Final = {0x15, 0x19, 0x1B}  # VideotexString, GraphicString, GeneralString
_DIRECTORY_NAME: Final = 0xA4  # of the GeneralNames, the one that holds a Name
_LONGEST_OID: Final = 32

# The lengths of a certificate with slips may be longer than DER allows, or indefinite.
elements: Final = partial(der.split, shortest=False)
only: Final = partial(der.read_only, shortest=False)


class Mender:
    """Puts values right, and notes each slip in `slips`."""

    def __init__(self) -> None:
        self.slips: list[str] = []

    def note(self, field: str, slip: str) -> None:
        """Note a slip, once."""
        if (clause := f"{field} has {slip}") not in self.slips:
            self.slips.append(clause)

    def normal(self, field: str, element: der.Element) -> bytes:
        """The element in DER.

        Raises:
            ValueError: there is no value in it.
        """
        tag, content = element.tag, element.content
        if tag & der.CONSTRUCTED:
            return self._constructed(field, element, partial(self.normal, field))
        self.check_length(field, element)
        if tag == der.BOOLEAN and any(content) and content != b"\xff":
            self.note(field, "a TRUE that is not written as DER asks")
            return der.encode(tag, b"\xff")
        if tag == der.INTEGER and (shorter := shortest(content)) != content:
            self.note(field, "a number with more octets than it needs")
            return der.encode(tag, shorter)
        if tag == der.BIT_STRING and (right := used_bits(content)) != content:
            self.note(field, "bits that are not written as DER asks")
            return der.encode(tag, right)
        if tag in {_UTC_TIME, _GENERALIZED_TIME}:
            return self._time(field, element)
        return self._text(field, element) if tag in ENCODINGS else der.encode(tag, content)

    def name(self, field: str, element: der.Element) -> bytes:
        """A Name in DER, with each value in a form that can be read (RFC 5280, 4.1.2.4)."""
        return self._constructed(field, element, partial(self._rdn, field))

    def general_name(self, field: str, element: der.Element) -> bytes:
        """One of the GeneralNames in DER (RFC 5280, section 4.2.1.6)."""
        if element.tag == _DIRECTORY_NAME:
            return self._constructed(field, element, partial(self.name, field))
        return self.normal(field, element)

    def algorithm(self, field: str, element: der.Element) -> bytes:
        """An AlgorithmIdentifier with the parameters that belong to it."""
        oid, *parameters = elements(element.expect(der.SEQUENCE).content)
        found = b"".join(each.raw for each in parameters)
        if oid.content.startswith(_WITHOUT_PARAMETERS):
            right = b""
        elif oid.content in _WITH_NULL:
            right = _NULL
        else:
            return self.normal(field, element)
        self.check_length(field, element)
        if found == _NULL and oid.content.startswith(_ECDSA):
            self.note(field, "a parameter NULL, where ECDSA has none")
        elif found not in (right, b""):
            self.note(field, "parameters that do not belong to it")
        return der.sequence(self.normal(field, oid), right)

    def public_key(self, field: str, element: der.Element) -> bytes:
        """A SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7)."""
        algorithm, bits, *_ = elements(element.expect(der.SEQUENCE).content)
        kind = der.oid(elements(algorithm.content)[0])
        unused, key = _in_one_piece(bits)
        if unused:
            self.note(field, "bits that are not written as DER asks")
        if kind in (_RSA, _RSA_OF_X500):
            # RFC 3279, 2.3.1: modulus and exponent, which are never negative.
            numbers = elements(der.read(key, shortest=False).content)[:2]
            right = der.sequence(*map(_unsigned, numbers))
            if right != key or kind == _RSA_OF_X500:
                self.note(field, "an encoding that is not the usual one of RSA")
            rsa = der.sequence(_PKCS1_OID, _NULL)
            return der.sequence(rsa, der.encode(der.BIT_STRING, b"\0" + right))
        if kind == _RSASSA_PSS and algorithm.content.endswith(_NULL):
            self.note(field, "parameters that do not belong to it")
            right = der.sequence(elements(algorithm.content)[0].raw)
        else:
            right = self.algorithm(field, algorithm)
        return der.sequence(right, der.encode(der.BIT_STRING, b"\0" + key))

    def check_length(self, field: str, element: der.Element) -> None:
        """Note a length that DER does not allow."""
        if element.raw != der.encode(element.tag, element.content):
            self.note(field, "a length that is not in its shortest form")

    def _constructed(
        self, field: str, element: der.Element, mend: Callable[[der.Element], bytes]
    ) -> bytes:
        self.check_length(field, element)
        inner = [right for each in elements(element.content) if (right := mend(each))]
        if (whole := der.joined(element.tag, inner)) is not None:
            self.note(field, "a string in pieces, which DER does not allow")
            return self.normal(field, only(whole))
        if element.tag == der.SET and inner != sorted(inner):
            self.note(field, "values in another order than DER's")
            inner.sort()
        return der.encode(element.tag, b"".join(inner))

    def _rdn(self, field: str, rdn: der.Element) -> bytes:
        """Empty for one that holds nothing."""
        whole = self._constructed(field, rdn.expect(der.SET), partial(self._attribute, field))
        values = elements(only(whole).content)
        distinct = dict.fromkeys(each.raw for each in values)
        if len(distinct) < len(values):
            self.note(field, "the same value twice in one part")
        elif not values:
            self.note(field, "a part without a value")
            return b""
        return der.encode(der.SET, b"".join(distinct))

    def _attribute(self, field: str, attribute: der.Element) -> bytes:
        oid, value, *_ = elements(attribute.expect(der.SEQUENCE).content)
        _check_oid(oid)
        kind = self.normal(field, oid)
        try:
            mended = only(self.normal(field, value))
        except ValueError:  # no valid time
            mended = value
        if mended.tag in _OTHER_TEXTS:
            self.note(field, "a string type that is not one of names")
            text = mended.content.decode("latin-1")
        elif mended.tag in ENCODINGS or _is_read(oid, mended):
            return der.sequence(kind, mended.raw)
        else:
            self.note(field, "a value that is no text")
            text = f"#{value.raw.hex()}"  # as RFC 4514, section 2.4, writes it
        return der.sequence(kind, der.encode(UTF8, text.encode()))

    def _text(self, field: str, element: der.Element) -> bytes:
        tag, content, encoding = element.tag, element.content, ENCODINGS[element.tag]
        slip = None
        if tag == PRINTABLE:
            if not PRINTABLE_CHARACTERS.issuperset(content):
                slip = "characters that its string type, PrintableString, lacks"
        elif encoding in {"latin-1", "ascii"}:
            if not content.isascii():
                slip = "Latin-1 in a string type whose characters are others"
        else:
            try:
                content.decode(encoding)
            except UnicodeDecodeError:
                slip = "text that is not in the encoding of its string type"
        if slip is None:
            return der.encode(tag, content)
        self.note(field, slip)
        return der.encode(UTF8, content.decode("latin-1").encode())

    def _time(self, field: str, element: der.Element) -> bytes:
        """RFC 5280, section 4.1.2.5: to the second, in UTC, without a fraction."""
        found = _TIME.fullmatch(element.content)
        if found is None:
            raise ValueError("no time")
        digits, seconds = found[1].decode(), (found[2] or b"00").decode()
        if element.tag == _UTC_TIME:
            digits = ("19" if digits[:2] >= "50" else "20") + digits
        time = _moment(digits + seconds)
        if found[3]:
            offset = timedelta(hours=int(found[4]), minutes=int(found[5]))
            time = _moved(time, offset if found[3] == b"-" else -offset)
        if _FIRST_UTC_YEAR <= time.year < _FIRST_GENERALIZED_YEAR:
            right = der.encode(_UTC_TIME, f"{time:%y%m%d%H%M%SZ}".encode())
        else:
            right = der.encode(_GENERALIZED_TIME, f"{time.year:04}{time:%m%d%H%M%SZ}".encode())
        if right != element.raw:
            self.note(field, "a time that is not written as RFC 5280 asks")
        return right


def _in_one_piece(bits: der.Element) -> tuple[int, bytes]:
    """The number of the unused bits, and all octets."""
    unused, *octets = only(der.from_ber(bits.raw)).expect(der.BIT_STRING).content
    return unused, bytes(octets)


_PKCS1_OID: Final = der.encode(der.OID, _WITH_NULL[0])


def shortest(content: bytes) -> bytes:
    """The content of an INTEGER in as few octets as it needs."""
    value = int.from_bytes(content, "big", signed=True)
    return value.to_bytes((8 + (value + (value < 0)).bit_length()) // 8, "big", signed=True)


def _unsigned(number: der.Element) -> bytes:
    """The INTEGER as one that is not negative, whatever its first bit is."""
    return der.encode(der.INTEGER, shortest(b"\0" + number.expect(der.INTEGER).content))


def used_bits(content: bytes) -> bytes:
    """The content of a BIT STRING with its unused bits zero (X.690, section 11.2.1)."""
    unused, *octets = content
    if unused > 7 or (unused and not octets):  # noqa: PLR2004  # of an octet's bits
        raise ValueError("no bits")
    if octets:
        octets[-1] = octets[-1] >> unused << unused
    return bytes((unused, *octets))


def _moment(digits: str) -> datetime:
    """The time of YYYYMMDDHHMMSS; a time before the year 1 counts as its first day."""
    if digits[:4] == "0000":
        return _FIRST
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)


def _moved(time: datetime, offset: timedelta) -> datetime:
    try:
        return time + offset
    except OverflowError:
        return _LAST if offset > timedelta() else _FIRST


def _is_read(oid: der.Element, value: der.Element) -> bool:
    """Whether the library reads this value, which is no text, in a name."""
    if value.tag == der.OCTET_STRING:
        return value.content.isascii()
    return value.tag == der.BIT_STRING and oid.content == _UNIQUE_IDENTIFIER


def _check_oid(oid: der.Element) -> None:
    """Raises ValueError if it cannot be read."""
    content = oid.expect(der.OID).content
    der.oid(oid)
    if len(content) > _LONGEST_OID:
        raise ValueError("the object identifier is longer than any in use")
