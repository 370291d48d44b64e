"""Encrypted PKCS #8, decrypted: for keys that `cryptography` decrypts and then refuses.

Those are ML-DSA keys with seed and expanded form, which OpenSSL writes from version 3.5 on. The
structures are those of RFC 8018, appendix A, and RFC 7914, section 7.1.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der

if TYPE_CHECKING:
    from boto_rolesanywhere.certificates.der import Element

_PBES2: Final = "1.2.840.113549.1.5.13"
_PBKDF2: Final = "1.2.840.113549.1.5.12"
_SCRYPT: Final = "1.3.6.1.4.1.11591.4.11"
_HMACS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
# AES in CBC mode, which OpenSSL takes by default, and the bytes of its key.
_AES_CBC: Final = {
    "2.16.840.1.101.3.4.1.2": 16,
    "2.16.840.1.101.3.4.1.22": 24,
    "2.16.840.1.101.3.4.1.42": 32,
}


def decrypted(encoded: bytes, passphrase: bytes) -> bytes | None:
    """The DER in an EncryptedPrivateKeyInfo whose costs have been checked.

    None if it is damaged, encrypted in another way, or the passphrase is wrong.
    """
    try:
        algorithm, data = der.read_only(encoded).children()
        scheme, parameters = algorithm.children()
        if der.oid(scheme) != _PBES2:
            return None
        derivation, cipher = parameters.children()
        name, vector = cipher.children()
        key = _derived(derivation, passphrase, _AES_CBC[der.oid(name)])
        return _opened(data.content, key, vector.content)
    except (ValueError, LookupError, MemoryError):
        return None


def _derived(derivation: Element, passphrase: bytes, size: int) -> bytes:
    name, parameters = derivation.children()
    salt, *rest = parameters.children()
    if der.oid(name) == _SCRYPT:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        n, r, p = (_number(field) for field in rest[:3])
        return Scrypt(salt.content, size, n, r, p).derive(passphrase)
    if der.oid(name) != _PBKDF2:
        raise ValueError("another way to make the key")
    functions = [field.children()[0] for field in rest if field.tag == der.SEQUENCE]
    function = _HMACS[der.oid(functions[0])] if functions else "sha1"
    return hashlib.pbkdf2_hmac(function, passphrase, salt.content, _number(rest[0]), size)


def _number(field: Element) -> int:
    return int.from_bytes(field.expect(der.INTEGER).content, "big")


def _opened(data: bytes, key: bytes, vector: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.padding import PKCS7

    decryptor = Cipher(AES(key), modes.CBC(vector)).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
