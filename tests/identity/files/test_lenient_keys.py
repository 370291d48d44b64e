"""A key's value counts, not the number of octets it is written with, in every container."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from openssl_files import OpenSSL

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.lenient_keys import load_leniently
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.identity.files.private_keys import decode_key
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.settings.sources import Secret

# One whose first byte is zero, as one in 256 is.
NUMBER = int.from_bytes(bytes.fromhex("00" + "5a" * 31), "big")
KEY = ec.derive_private_key(NUMBER, ec.SECP256R1())
_KEY_BAG = "060b2a864886f70d010c0a0101"
SECRET = Secret("hunter2", "the test")


def tlv(tag: int, *parts: bytes) -> bytes:
    return der.encode(tag, b"".join(parts))


def with_octets(count: int, *, form: PrivateFormat) -> bytes:
    """The key with its number in `count` octets."""
    encoded = KEY.private_bytes(Encoding.DER, form, NoEncryption())
    fields = list(der.read_only(encoded).children())
    octets = NUMBER.to_bytes(count, "big")
    if form is PrivateFormat.TraditionalOpenSSL:
        return tlv(0x30, fields[0].raw, tlv(4, octets), *(each.raw for each in fields[2:]))
    inner = der.read_only(fields[2].content).children()
    key = tlv(0x30, inner[0].raw, tlv(4, octets), *(each.raw for each in inner[2:]))
    return tlv(0x30, fields[0].raw, fields[1].raw, tlv(4, key))


@pytest.mark.parametrize("count", [31, 32, 33, 40])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_ec_key_of_any_length_is_read(count: int, form: PrivateFormat) -> None:
    label = "PRIVATE KEY" if form is PrivateFormat.PKCS8 else "EC PRIVATE KEY"
    key = decode_key(Block(label, with_octets(count, form=form)), "app.key", None)
    assert key.public_key() == KEY.public_key()


@pytest.mark.parametrize("count", [31, 33])
def test_it_is_read_when_it_is_encrypted(
    count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    openssl = OpenSSL(tmp_path_factory.mktemp("keys"))
    openssl.write("short.der", with_octets(count, form=PrivateFormat.PKCS8))
    encrypted = openssl(
        *("pkcs8", "-topk8", "-inform", "DER", "-in", "short.der", "-outform", "DER"),
        *("-passout", "pass:hunter2"),
    )
    key = decode_key(Block("ENCRYPTED PRIVATE KEY", encrypted), "app.key", SECRET)
    assert key.public_key() == KEY.public_key()


@pytest.mark.parametrize("count", [31, 32, 33])
def test_it_is_read_from_pkcs12(count: int) -> None:
    found = open_contents(Part("private key", "app.p12", pkcs12(count)), None)

    assert [key.public_key() for key in found.opened] == [KEY.public_key()]


def pkcs12(count: int) -> bytes:
    """A file with the key alone, without encryption and MAC (RFC 7292, section 4)."""
    data, bag = (bytes.fromhex(oid) for oid in ("06092a864886f70d010701", _KEY_BAG))
    safe = tlv(0x30, tlv(0x30, bag, tlv(0xA0, with_octets(count, form=PrivateFormat.PKCS8))))
    contents = tlv(0x30, tlv(0x30, data, tlv(0xA0, tlv(4, safe))))
    return tlv(0x30, tlv(2, b"\3"), tlv(0x30, data, tlv(0xA0, tlv(4, contents))))


def test_version_2_with_the_public_key_is_read() -> None:
    encoded = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    version, algorithm, key = der.read_only(encoded).children()
    assert version.content == b"\0"
    second = tlv(0x30, tlv(2, b"\1"), algorithm.raw, key.raw, tlv(0x81, b"\0\4abc"))
    found = decode_key(Block("PRIVATE KEY", second), "app.key", None)
    assert found.public_key() == KEY.public_key()


@pytest.mark.parametrize("number", [0, 1 << 256])
def test_a_number_that_no_key_has_is_refused(number: int) -> None:
    inner = tlv(0x30, tlv(2, b"\1"), tlv(4, number.to_bytes(33, "big")))
    curve = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")
    encoded = tlv(0x30, tlv(2, b"\0"), tlv(0x30, curve), tlv(4, inner))
    with pytest.raises(PrivateKeyError, match="it is damaged, or of a kind"):
        decode_key(Block("PRIVATE KEY", encoded), "app.key", None)


def test_a_wrong_passphrase_stays_one() -> None:
    encrypted = KEY.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"another")
    )
    with pytest.raises(PrivateKeyError, match="the passphrase from the test is wrong"):
        decode_key(Block("ENCRYPTED PRIVATE KEY", encrypted), "app.key", SECRET)


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1", "secp521r1"])
@pytest.mark.parametrize("form", ["SEC 1", "PKCS #8"])
def test_a_curve_in_parameters_is_read_as_the_named_one(
    curve: str, form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    openssl = OpenSSL(tmp_path_factory.mktemp("keys"))
    openssl.write("named.pem", openssl("ecparam", "-name", curve, "-genkey", "-noout"))
    explicit = openssl(
        *("ec", "-in", "named.pem", "-param_enc", "explicit", "-outform", "DER"),
    )
    openssl.write("explicit.der", explicit)
    if form == "PKCS #8":
        explicit = openssl(
            *("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "explicit.der"),
            *("-outform", "DER"),
        )
    named = load_pem_private_key(openssl.read("named.pem"), None)

    for key in (decode_key(Block("PRIVATE KEY", explicit), "x", None), load_leniently(explicit)):
        assert key is not None
        assert key.public_key() == named.public_key()


def in_ber(encoded: bytes) -> bytes:
    """With an indefinite length outside, and long ones inside."""
    fields = der.read_only(encoded).children()
    long = (
        bytes((field.tag, 0x84)) + len(field.content).to_bytes(4, "big") + field.content
        for field in fields
    )
    return b"\x30\x80" + b"".join(long) + b"\0\0"


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_key_in_ber_is_read(form: PrivateFormat) -> None:
    encoded = KEY.private_bytes(Encoding.DER, form, NoEncryption())
    found = open_contents(Part("private key", "the file", in_ber(encoded) + b"\r\n"), None)
    assert decode_key(found.keys[0], "a.key", None).public_key() == KEY.public_key()


def test_a_key_in_pieces_and_ber_in_pkcs8_is_read() -> None:
    version, algorithm, octets = der.read_only(with_octets(32, form=PrivateFormat.PKCS8)).children()
    inner = in_ber(octets.content)
    pieces = tlv(0x24, tlv(4, inner[:9]), tlv(4, inner[9:]))
    encoded = tlv(0x30, version.raw, algorithm.raw, pieces)
    found = open_contents(Part("private key", "the file", encoded), None)
    assert decode_key(found.keys[0], "a.key", None).public_key() == KEY.public_key()


RSA = rsa.generate_private_key(65537, 2048)
_NUMBERS = der.read_only(
    RSA.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
).children()
VERSION, N, E, D, P, Q, *REST = (field.raw for field in _NUMBERS)
ZERO = tlv(2, b"\0")


@pytest.mark.parametrize(
    "numbers",
    [
        [VERSION, *(tlv(2, b"\0\0" + field.content) for field in _NUMBERS[1:])],
        [VERSION, *(tlv(2, field.content.lstrip(b"\0")) for field in _NUMBERS[1:])],
        [VERSION, N, E, D, *[ZERO] * 5],
        [VERSION, N, E, D],
    ],
    ids=["padded", "negative", "no factors", "nothing else"],
)
def test_an_rsa_key_is_read_from_the_numbers_that_make_it(numbers: list[bytes]) -> None:
    key = decode_key(Block("RSA PRIVATE KEY", tlv(0x30, *numbers)), "a.key", None)
    assert key.private_numbers() == RSA.private_numbers()  # type: ignore[union-attr]  # an RSA key


@pytest.mark.parametrize(
    "numbers", [[ZERO], [tlv(2, b"\5")], [D, Q, P, *REST], [ZERO, P, Q, *REST]]
)
def test_an_rsa_key_of_other_numbers_is_refused(numbers: list[bytes]) -> None:
    with pytest.raises(PrivateKeyError, match="cannot be read"):
        decode_key(Block("RSA PRIVATE KEY", tlv(0x30, VERSION, N, E, *numbers)), "a.key", None)
