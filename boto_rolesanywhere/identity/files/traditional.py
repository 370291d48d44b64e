"""The contents of an encrypted PEM block of OpenSSL's old kind, with DEK-Info (RFC 1421).

The library decrypts such blocks itself. This is for the few whose contents it then refuses.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pem import Block


def decrypted(block: Block, passphrase: bytes) -> bytes | None:
    """The DER in the block; None if its cipher is none that the library reads, or it is wrong.

    The key is OpenSSL's EVP_BytesToKey with MD5, one round, and the first 8 bytes of the IV as
    salt (openssl-pem(1), "PEM ENCRYPTION FORMAT").
    """
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.padding import PKCS7

    ciphers = {"AES-128-CBC": (AES, 16), "AES-256-CBC": (AES, 32)}
    name, _, digits = dict(block.headers)["DEK-Info"].partition(",")
    kind, size = {**ciphers, "DES-EDE3-CBC": (TripleDES, 24)}.get(name.strip(), (None, 0))
    if kind is None:
        return None
    vector = bytes.fromhex(digits.strip())
    key = last = b""
    while len(key) < size:
        last = hashlib.md5(last + passphrase + vector[:8], usedforsecurity=False).digest()
        key += last
    algorithm = kind(key[:size])
    decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()
    unpadder = PKCS7(algorithm.block_size).unpadder()
    try:
        padded = decryptor.update(block.der) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None
