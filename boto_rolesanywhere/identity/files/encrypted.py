"""Decrypting the private keys that `cryptography` decrypts in some versions only, or not at all.

Two old and well-known schemes, on that library's primitives: PBES2 with AES-CBC (RFC 8018,
section 6.2), and the encrypted PEM of OpenSSL before PKCS #8 with AES. Nothing weaker is added.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from .pem import Block

_PBES2, _PBKDF2, _SCRYPT = (
    "1.2.840.113549.1.5.13",
    "1.2.840.113549.1.5.12",
    "1.3.6.1.4.1.11591.4.11",
)
_AES_CBC: Final = {  # NIST's CSOR; the value is the size of the key in bytes
    "2.16.840.1.101.3.4.1.2": 16,
    "2.16.840.1.101.3.4.1.22": 24,
    "2.16.840.1.101.3.4.1.42": 32,
}
_AES_NAMES: Final = {"AES-128-CBC": 16, "AES-192-CBC": 24, "AES-256-CBC": 32}
_PRF: Final = {  # RFC 8018, appendix B.1.2, and RFC 8018's SHA-512/t
    "1.2.840.113549.2.7": "SHA1",
    "1.2.840.113549.2.8": "SHA224",
    "1.2.840.113549.2.9": "SHA256",
    "1.2.840.113549.2.10": "SHA384",
    "1.2.840.113549.2.11": "SHA512",
    "1.2.840.113549.2.12": "SHA512_224",
    "1.2.840.113549.2.13": "SHA512_256",
}
_AES_BLOCK = 16
_RSA_ARC = "1.2.840.113549."


class UnsupportedEncryptionError(ValueError):
    """Encrypted in a way that is not read here; the message says in which.

    Attributes:
        old: a scheme of the 1990s (PBES1, RC2, DES), which is left to the library altogether.
    """

    def __init__(self, what: str, *, old: bool = False) -> None:
        super().__init__(what)
        self.old = old


class WrongPassphraseError(ValueError):
    """What came out is no private key."""


def decrypt_pkcs8(block: Block, passphrase: bytes) -> bytes:
    """The PrivateKeyInfo inside an EncryptedPrivateKeyInfo (RFC 5958, section 3).

    Raises:
        UnsupportedEncryptionError: not PBES2 with PBKDF2 or scrypt, and AES-CBC.
        WrongPassphraseError: the passphrase does not open it.
    """
    try:
        key, iv, encrypted = _open_pbes2(block.der, passphrase)
    except UnsupportedEncryptionError:
        raise
    except (ValueError, IndexError, TypeError, OverflowError, MemoryError):
        raise UnsupportedEncryptionError("its header is damaged") from None
    return _decrypt(key, iv, encrypted)


def has_whole_iv(block: Block) -> bool:
    """Whether the ``DEK-Info`` has an IV of a block of its cipher: 16 bytes, of DES 8."""
    name, _, salt = dict(block.headers).get("DEK-Info", "").partition(",")
    return len(salt.strip()) == (16 if name.strip().upper().startswith("DES") else 32)


def decrypt_traditional(block: Block, passphrase: bytes) -> bytes:
    """The content of a PEM block with ``Proc-Type: 4,ENCRYPTED`` and an AES ``DEK-Info``.

    Raises:
        UnsupportedEncryptionError: another cipher.
        WrongPassphraseError: the passphrase does not open it.
    """
    name, _, salt = dict(block.headers).get("DEK-Info", "").partition(",")
    size = _AES_NAMES.get(name.strip().upper())
    if size is None:
        cipher = name.strip() or "not named"
        raise UnsupportedEncryptionError(f"cipher {cipher}", old=cipher.startswith("DES"))
    try:
        iv = bytes.fromhex(salt)
    except ValueError:
        iv = b""
    if not iv or not has_whole_iv(block):
        raise UnsupportedEncryptionError("its DEK-Info is damaged")
    # OpenSSL's EVP_BytesToKey: MD5, one round, and the first 8 bytes of the IV as salt.
    key, digest = b"", b""
    while len(key) < size:
        digest = hashlib.md5(digest + passphrase + iv[:8], usedforsecurity=False).digest()
        key += digest
    return _decrypt(key[:size], iv, block.der)


def _unsupported(what: str, name: der.Element) -> UnsupportedEncryptionError:
    dotted = der.oid(name)
    return UnsupportedEncryptionError(f"{what} {dotted}", old=dotted.startswith(_RSA_ARC))


def _open_pbes2(encoded: bytes, passphrase: bytes) -> tuple[bytes, bytes, bytes]:
    """The key, the IV and what is encrypted."""
    algorithm, encrypted = der.read_only(encoded).children()
    name, parameters = algorithm.children()
    if der.oid(name) != _PBES2:
        raise _unsupported("algorithm", name)
    derivation, cipher = parameters.children()
    cipher_name, iv = cipher.children()
    size = _AES_CBC.get(der.oid(cipher_name))
    if size is None:
        raise _unsupported("cipher", cipher_name)
    key = _derive(derivation, passphrase, size)
    return key, iv.content, encrypted.expect(der.OCTET_STRING).content


def _derive(derivation: der.Element, passphrase: bytes, size: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    name, parameters = derivation.children()
    salt, *numbers = parameters.children()
    if der.oid(name) == _SCRYPT:  # RFC 7914, section 7
        n, r, p = (der.integer(one) for one in numbers[:3])
        return Scrypt(salt.content, size, n, r, p).derive(passphrase)
    if der.oid(name) != _PBKDF2:
        raise UnsupportedEncryptionError(f"key derivation {der.oid(name)}")
    iterations = der.integer(numbers[0])
    # keyLength (an INTEGER) may be left out, and so may the PRF, which then is HMAC-SHA-1.
    prf = next((one for one in numbers[1:] if one.tag == der.SEQUENCE), None)
    return PBKDF2HMAC(_hash(prf), size, salt.content, iterations).derive(passphrase)


def _hash(prf: der.Element | None) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    if prf is None:
        return hashes.SHA1()  # noqa: S303  # the standard's default, and only to read
    name = der.oid(prf.children()[0])
    if name not in _PRF:
        raise UnsupportedEncryptionError(f"hash {name}")
    chosen: type[HashAlgorithm] = getattr(hashes, _PRF[name])
    return chosen()


def _decrypt(key: bytes, iv: bytes, encrypted: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    if len(iv) != _AES_BLOCK or not encrypted or len(encrypted) % _AES_BLOCK:
        raise UnsupportedEncryptionError("its encrypted part is damaged")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    unpadder = PKCS7(_AES_BLOCK * 8).unpadder()
    try:
        plain = unpadder.update(padded) + unpadder.finalize()
        der.read_only(plain).expect(der.SEQUENCE)
    except ValueError:
        raise WrongPassphraseError from None
    return plain
