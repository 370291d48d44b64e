"""PKCS #12 with one odd thing in it is read, as OpenSSL reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openssl_files import OpenSSL
from slips import KEY, PLAIN, SLIPS, tlv

from boto_rolesanywhere.certificates.odd import slips_of
from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.files.contents import Contents, open_contents
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.settings.sources import Secret

ODD, SLIP = SLIPS["critical FALSE"]
SECRET = "hünter2"
KEY_DER = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
DATA = bytes.fromhex("06092a864886f70d010701")
BAG = "060b2a864886f70d010c0a01"
X509 = bytes.fromhex("060a2a864886f70d01091601")
FRIENDLY_NAME = bytes.fromhex("06092a864886f70d010914")


def opened(file: bytes, passphrase: str | None = None) -> Contents:
    secret = None if passphrase is None else Secret(passphrase, "the test")
    return open_contents(Part("certificate", "the file", file), secret)


def data(content: bytes) -> bytes:
    return tlv(0x30, DATA, tlv(0xA0, tlv(4, content)))


def bag(kind: int, value: bytes, *attributes: bytes) -> bytes:
    return tlv(0x30, bytes.fromhex(f"{BAG}{kind:02x}"), tlv(0xA0, value), *attributes)


def pfx(*bags: bytes) -> bytes:
    return tlv(0x30, b"\2\1\3", data(tlv(0x30, data(tlv(0x30, *bags)))))


def certificate_bag(encoded: bytes, *attributes: bytes) -> bytes:
    return bag(3, tlv(0x30, X509, tlv(0xA0, tlv(4, encoded))), *attributes)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-certpbe", "AES-128-CBC", "-macalg", "sha512"),
        ("-certpbe", "DES-EDE3-CBC"),
        ("-certpbe", "PBE-SHA1-RC2-128", "-provider", "legacy", "-provider", "default"),
        ("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
        ("-certpbe", "NONE", "-keypbe", "NONE"),
        ("-certpbe", "NONE", "-keypbe", "NONE", "-nomac"),
    ],
    ids=" ".join,
)
def test_a_certificate_with_a_slip_is_read(options: tuple[str, ...], tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    openssl.write("odd.pem", Block("CERTIFICATE", ODD).to_pem())
    openssl.write("key.pem", Block("PRIVATE KEY", KEY_DER).to_pem())
    names = ("-in", "odd.pem", "-inkey", "key.pem", "-out", "a.p12")
    openssl("pkcs12", "-export", *names, *options, "-passout", f"pass:{SECRET}")

    found = opened(openssl.read("a.p12"), SECRET)

    assert slips_of(found.certificates[0]) == (SLIP,)
    assert [key.public_key() for key in found.opened] == [KEY.public_key()]
    if "-nomac" not in options:
        with pytest.raises(PassphraseError, match="is wrong"):
            opened(openssl.read("a.p12"), "another")


@pytest.mark.parametrize(
    "name", [tlv(0x0C, b"app"), tlv(0x1E, b"abc"), b""], ids=["UTF8String", "odd BMP", "none"]
)
def test_a_friendly_name_of_another_type_does_no_harm(name: bytes) -> None:
    attribute = tlv(0x31, tlv(0x30, FRIENDLY_NAME, tlv(0x31, name)))
    encoded = PLAIN.public_bytes(Encoding.DER)
    found = opened(pfx(bag(1, KEY_DER), certificate_bag(encoded, attribute)))
    assert found.certificates == (PLAIN,)
    assert len(found.opened) == 1


def test_bags_in_bags_are_opened() -> None:
    inner = tlv(0x30, certificate_bag(ODD), bag(1, KEY_DER))
    found = opened(pfx(bag(6, tlv(0x30, bag(6, inner)))))
    assert found.inventory == "1 certificate and 1 private key"
