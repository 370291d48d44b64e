"""Reads certificates with slips of encoding, as OpenSSL does, for the emulator.

The package has a reader of its own for them (`certificates.twin`); this one shares nothing with it,
so that no mistake passes on both sides. It re-encodes the certificate as a tree, and tells nobody
what was odd.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from .der import (
    BIT_STRING,
    CONSTRUCTED,
    EXTENSIONS,
    SEQUENCE,
    VERSION,
    Node,
    header,
    read,
    read_from,
)

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

_BOOLEAN, _INTEGER, _, _OCTETS, _NULL, _OID = range(1, 7)
_SET: Final = 0x31
_UTF8, _PRINTABLE, _NUMERIC, _VISIBLE = 0x0C, 0x13, 0x12, 0x1A
_LATIN: Final = (0x14, 0x16, _NUMERIC, _VISIBLE)  # the first two: T61String, IA5String
_WIDE: Final = {0x1C: "utf-32-be", 0x1E: "utf-16-be"}  # UniversalString, BMPString
_RARE: Final = (0x15, 0x19, 0x1B)  # VideotexString, GraphicString, GeneralString
_IN_NAMES: Final = frozenset((_UTF8, _PRINTABLE, *_LATIN, *_WIDE))
_STRINGS: Final = frozenset((BIT_STRING, _OCTETS, *_IN_NAMES, *_RARE, 0x1D))
_TIMES: Final = (0x17, 0x18)  # UTCTime, GeneralizedTime
_DIRECTORY_NAME: Final = 0xA4
_UNIQUE_IDENTIFIER: Final = bytes.fromhex("55042d")  # its value is a BIT STRING
_KEY_USAGE: Final = bytes.fromhex("551d0f")
_BASIC_CONSTRAINTS: Final = bytes.fromhex("551d13")
_ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
_ECDSA: Final = bytes.fromhex("2a8648ce3d0403")
_EDWARDS: Final = (b"\x2b\x65\x70", b"\x2b\x65\x71")
_LATTICE: Final = bytes.fromhex("6086480165030403")
_RSA: Final = bytes.fromhex("2a864886f70d0101")
_RSA_OF_X500: Final = bytes.fromhex("55080101")
_PSS: Final = 10  # the last arc of its OID
_IN_PRINTABLE: Final = re.compile(rb"[A-Za-z0-9 '()+,./:=?-]*")
_ANY_TIME: Final = re.compile(r"(\d{10}|\d{12})(\d\d)?(?:[.,]\d+)?(?:Z|([+-])(\d\d)(\d\d))?")
_FIRST, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001  # in UTC
_ISSUER, _SUBJECT, _KEY = 2, 4, 5  # their places among the fields
_FIELDS: Final = 6
_LONGEST_SERIAL: Final = 1024  # octets; 20 are allowed


class LenientCertificate:
    """A certificate as it was sent, which is read through one without its slips."""

    def __init__(self, encoded: bytes, signed: bytes, readable: x509.Certificate) -> None:
        """Hold the bytes `encoded`, of which `signed` is signed, and the form to read."""
        self._encoded = encoded
        self.tbs_certificate_bytes = signed
        self._readable = readable

    def public_bytes(self, encoding: Encoding) -> bytes:
        """The certificate as it was sent."""
        import ssl

        from cryptography.hazmat.primitives.serialization import Encoding as Encodings

        if encoding is Encodings.PEM:
            return ssl.DER_cert_to_PEM_cert(self._encoded).encode("ascii")
        return self._encoded

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a certificate has
        return getattr(self._readable, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LenientCertificate) and self._encoded == other._encoded

    def __hash__(self) -> int:
        return hash(self._encoded)


class _Frame(NamedTuple):
    """A certificate without its extensions."""

    version: list[Node]
    fields: list[Node]
    algorithm: Node
    bits: Node

    def encoded(self, extensions: list[Node]) -> bytes:
        """The whole, with these extensions."""
        holder = [Node(EXTENSIONS, (Node(SEQUENCE, tuple(extensions)),))] if extensions else []
        # `cryptography` reads no version 3 without extensions.
        signed = Node(SEQUENCE, (*(self.version if holder else []), *self.fields, *holder))
        return Node(SEQUENCE, (signed, self.algorithm, self.bits)).encoded

    def reads(self, oid: bytes, critical: list[Node], value: bytes) -> bool:
        """Whether `cryptography` reads this extension."""
        extension = Node(SEQUENCE, (Node(_OID, oid), *critical, Node(_OCTETS, value)))
        try:
            _load(self.encoded([extension]))
        except ValueError:
            return False
        return True


def load_leniently(encoded: bytes) -> x509.Certificate:
    """The certificate `encoded`; as `LenientCertificate` if it has slips.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return _load(encoded)
    except ValueError:
        start, _ = header(encoded, 0)
        _, end = read_from(encoded, start)
        signed, algorithm, signature = read(encoded).children
        frame, extensions = _taken_apart(signed.children, algorithm, _right(signature))
        try:
            _load(frame.encoded([]))
        except ValueError as error:
            parsers = "pars" in str(error)  # its words, which say nothing to a person
            problem = "one of its fields holds a value of another type" if parsers else str(error)
            raise ValueError(problem) from None
        readable = _load(frame.encoded(_kept(extensions, frame)))
        return cast("x509.Certificate", LenientCertificate(encoded, encoded[start:end], readable))


