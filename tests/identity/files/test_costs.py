"""Files that would keep the process at work for hours are refused before the work begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openssl_files import OpenSSL

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError, RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.costs import MOST_ITERATIONS
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.identity.files.private_keys import decode_key
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.settings.sources import Secret

SECRET = Secret("secret", "the test")
PBKDF2, PBES2, PBMAC1 = ("2a864886f70d01050c", "2a864886f70d01050d", "2a864886f70d01050e")
SCRYPT = "2b06010401da47040b"
PBE_MD5_DES, PBE_SHA1_3DES = "2a864886f70d010503", "2a864886f70d010c0103"
DATA, ENCRYPTED_DATA = "2a864886f70d010701", "2a864886f70d010706"
KEY_BAG, SHROUDED_KEY_BAG = "2a864886f70d010c0a0101", "2a864886f70d010c0a0102"


def sequence(*elements: bytes) -> bytes:
    return der.encode(der.SEQUENCE, b"".join(elements))


def name(hexadecimal: str) -> bytes:
    return der.encode(der.OID, bytes.fromhex(hexadecimal))


def octets(content: bytes) -> bytes:
    return der.encode(der.OCTET_STRING, content)


def integer(value: int) -> bytes:
    return der.encode(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def pbkdf2(iterations: int) -> bytes:
    return sequence(name(PBKDF2), sequence(octets(b"saltsalt"), integer(iterations)))


def pbes2(derivation: bytes) -> bytes:
    cipher = sequence(name("60864801650304012a"), octets(bytes(16)))
    return sequence(name(PBES2), sequence(derivation, cipher))


def scrypt(n: int, r: int, p: int) -> bytes:
    return pbes2(
        sequence(name(SCRYPT), sequence(octets(b"saltsalt"), integer(n), integer(r), integer(p)))
    )


def pbe(scheme: str, iterations: int) -> bytes:
    return sequence(name(scheme), sequence(octets(b"saltsalt"), integer(iterations)))


def locked(algorithm: bytes, size: int = 48) -> bytes:
    """An EncryptedPrivateKeyInfo."""
    return sequence(algorithm, octets(bytes(size)))


def content(kind: str, inner: bytes) -> bytes:
    return sequence(name(kind), der.encode(0xA0, inner))


def pkcs12(*bags: bytes, mac: bytes = b"", algorithm: bytes = b"") -> bytes:
    """A PKCS #12 file with these SafeBags, in the open or below an encryption of their own."""
    safe = content(DATA, octets(sequence(*bags)))
    if algorithm:
        inner = sequence(name(DATA), algorithm, der.encode(0x80, bytes(48)))
        safe = content(ENCRYPTED_DATA, sequence(integer(0), inner))
    return sequence(integer(3), content(DATA, octets(sequence(safe))), mac)


def mac_data(iterations: int, algorithm: bytes | None = None) -> bytes:
    digest = sequence(algorithm or sequence(name("608648016503040201")), octets(bytes(32)))
    return sequence(digest, octets(b"saltsalt"), integer(iterations))


def indefinite(encoded: bytes) -> bytes:
    """The outermost three levels in BER's form without lengths, the string in two pieces."""
    version, outer, *mac = der.read_only(encoded).children()
    kind, explicit = outer.children()
    inner = explicit.children()[0].content
    pieces = b"\x24\x80" + octets(inner[:7]) + octets(inner[7:]) + b"\0\0"
    body = b"\x30\x80" + kind.raw + b"\xa0\x80" + pieces + b"\0\0" + b"\0\0"
    return b"\x30\x80" + version.raw + body + b"".join(one.raw for one in mac) + b"\0\0"


