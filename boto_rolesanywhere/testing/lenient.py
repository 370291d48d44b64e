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

from .der import BIT_STRING, EXTENSIONS, SEQUENCE, VERSION, Node, header, read

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

_BOOLEAN, _INTEGER, _, _OCTETS, _NULL, _OID = range(1, 7)
_SET: Final = 0x31
_UTF8, _PRINTABLE, _LATIN = 0x0C, 0x13, (0x14, 0x16)  # the last: T61String, IA5String
_TIMES: Final = (0x17, 0x18)  # UTCTime, GeneralizedTime
_BASIC_CONSTRAINTS: Final = bytes.fromhex("551d13")
_ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
_ECDSA: Final = bytes.fromhex("2a8648ce3d0403")
_IN_PRINTABLE: Final = re.compile(rb"[A-Za-z0-9 '()+,./:=?-]*")
_ANY_TIME: Final = re.compile(r"(\d{10}|\d{12})(\d\d)?(?:\.\d+)?(?:Z|([+-])(\d\d)(\d\d))?")


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
        signed = Node(SEQUENCE, (*self.version, *self.fields, *holder))
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
        begin, length = header(encoded, start)
        signed, algorithm, signature = read(encoded).children
        frame, extensions = _taken_apart(signed.children, algorithm, signature)
        readable = _load(frame.encoded(_kept(extensions, frame)))
        return cast(
            "x509.Certificate",
            LenientCertificate(encoded, encoded[start : begin + length], readable),
        )


def _load(encoded: bytes) -> x509.Certificate:
    """The certificate, with all read that `cryptography` parses, and refuses, on first use."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        certificate = x509.load_der_x509_certificate(encoded)
        certificate.public_key()
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
        Warning,  # `cryptography` warns of some errors, and warnings may be set to raise
    ) as error:
        raise ValueError(str(error)) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust; it cannot be imported
            raise ValueError("the cryptography library failed on it") from None
        raise
    return certificate


def _taken_apart(
    fields: tuple[Node, ...], algorithm: Node, signature: Node
) -> tuple[_Frame, tuple[Node, ...]]:
    version: list[Node] = []
    if fields and fields[0].tag == VERSION:
        (number,), fields = fields[0].children, fields[1:]
        version = [Node(VERSION, (number,))] if any(number.content) else []
    plain = [each for each in fields if each.tag != EXTENSIONS]
    kept = [_algorithm(each) if place == 1 else _right(each) for place, each in enumerate(plain)]
    holders = [each for each in fields if each.tag == EXTENSIONS]
    extensions: tuple[Node, ...] = ()
    if holders:
        (held,) = holders[0].children
        extensions = held.children
    bits = Node(BIT_STRING, b"\0" + signature.content[1:])
    return _Frame(version, kept, _algorithm(algorithm), bits), extensions


def _kept(extensions: tuple[Node, ...], frame: _Frame) -> list[Node]:
    """The extensions that can be read, each once, in DER."""
    found: dict[bytes, Node] = {}
    for extension in extensions:
        name, *flag, value = extension.children
        oid = name.content
        critical = [Node(_BOOLEAN, b"\xff")] if flag and any(flag[0].content) else []
        for candidate in _values(oid, value.content, frame):
            if oid not in found and frame.reads(oid, critical, candidate):
                parts = (name, *critical, Node(_OCTETS, candidate))
                found[oid] = Node(SEQUENCE, parts)
    return list(found.values())


def _values(oid: bytes, value: bytes, frame: _Frame) -> list[bytes]:
    """The value as it is; and in DER, without what cannot be read."""
    try:
        tree = _right(read(value))
    except ValueError:
        return [value]
    kept = tree.inner
    if oid == _BASIC_CONSTRAINTS:
        kept = tuple(each for each in tree.children if each != Node(_BOOLEAN, b"\0"))
    elif oid == _ALTERNATIVE_NAMES:
        kept = tuple(
            each for each in tree.children if frame.reads(oid, [], Node(SEQUENCE, (each,)).encoded)
        )
    return [value, Node(tree.tag, kept).encoded]


def _algorithm(node: Node) -> Node:
    """RFC 5758, 3.2: ECDSA has no parameters."""
    name, *parameters = node.children
    if name.content.startswith(_ECDSA) and parameters == [Node(_NULL, b"")]:
        return Node(SEQUENCE, (name,))
    return _right(node)


def _right(node: Node) -> Node:
    """The node in DER."""
    if isinstance(node.inner, tuple):
        inner = tuple(map(_right, node.inner))
        return Node(
            node.tag, tuple(sorted(inner, key=attrgetter("encoded"))) if node.tag == _SET else inner
        )
    if node.tag == _BOOLEAN:
        return Node(_BOOLEAN, b"\xff" if any(node.inner) else b"\0")
    if node.tag == _INTEGER:
        value = int.from_bytes(node.inner, "big", signed=True)
        size = (value + (value < 0)).bit_length() // 8 + 1
        return Node(_INTEGER, value.to_bytes(size, "big", signed=True))
    if node.tag in _TIMES:
        return _time(node)
    return _text(node)


def _text(node: Node) -> Node:
    content = node.content
    if node.tag == _PRINTABLE and not _IN_PRINTABLE.fullmatch(content):
        return Node(_UTF8, content.decode("latin-1").encode())
    if node.tag in _LATIN and not content.isascii():
        return Node(_UTF8, content.decode("latin-1").encode())
    if node.tag == _UTF8:
        try:
            content.decode()
        except UnicodeDecodeError:
            return Node(_UTF8, content.decode("latin-1").encode())
    return node


def _time(node: Node) -> Node:
    """RFC 5280, 4.1.2.5: to the second, in UTC; years from 2050 on as GeneralizedTime."""
    found = _ANY_TIME.fullmatch(node.content.decode("latin-1"))
    if found is None:
        raise ValueError("no time")
    century = "" if node.tag == _TIMES[1] else "19" if found[1] >= "50" else "20"
    digits = f"{century}{found[1]}{found[2] or '00'}"
    time = datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%S%z")
    if found[3]:
        sign = -1 if found[3] == "+" else 1
        time += sign * timedelta(hours=int(found[4]), minutes=int(found[5]))
    if time.year < 2050:  # noqa: PLR2004  # see above
        return Node(_TIMES[0], f"{time:%y%m%d%H%M%S}Z".encode())
    return Node(_TIMES[1], f"{time:%Y%m%d%H%M%S}Z".encode())