def _load(encoded: bytes) -> x509.Certificate:
    """The certificate, with all read that `cryptography` parses, and refuses, on first use."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        certificate = x509.load_der_x509_certificate(encoded)
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        certificate.public_key()
        _ = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
        size = certificate.serial_number.bit_length()
    except UnsupportedAlgorithm:
        raise ValueError("it is signed by an algorithm that is not known here") from None
    except Exception as error:  # noqa: BLE001  # of many kinds, the library's warnings among them
        raise ValueError(str(error)) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust; it cannot be imported
            raise ValueError("the cryptography library failed on it") from None
        raise
    if size > 8 * _LONGEST_SERIAL:
        raise ValueError("its serial number is far too long")
    return certificate


def _taken_apart(
    fields: tuple[Node, ...], algorithm: Node, signature: Node
) -> tuple[_Frame, tuple[Node, ...]]:
    version: list[Node] = []
    if fields and fields[0].tag == VERSION:
        (number,), fields = fields[0].children, fields[1:]
        version = [Node(VERSION, (_right(number),))] if any(number.content) else []
    mended = []
    for place, field in enumerate(fields[:_FIELDS]):
        mend = {1: _algorithm, _ISSUER: _name, _SUBJECT: _name, _KEY: _public_key}.get(
            place, _right
        )
        mended.append(mend(field))
    holders = [each for each in fields[_FIELDS:] if each.tag == EXTENSIONS]
    extensions = holders[0].children[0].children if holders else ()
    bits = Node(BIT_STRING, b"\0" + signature.content[1:])
    return _Frame(version, mended, _algorithm(algorithm), bits), extensions


def _kept(extensions: tuple[Node, ...], frame: _Frame) -> list[Node]:
    """The extensions that can be read, each once, in DER."""
    found: dict[bytes, Node] = {}
    for extension in extensions:
        name, *flag, value = extension.children
        oid = name.content
        critical = [Node(_BOOLEAN, b"\xff")] if flag and any(flag[0].content) else []
        for candidate in _values(oid, _right(value).content, frame):
            if oid not in found and frame.reads(oid, critical, candidate):
                parts = (name, *critical, Node(_OCTETS, candidate))
                found[oid] = Node(SEQUENCE, parts)
    return list(found.values())


def _values(oid: bytes, value: bytes, frame: _Frame) -> list[bytes]:
    """The value as it is; and in DER, without what cannot be read."""
    try:
        tree, _ = read_from(value, 0)
        if oid == _ALTERNATIVE_NAMES:
            names = tuple(map(_general_name, tree.children))
            kept = (each for each in names if frame.reads(oid, [], Node(SEQUENCE, (each,)).encoded))
            return [value, Node(SEQUENCE, tuple(kept)).encoded]
        right = _right(tree)
        if oid == _BASIC_CONSTRAINTS:
            kept = (each for each in right.children if each != Node(_BOOLEAN, b"\0"))
            return [value, Node(SEQUENCE, tuple(kept)).encoded]
        if oid == _KEY_USAGE:
            first = right.content[1:2]
            return [value, Node(BIT_STRING, b"\0" + first).encoded]
    except ValueError:
        return [value]
    return [value, right.encoded]


def _general_name(node: Node) -> Node:
    if node.tag == _DIRECTORY_NAME:
        return Node(node.tag, tuple(map(_name, node.children)))
    return _right(node)


def _name(node: Node) -> Node:
    rdns = [
        Node(_SET, _sorted({_attribute(each) for each in rdn.children})) for rdn in node.children
    ]
    return Node(SEQUENCE, tuple(rdn for rdn in rdns if rdn.inner))


def _sorted(nodes: set[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=attrgetter("encoded")))


def _attribute(node: Node) -> Node:
    kind, value, *_ = node.children
    try:
        right = _right(value)
    except ValueError:
        right = value
    bits = right.tag == BIT_STRING and kind.content == _UNIQUE_IDENTIFIER
    if right.tag in _RARE:
        right = Node(_UTF8, right.content.decode("latin-1").encode())
    elif right.tag not in _IN_NAMES and not bits:
        right = Node(_UTF8, f"#{value.encoded.hex()}".encode())  # RFC 4514, 2.4
    return Node(SEQUENCE, (kind, right))


def _algorithm(node: Node) -> Node:
    """RFC 5758 (ECDSA), 8410 (Edwards curves) and 9881: no parameters. RFC 4055: a NULL."""
    name = node.children[0]
    oid = name.content
    if oid.startswith((_ECDSA, _LATTICE)) or oid in _EDWARDS:
        return Node(SEQUENCE, (name,))
    if oid.startswith(_RSA) and oid[-1] != _PSS:
        return Node(SEQUENCE, (name, Node(_NULL, b"")))
    return _right(node)


def _public_key(node: Node) -> Node:
    algorithm, bits, *_ = node.children
    held = bits.inner
    key = held[1:] if isinstance(held, bytes) else _together(BIT_STRING, held)[1:]
    oid = algorithm.children[0].content
    if oid in (_RSA + b"\1", _RSA_OF_X500):
        numbers = [
            int.from_bytes(each.content, "big") for each in read_from(key, 0)[0].children[:2]
        ]
        key = Node(SEQUENCE, tuple(map(_number, numbers))).encoded
        algorithm = Node(SEQUENCE, (Node(_OID, _RSA + b"\1"), Node(_NULL, b"")))
    elif oid == _RSA + bytes((_PSS,)) and algorithm.children[1:] == (Node(_NULL, b""),):
        algorithm = Node(SEQUENCE, algorithm.children[:1])
    return Node(SEQUENCE, (_right(algorithm), Node(BIT_STRING, b"\0" + key)))


def _number(value: int) -> Node:
    size = (value + (value < 0)).bit_length() // 8 + 1
    return Node(_INTEGER, value.to_bytes(size, "big", signed=True))


def _right(node: Node) -> Node:
    """The node in DER."""
    if isinstance(node.inner, tuple):
        inner = tuple(map(_right, node.inner))
        if (tag := node.tag & ~CONSTRUCTED) in _STRINGS:
            return _right(Node(tag, _together(tag, inner)))
        return Node(node.tag, _sorted(set(inner)) if node.tag == _SET else inner)
    if node.tag == _BOOLEAN:
        return Node(_BOOLEAN, b"\xff" if any(node.inner) else b"\0")
    if node.tag == _INTEGER:
        return _number(int.from_bytes(node.inner, "big", signed=True))
    if node.tag == BIT_STRING and node.inner[1:]:
        unused = node.inner[0]
        return Node(BIT_STRING, node.inner[:-1] + bytes((node.inner[-1] >> unused << unused,)))
    return _time(node) if node.tag in _TIMES else _text(node)


def _together(tag: int, pieces: tuple[Node, ...]) -> bytes:
    """The content of a string that BER has cut into pieces (X.690, 8.6.4, 8.23)."""
    if tag != BIT_STRING:
        return b"".join(each.content for each in pieces)
    unused = pieces[-1].content[:1] if pieces else b"\0"
    return unused + b"".join(each.content[1:] for each in pieces)


def _text(node: Node) -> Node:
    content = node.content
    encoding = _WIDE.get(node.tag, "utf-8")
    if node.tag == _PRINTABLE and not _IN_PRINTABLE.fullmatch(content):
        return Node(_UTF8, content.decode("latin-1").encode())
    if node.tag in _LATIN and not content.isascii():
        return Node(_UTF8, content.decode("latin-1").encode())
    if node.tag == _UTF8 or node.tag in _WIDE:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            return Node(_UTF8, content.decode("latin-1").encode())
    return node


def _time(node: Node) -> Node:
    """RFC 5280, 4.1.2.5: to the second, in UTC; years from 2050 on as GeneralizedTime."""
    found = _ANY_TIME.fullmatch(node.content.decode("latin-1"))
    if found is None:
        raise ValueError("one of its times cannot be read")
    century = "" if node.tag == _TIMES[1] else "19" if found[1] >= "50" else "20"
    digits = f"{century}{found[1]}{found[2] or '00'}"
    if digits.startswith("0000"):
        return _written(_FIRST)
    time = datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007  # in UTC
    if found[3]:
        sign = -1 if found[3] == "+" else 1
        try:
            time += sign * timedelta(hours=int(found[4]), minutes=int(found[5]))
        except OverflowError:
            time = _LAST if sign > 0 else _FIRST
    return _written(time)


def _written(time: datetime) -> Node:
    if 1950 <= time.year < 2050:  # noqa: PLR2004  # see above
        return Node(_TIMES[0], f"{time:%y%m%d%H%M%S}Z".encode())
    return Node(_TIMES[1], f"{time.year:04}{time:%m%d%H%M%S}Z".encode())
