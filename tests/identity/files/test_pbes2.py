"""Encrypted PKCS #8 as OpenSSL writes it, decrypted without `cryptography`'s reader of keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from openssl_files import OpenSSL

from boto_rolesanywhere.identity.files.pbes2 import decrypted

SECRET = b"secret"
FORMS = {
    "as OpenSSL chooses": (),
    "AES-128": ("-v2", "aes-128-cbc"),
    "AES-192": ("-v2", "aes-192-cbc"),
    "scrypt": ("-scrypt", "-scrypt_N", "64"),
    **{
        f"HMAC of {name}": ("-v2", "aes-256-cbc", "-v2prf", f"hmacWith{name}")
        for name in ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
    },
}
OTHERS = {
    "PBES1": ("-v1", "PBE-SHA1-3DES"),
    "3DES": ("-v2", "des3"),
    "a PRF of another kind": ("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512-256"),
}


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSSL:
    made = OpenSSL(tmp_path)
    made.key("plain.pem")
    return made


def encrypted(openssl: OpenSSL, *options: str) -> bytes:
    which = ("-in", "plain.pem", "-outform", "DER", "-passout", f"pass:{SECRET.decode()}")
    return openssl("pkcs8", "-topk8", *which, *options)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_what_openssl_encrypts_is_decrypted(openssl: OpenSSL, options: tuple[str, ...]) -> None:
    plain = openssl("pkcs8", "-topk8", "-nocrypt", "-in", "plain.pem", "-outform", "DER")
    locked = encrypted(openssl, *options)

    assert decrypted(locked, SECRET) == plain
    assert decrypted(locked, b"another") != plain


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_other_ways_are_left_to_others(openssl: OpenSSL, options: tuple[str, ...]) -> None:
    assert decrypted(encrypted(openssl, *options), SECRET) is None


def test_what_is_cut_short_is_nothing(openssl: OpenSSL) -> None:
    locked = encrypted(openssl)
    for end in range(0, len(locked), 7):
        assert decrypted(locked[:end], SECRET) is None
