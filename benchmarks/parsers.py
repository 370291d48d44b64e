"""What it takes to read files that somebody made up of very many parts.

Each parser is timed with half of the parts and with all of them. One that goes through its input
once takes twice as long for all; one that starts over for each part takes four times as long.
Where a count ends in words, it takes no time at all.

Run: python benchmarks/parsers.py [--check] [--parts 200000]
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta, timezone
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.chain import order_chain
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.inspection.certificate import choose_leaf
from boto_rolesanywhere.settings.profile_section import with_section

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SECONDS = 10.0
MOST_RATIO = 3.0
TOO_SHORT = 0.1  # to compare
MAZE = 2000  # certificates are made with a signature each
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())
NULL = der.encode(der.NULL, b"")


def opened(data: bytes) -> None:
    """Look into a file."""
    open_contents(Part("private key", "a file", data), None)


def pkcs12(inner: bytes) -> bytes:
    """A PKCS #12 file with these bags."""
    data = der.encode(der.OID, bytes.fromhex("2a864886f70d010701"))
    octets = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, inner))
    safe = der.encode(der.SEQUENCE, data + der.encode(0xA0, octets))
    return der.encode(der.SEQUENCE, der.encode(der.INTEGER, b"\3") + safe)


def pem(inner: bytes, label: bytes = b"PRIVATE KEY") -> bytes:
    """A block."""
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, inner, label)


PARSERS: dict[str, Callable[[int], bytes]] = {
    "DER, one after the other": lambda parts: der.encode(der.SEQUENCE, NULL) * parts,
    "DER, within one": lambda parts: der.encode(der.SEQUENCE, NULL * parts),
    "DER, one arc of a name": lambda parts: der.encode(
        der.SEQUENCE, der.encode(der.OID, b"\x88" * parts + b"\1")
    ),
    "PKCS #12, bags": lambda parts: pkcs12(NULL * parts),
    "PKCS #12, nested": lambda parts: b"\x30\x80\x02\x01\x03" + b"\x30\x80" * parts,
    "PEM, headers": lambda parts: pem(b"A: b\n" * parts + b"\nAAAA"),
    "PEM, blanks in the base64": lambda parts: pem(b"AA \n" * parts),
    "PEM, blocks": lambda parts: pem(b"AAAA", b"X") * parts,
    "PEM, labels": lambda parts: b"".join(pem(b"AAAA", b"X%d" % at) for at in range(parts)),
    "PEM, no end": lambda parts: b"-----BEGIN X-----\n" * parts,
    "base64, blanks before what is none": lambda parts: b"MII" + b" " * parts + b"!",
    "base64, blanks after it": lambda parts: b"MIIA" + b" \n" * parts,
}


INI: dict[str, Callable[[int], str]] = {
    "INI, comment lines": lambda parts: "[work]\na = b\n" + "# c\n" * parts,
    "INI, blank lines": lambda parts: "[work]\na = b\n" + "\n" * parts,
    "INI, lines of one value": lambda parts: "[work]\na = b\n" + " more\n" * parts,
}


def changed(text: str) -> None:
    """Set a key of a credentials file."""
    with_section(text.encode(), "work", {"aws_access_key_id": "A"}, shell_words=False)


def maze(parts: int) -> list[x509.Certificate]:
    """Certificates of two authorities, each of which has signed all those of the other."""
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in "AB"]
    return [
        x509.CertificateBuilder()
        .subject_name(names[at % 2])
        .issuer_name(names[1 - at % 2])
        .public_key(KEY.public_key())
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=1))
        .serial_number(at + 1)
        .sign(KEY, hashes.SHA256())
        for at in range(parts)
    ]


def seconds(call: Callable[[], object]) -> tuple[float, str]:
    """How long `call` takes, and what it says."""
    start, said = perf_counter(), "read"
    try:
        call()
    except RolesAnywhereError as error:
        said = str(error)
    return perf_counter() - start, said


def main() -> int:
    """Time all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 if one is too slow")
    parser.add_argument("--parts", type=int, default=200_000, help="of each file")
    arguments = parser.parse_args()
    many = maze(MAZE)
    share = arguments.parts // MAZE
    calls: dict[str, Callable[[int], Callable[[], object]]] = {
        "a maze, its chain": lambda parts: partial(order_chain, many[0], many[: parts // share]),
        "a maze, its leaf": lambda parts: partial(choose_leaf, many[: parts // share]),
    }
    for name, make in PARSERS.items():
        calls[name] = lambda parts, make=make: partial(opened, make(parts))
    for name, write in INI.items():
        calls[name] = lambda parts, write=write: partial(changed, write(parts))
    slow = []
    print(f"{'':36} {'half':>8} {'all':>8}  seconds for {arguments.parts:,} parts")
    for name, prepare in calls.items():
        half, _ = seconds(prepare(arguments.parts // 2))
        whole, said = seconds(prepare(arguments.parts))
        if whole > MOST_SECONDS or (whole > TOO_SHORT and whole > MOST_RATIO * half):
            slow.append(name)
        print(f"{name:36} {half:8.3f} {whole:8.3f}  {said[:90]}")
    print("too slow: " + (", ".join(slow) or "none"))
    return int(arguments.check and bool(slow))


if __name__ == "__main__":
    sys.exit(main())
