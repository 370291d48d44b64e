"""Makes of a certificate with slips of encoding one that `cryptography` reads.

X.690 (DER) allows one encoding of each value, and X.509 says which string and time types there are.
Each slip is put right in the twin and named in words; an extension that cannot be put right is left
out of it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Final

from . import der
from .names import ENCODINGS, PRINTABLE, PRINTABLE_CHARACTERS, UTF8
from .reading import quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from cryptography import x509

    Builder: TypeAlias = Callable[[Sequence[bytes]], x509.Certificate]

_FIELDS: Final = ("serial number", "signature algorithm", "issuer", "validity", "subject", "key")
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_BIT_STRING_UNUSED: Final = b"\0"
_LATEST_VERSION: Final = 2  # X.509 counts from v1 = 0
_ECDSA: Final = bytes.fromhex("2a8648ce3d0403")  # RFC 5758, section 3.2: without parameters
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_TIME: Final = re.compile(rb"(\d{10}|\d{12})(\d\d)?(?:[.,]\d+)?(?:Z|([+-])(\d\d)(\d\d))?")
_FIRST_GENERALIZED_YEAR: Final = 2050  # RFC 5280, section 4.1.2.5
_BASIC_CONSTRAINTS, _ALTERNATIVE_NAMES = "2.5.29.19", "2.5.29.17"
_NAMES: Final = {
    "2.5.29.14": "subjectKeyIdentifier",
    "2.5.29.15": "keyUsage",
    _ALTERNATIVE_NAMES: "subjectAltName",
    "2.5.29.18": "issuerAltName",
    _BASIC_CONSTRAINTS: "basicConstraints",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "cRLDistributionPoints",
    "2.5.29.32": "certificatePolicies",
    "2.5.29.35": "authorityKeyIdentifier",
    "2.5.29.37": "extKeyUsage",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
}


# The lengths of a certificate with slips may be longer than DER allows.
_elements: Final = partial(der.split, shortest=False)
_only: Final = partial(der.read_only, shortest=False)


def make(encoded: bytes) -> tuple[bytes, x509.Certificate, tuple[str, ...]]:
    """The twin of the certificate `encoded`.

    Returns:
        The original's part over which the issuer made its signature; the twin; and what is odd,
        each as a clause about the certificate.

    Raises:
        ValueError: its encoding is damaged. The message says in a clause which field is.
    """
    try:
        signed, algorithm, signature = _elements(_only(encoded).content)
        fields = _elements(signed.expect(der.SEQUENCE).content)
        bits = signature.expect(der.BIT_STRING).content[1:]
    except ValueError:
        raise ValueError("its structure is not that of a certificate") from None
    mender = _Mender()
    if encoded != der.sequence(_only(encoded).content):
        mender.note("its structure", "a length that is not in its shortest form")
    right_bits = der.encode(der.BIT_STRING, _BIT_STRING_UNUSED + bits)
    if signature.raw != right_bits:
        mender.note("its signature", "a number of bits that no signature has")
    outside = (mender.field("signature algorithm", algorithm), right_bits)
    version = mender.version(fields)
    inside, extensions = mender.fields(fields[len(version) :])

    def certificate(kept: Sequence[bytes]) -> x509.Certificate:
        content = [*version, *inside]
        if kept:
            content.append(der.encode(_EXTENSIONS, der.sequence(*kept)))
        return _load(der.sequence(der.sequence(*content), *outside))

    try:
        certificate(())
    except ValueError:
        raise ValueError("one of its fields holds a value of the wrong type") from None
    kept = [*mender.extensions(extensions, certificate)]
    return signed.raw, certificate(kept), tuple(dict.fromkeys(mender.slips))


class _Mender:
    """Puts fields right, and notes in `slips` what was wrong."""

    def __init__(self) -> None:
        self.slips: list[str] = []

    def note(self, field: str, slip: str) -> None:
        self.slips.append(f"{field} has {slip}")

    def version(self, fields: Sequence[der.Element]) -> list[bytes]:
        """The version, if the first field is one and is not the default."""
        if not fields or fields[0].tag != _VERSION:
            return []
        version = int.from_bytes(fields[0].content[2:], "big")
        if version > _LATEST_VERSION:
            raise ValueError(f"its version is {version + 1}, and X.509 ends with 3")
        right = der.encode(_VERSION, der.encode(der.INTEGER, bytes((version,))))
        if not version or fields[0].raw != right:
            self.note("its version", "a form that DER does not allow")
        return [right if version else b""]

    def fields(self, fields: Sequence[der.Element]) -> tuple[list[bytes], list[der.Element]]:
        """The six fields that every certificate has, put right; and the extensions as they are."""
        if len(fields) < len(_FIELDS):
            raise ValueError("its structure is not that of a certificate: fields are missing")
        rest = [each for each in fields[len(_FIELDS) :] if each.tag == _EXTENSIONS]
        try:
            extensions = [
                each for holder in rest for each in _elements(_only(holder.content).content)
            ]
        except ValueError:
            raise ValueError("its extensions are damaged") from None
        return [*map(self.field, _FIELDS, fields)], extensions

    def field(self, name: str, element: der.Element) -> bytes:
        try:
            if name == "signature algorithm":
                return self._algorithm(element)
            return self._normal(f"its {name}", element)
        except ValueError:
            raise ValueError(f"its {name} is damaged") from None

    def extensions(self, found: list[der.Element], certificate: Builder) -> Iterator[bytes]:
        """Those that can be read, put right where they must be."""
        seen = set()
        for extension in found:
            try:
                oid, *critical, value = _elements(extension.content)
                name = der.oid(oid)
            except ValueError:
                raise ValueError("one of its extensions is damaged") from None
            title = f"its extension {_NAMES.get(name, name)}"
            if name in seen:
                self.slips.append(f"{title} stands in it twice, and only the first is read")
                continue
            seen.add(name)
            head = oid.raw + self._critical(title, critical)
            yield from self._value(title, name, head, value.content, certificate)

    def _critical(self, title: str, critical: list[der.Element]) -> bytes:
        if not critical:
            return b""
        if critical[0].tag != der.BOOLEAN:
            raise ValueError(f"{title} is damaged")
        if not any(critical[0].content):
            self.note(title, "critical FALSE written out, which DER leaves out")
            return b""
        return self._normal(title, critical[0])

    def _value(
        self, title: str, name: str, head: bytes, value: bytes, certificate: Builder
    ) -> Iterator[bytes]:
        def readable(candidate: bytes) -> bytes | None:
            extension = der.sequence(head, der.encode(der.OCTET_STRING, candidate))
            try:
                _read_extensions(certificate((extension,)))
            except ValueError:
                return None
            return extension

        if (plain := readable(value)) is not None:
            yield plain
            return
        slips = len(self.slips)
        try:
            mended = readable(self._mended_value(title, name, value, readable))
        except ValueError:
            mended = None
        if mended is not None:
            yield mended
            return
        del self.slips[slips:]
        self.slips.append(f"{title} cannot be read and is passed over here")

    def _mended_value(
        self, title: str, name: str, value: bytes, readable: Callable[[bytes], bytes | None]
    ) -> bytes:
        element = _only(value)
        if name == _BASIC_CONSTRAINTS:
            children = _elements(element.content)
            if children and children[0].tag == der.BOOLEAN and not any(children[0].content):
                self.note(title, "CA FALSE written out, which DER leaves out")
                return der.sequence(*(each.raw for each in children[1:]))
        if name == _ALTERNATIVE_NAMES:
            entries = [self._normal(title, each) for each in _elements(element.content)]
            kept = [each for each in entries if readable(der.sequence(each))]
            if len(kept) < len(entries):
                self.note(title, "a name of a kind or form that cannot be read")
            return der.sequence(*kept)
        return self._normal(title, element)

    def _algorithm(self, element: der.Element) -> bytes:
        parts = _elements(element.expect(der.SEQUENCE).content)
        if parts[0].content.startswith(_ECDSA) and [each.tag for each in parts[1:]] == [der.NULL]:
            self.note("its signature algorithm", "a parameter NULL, where ECDSA has none")
            return der.sequence(parts[0].raw)
        return self._normal("its signature algorithm", element)

    def _normal(self, field: str, element: der.Element) -> bytes:
        """The element in DER."""
        tag, content = element.tag, element.content
        if element.raw != der.encode(tag, content):
            self.note(field, "a length that is not in its shortest form")
        if tag & der.CONSTRUCTED:
            inner = [self._normal(field, each) for each in _elements(content)]
            if tag == der.SET and inner != sorted(inner):
                self.note(field, "values in another order than DER's")
                inner.sort()
            return der.encode(tag, b"".join(inner))
        if tag == der.BOOLEAN and any(content) and content != b"\xff":
            self.note(field, "a TRUE that is not written as DER asks")
            return der.encode(tag, b"\xff")
        if tag == der.INTEGER and (shorter := _shortest(content)) != content:
            self.note(field, "a number with more octets than it needs")
            return der.encode(tag, shorter)
        if tag in {_UTC_TIME, _GENERALIZED_TIME}:
            return self._time(field, element)
        return self._text(field, element) if tag in ENCODINGS else element.raw

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
        time = datetime.strptime(digits + seconds, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
        if found[3]:
            offset = timedelta(hours=int(found[4]), minutes=int(found[5]))
            time += offset if found[3] == b"-" else -offset
        if time.year < _FIRST_GENERALIZED_YEAR:
            right = der.encode(_UTC_TIME, f"{time:%y%m%d%H%M%SZ}".encode())
        else:
            right = der.encode(_GENERALIZED_TIME, f"{time:%Y%m%d%H%M%SZ}".encode())
        if right != element.raw:
            self.note(field, "a time that is not written as RFC 5280 asks")
        return right


def _shortest(content: bytes) -> bytes:
    value = int.from_bytes(content, "big", signed=True)
    return value.to_bytes((8 + (value + (value < 0)).bit_length()) // 8, "big", signed=True)


def _load(encoded: bytes) -> x509.Certificate:
    from cryptography import x509

    try:
        certificate = quietly(lambda: x509.load_der_x509_certificate(encoded))
        _ = quietly(lambda: (certificate.subject, certificate.issuer))
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from None
    return certificate


def _read_extensions(certificate: x509.Certificate) -> None:
    from cryptography import x509

    try:
        _ = quietly(lambda: certificate.extensions)
    except (x509.UnsupportedGeneralNameType, x509.DuplicateExtension) as error:
        raise ValueError(str(error)) from None