@contextmanager
def at_once() -> Iterator[None]:
    """The body of the `with` must do next to no work."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 0.5


KEYS = {
    "PBKDF2, at which the library panics": pbes2(pbkdf2(2**31)),
    "PBKDF2, for half an hour": pbes2(pbkdf2(2**31 - 1)),
    "PBKDF2, beyond all numbers": pbes2(pbkdf2(2**9000)),
    "PBKDF2, a negative number": pbes2(pbkdf2(-(2**40))),
    "scrypt, memory": scrypt(2**30, 8, 1),
    "scrypt, block size": scrypt(2**14, 2**20, 1),
    "scrypt, parallelism": scrypt(2**14, 8, 2**20),
    "PBES1": pbe(PBE_MD5_DES, 2**31 - 1),
    "the PBE of PKCS #12": pbe(PBE_SHA1_3DES, 2**31 - 1),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_costs_too_much_is_refused(case: str) -> None:
    with at_once(), pytest.raises(PrivateKeyError) as caught:
        decode_key(Block("ENCRYPTED PRIVATE KEY", locked(KEYS[case])), "the file", SECRET)
    assert not isinstance(caught.value, PassphraseError)
    assert "5,000,000 iterations" in (caught.value.expected or "")
    assert "openssl pkcs8" in (caught.value.remedy or "")


SHROUDED = content(SHROUDED_KEY_BAG, locked(pbe(PBE_SHA1_3DES, 2**31 - 1)))
FILES = {
    "MAC": pkcs12(mac=mac_data(2**31 - 1)),
    "MAC by PBKDF2": pkcs12(mac=mac_data(1, sequence(name(PBMAC1), sequence(pbkdf2(2**31 - 1))))),
    "key": pkcs12(SHROUDED),
    "key, PBES2": pkcs12(content(SHROUDED_KEY_BAG, locked(pbes2(pbkdf2(2**31 - 1))))),
    "key, scrypt": pkcs12(content(SHROUDED_KEY_BAG, locked(scrypt(2**30, 8, 1)))),
    "certificates": pkcs12(algorithm=pbe(PBE_SHA1_3DES, 2**31 - 1)),
    "many keys": pkcs12(
        *[content(SHROUDED_KEY_BAG, locked(pbe(PBE_SHA1_3DES, MOST_ITERATIONS // 10)))] * 11
    ),
    "MAC, in BER": indefinite(pkcs12(mac=mac_data(2**31 - 1))),
    "key, in BER": indefinite(pkcs12(SHROUDED)),
    "a large key": pkcs12(content(KEY_BAG, sequence(octets(bytes(10_000))))),
}


@pytest.mark.parametrize("passphrase", [SECRET, None])
@pytest.mark.parametrize("case", FILES)
def test_a_pkcs12_file_that_costs_too_much_is_refused(case: str, passphrase: Secret | None) -> None:
    part = Part("certificate", "the file", FILES[case])
    with at_once(), pytest.raises(RolesAnywhereError) as caught:
        open_contents(part, passphrase)
    assert not isinstance(caught.value, PassphraseError)
    assert "openssl pkcs12" in (caught.value.remedy or "")
    assert "5,000,000 iterations" in (caught.value.expected or "")


def test_a_key_with_more_iterations_than_usual_opens(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    openssl = OpenSSL(tmp_path_factory.mktemp("keys"))
    openssl.key("ec.key")
    openssl(
        *("pkcs8", "-topk8", "-in", "ec.key", "-iter", "1000000", "-outform", "DER"),
        *("-out", "locked.der", "-passout", "pass:secret"),
    )
    assert decode_key(Block("ENCRYPTED PRIVATE KEY", openssl.read("locked.der")), "it", SECRET)


def mersenne(first: int, second: int) -> bytes:
    """An RSA key whose primes everybody knows; PKCS #1."""
    p, q, e = 2**first - 1, 2**second - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return sequence(*map(integer, numbers))


def in_pkcs8(key: bytes) -> bytes:
    algorithm = sequence(name("2a864886f70d010101"), der.encode(der.NULL, b""))
    return sequence(integer(0), algorithm, octets(key))


@pytest.mark.parametrize(
    "key",
    [
        mersenne(9689, 9941),  # which the library tests for minutes
        in_pkcs8(mersenne(9689, 9941)),
        sequence(*map(integer, (0, 1, 65537, 1, 2**19937 - 1, 3, 1, 1, 1))),
        in_pkcs8(sequence(*map(integer, (0, 1, 65537, 1, 2**19937 - 1, 3, 1, 1, 1)))),
    ],
    ids=["PKCS #1", "PKCS #8", "one large prime", "one large prime, PKCS #8"],
)
def test_a_key_with_huge_primes_is_refused(key: bytes) -> None:
    with at_once(), pytest.raises(PrivateKeyError, match="larger than any that AWS takes"):
        decode_key(Block("PRIVATE KEY", key), "the file", None)


def test_more_keys_than_anybody_has_are_refused() -> None:
    pem = Block("PRIVATE KEY", in_pkcs8(b"")).to_pem()
    with pytest.raises(PrivateKeyError, match="it holds 17 private keys; expected at most 16"):
        open_contents(Part("private key", "the file", pem * 17), None)


def test_a_file_of_too_many_parts_is_refused() -> None:
    part = Part("certificate", "the file", pkcs12(*[sequence(integer(0))] * 60_000))
    with pytest.raises(RolesAnywhereError, match="more than 50,000 parts"):
        open_contents(part, None)


def test_a_file_within_files_without_end_is_refused() -> None:
    inner = sequence(octets(bytes(1_000_000)))
    for _ in range(20):
        inner = sequence(content(DATA, octets(inner)))
    part = Part("certificate", "the file", sequence(integer(3), content(DATA, octets(inner))))
    with at_once(), pytest.raises(RolesAnywhereError, match="it is nested too deep"):
        open_contents(part, None)


def test_a_file_that_is_nested_without_end_is_refused() -> None:
    part = Part("certificate", "the file", b"\x30\x80\x02\x01\x03" + b"\x30\x80" * 100_000)
    with at_once(), pytest.raises(RolesAnywhereError, match="damaged or cut short"):
        open_contents(part, None)
