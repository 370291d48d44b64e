"""An EC key of odd length is read from an encrypted PEM of OpenSSL's old kind, as from others."""

from __future__ import annotations

import hashlib
from base64 import encodebytes

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.opening import Access, open_key
from boto_rolesanywhere.settings.sources import Secret

P256 = bytes.fromhex("06082a8648ce3d030107")
VECTOR = bytes(range(16))
# A number with a leading zero byte, which GnuTLS and others leave out.
NUMBER = (1 << 247) + 12345
KEY = ec.derive_private_key(NUMBER, ec.SECP256R1())


def pem(length: int, name: str, passphrase: bytes = b"secret") -> bytes:
    parts = (
        der.encode(der.INTEGER, b"\1"),
        der.encode(der.OCTET_STRING, NUMBER.to_bytes(length, "big")),
        der.encode(0xA0, P256),
    )
    plain = der.encode(der.SEQUENCE, b"".join(parts))
    kind, size = (TripleDES, 24) if name.startswith("DES") else (AES, int(name[4:7]) // 8)
    vector = VECTOR[: kind.block_size // 8]
    key = last = b""
    while len(key) < size:
        last = hashlib.md5(last + passphrase + vector[:8], usedforsecurity=False).digest()
        key += last
    padder = PKCS7(kind.block_size).padder()
    encryptor = Cipher(kind(key[:size]), modes.CBC(vector)).encryptor()
    body = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    head = f"Proc-Type: 4,ENCRYPTED\nDEK-Info: {name},{vector.hex().upper()}\n\n".encode()
    lines = head + encodebytes(body)
    return b"-----BEGIN EC PRIVATE KEY-----\n" + lines + b"-----END EC PRIVATE KEY-----\n"


@pytest.mark.parametrize("name", ["AES-128-CBC", "AES-256-CBC", "DES-EDE3-CBC"])
@pytest.mark.parametrize("length", [31, 32, 33, 40])
def test_an_ec_key_of_odd_length_is_read(length: int, name: str) -> None:
    key = open_key(pem(length, name), Access(Secret("secret")))

    assert key.public_key() == KEY.public_key()


def test_a_wrong_passphrase_is_told() -> None:
    with pytest.raises(PassphraseError, match="is wrong"):
        open_key(pem(31, "AES-256-CBC"), Access(Secret("guess")))


@pytest.mark.parametrize("label", [b"EC PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"])
@pytest.mark.parametrize(
    "damaged", [b"", b"DEK-Info: AES-128-CBC\n", b"DEK-Info: AES-128-CBC,00\n", b"DEK-Info: x,zz\n"]
)
def test_headers_that_are_damaged_end_in_words(label: bytes, damaged: bytes) -> None:
    lines = pem(31, "AES-128-CBC").replace(b"EC PRIVATE KEY", label).splitlines(keepends=True)
    lines[2] = damaged

    with pytest.raises(PrivateKeyError):
        open_key(b"".join(lines), Access(Secret("secret")))
