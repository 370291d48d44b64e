"""Ways of encryption: those that are read through PKCS #12, and the command for the others."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from openssl_files import LEGACY, OpenSSL

from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.files.pem import Block, scan
from boto_rolesanywhere.identity.files.private_keys import decode_key
from boto_rolesanywhere.settings.sources import Secret

SECRET = Secret("secret", "the test")
PKCS8 = ("pkcs8", "-topk8", *LEGACY)
READ = {
    "traditional AES-192": ("ec", "-aes-192-cbc"),
    "PRF SHA512-224": (*PKCS8, "-v2prf", "hmacWithSHA512-224"),
    "PRF SHA512-256": (*PKCS8, "-v2prf", "hmacWithSHA512-256"),
    "PRF MD5": (*PKCS8, "-v2prf", "hmacWithMD5"),
    "Camellia": (*PKCS8, "-v2", "camellia-256-cbc"),
    "ARIA": (*PKCS8, "-v2", "aria-256-cbc"),
    "AES in CFB mode": (*PKCS8, "-v2", "aes-256-cfb"),
    "single DES": (*PKCS8, "-v2", "des"),
    "SEED": (*PKCS8, "-v2", "seed-cbc"),
    "Blowfish": (*PKCS8, "-v2", "bf-cbc"),
    "RC2 of 64 bits": (*PKCS8, "-v2", "rc2-64-cbc"),
    "2-key 3DES": (*PKCS8, "-v1", "PBE-SHA1-2DES"),
    "PBES1 with RC2": (*PKCS8, "-v1", "PBE-SHA1-RC2-128"),
}
UNSUPPORTED = {
    "traditional Camellia": ("ec", "-camellia-128-cbc"),
    "traditional single DES": ("ec", *LEGACY, "-des-cbc"),
}


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    openssl = OpenSSL(tmp_path_factory.mktemp("keys"))
    openssl.key("ec.key")
    return openssl


def decode(openssl: OpenSSL, name: str) -> PrivateKeyTypes:
    (block,) = scan(openssl.read(name))
    return decode_key(block, name, SECRET)


@pytest.mark.parametrize("name", READ)
def test_unusual_ways_in_pkcs8_are_read(name: str, openssl: OpenSSL) -> None:
    openssl(*READ[name], "-in", "ec.key", "-out", "old.pem", "-passout", "pass:secret")
    key = decode(openssl, "old.pem")
    (plain,) = scan(openssl.read("ec.key"))
    assert key.public_key() == decode_key(plain, "ec.key", None).public_key()
    with pytest.raises(PassphraseError, match="is wrong"):
        decode_key(scan(openssl.read("old.pem"))[0], "old.pem", Secret("another", "the test"))


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_the_command_in_the_error_converts_the_file(name: str, openssl: OpenSSL) -> None:
    openssl(*UNSUPPORTED[name], "-in", "ec.key", "-out", "old.pem", "-passout", "pass:secret")
    with pytest.raises(PrivateKeyError, match="in a way that cannot be read") as caught:
        decode(openssl, "old.pem")
    assert not isinstance(caught.value, PassphraseError)
    command, *legacy = re.findall(r"`([^`]*)`", caught.value.remedy or "")
    arguments = f"{command} {legacy[0]}".split()[1:]
    openssl(*arguments, "-passin", "pass:secret", "-passout", "pass:secret")
    assert decode(openssl, "new.pem")


def test_a_wrong_passphrase_that_happens_to_decrypt_is_a_wrong_passphrase(
    openssl: OpenSSL,
) -> None:
    openssl(
        *("pkcs8", "-topk8", "-v1", "PBE-SHA1-RC4-128", "-in", "ec.key", "-out", "rc4.pem"),
        *("-passout", "pass:another", *LEGACY),  # a stream cipher: there is no padding to be wrong
    )
    with pytest.raises(PassphraseError, match="is wrong, or the decrypted key cannot be read"):
        decode(openssl, "rc4.pem")


@pytest.mark.parametrize("spoiled", [b"", b"\x30\x00", b"\x30\x80", b"\x30\x82\xff\xff"])
def test_damage_is_said_without_a_traceback(spoiled: bytes) -> None:
    with pytest.raises(PrivateKeyError):
        decode_key(Block("ENCRYPTED PRIVATE KEY", spoiled), "the file", SECRET)
