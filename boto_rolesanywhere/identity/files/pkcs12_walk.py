"""PKCS #12 bag by bag (RFC 7292), if `cryptography` refuses the whole file for one odd thing.

Such a thing is a certificate with a slip of encoding, a friendlyName in another string type, bags
in bags. The ciphers that programs use today, and used for long, are decrypted here; `cryptography`
opens the keys, which are encrypted one by one.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.odd import load_certificate
from boto_rolesanywhere.records import NamedTuple

from .pkcs12 import open_bag
from .private_keys import decode_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

_PKCS: Final = "1.2.840.113549.1."
_DATA, _ENCRYPTED_DATA = f"{_PKCS}7.1", f"{_PKCS}7.6"
_BAG: Final = f"{_PKCS}12.10.1."
_KEY, _SHROUDED_KEY, _CERTIFICATE, _SAFE_CONTENTS = (f"{_BAG}{last}" for last in (1, 2, 3, 6))
_X509: Final = f"{_PKCS}9.22.1"
_PBES2, _PBKDF2 = f"{_PKCS}5.13", f"{_PKCS}5.12"
_PRFS: Final = {
    f"1.2.840.113549.2.{last}": f"sha{size}"
    for last, size in ((7, 1), (8, 224), (9, 256), (10, 384), (11, 512))
}
_DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    **{
        f"2.16.840.1.101.3.4.2.{last}": f"sha{size}"
        for last, size in ((4, 224), (1, 256), (2, 384), (3, 512))
    },
}
_AES: Final = {f"2.16.840.1.101.3.4.1.{last}": size for last, size in ((2, 16), (22, 24), (42, 32))}
_TRIPLE_DES: Final = "1.2.840.113549.3.7"
# RFC 7292, appendix C: with SHA-1, 3DES of three keys, RC2 of 128 bits (that of 40 bits, which
# OpenSSL's -legacy writes, cannot be had from `cryptography`).
_OLD: Final = {f"{_PKCS}12.1.3": ("3DES", 24), f"{_PKCS}12.1.5": ("RC2", 16)}
_FOR_KEY, _FOR_IV, _FOR_MAC = 1, 2, 3  # RFC 7292, appendix B.3
_MOST_ROUNDS: Final = 500_000  # half a second; keytool and OpenSSL make 10,000 and 2,048
_DEEPEST: Final = 8


class Bags(NamedTuple):
    """What was found."""

    keys: tuple[PrivateKeyTypes, ...]
    certificates: tuple[x509.Certificate, ...]

    def __repr__(self) -> str:
        return f"<Bags: {len(self.keys)} keys>"  # they are secret


def take_apart(file: bytes, passphrase: bytes, where: str) -> Bags | None:
    """The keys and certificates of a PKCS #12 file in BER or DER.

    None if it is damaged, the passphrase is wrong, or it is encrypted in another way.
    """
    keys: list[PrivateKeyTypes] = []
    certificates: list[x509.Certificate] = []
    try:
        _, content, *mac = _plain(file).children()
        safes = _octets(content.children()[1])
        if mac and not _is_right(mac[0], safes, passphrase):
            return None
        for info in _plain(safes).children():
            for bag in _bags(_contents(info, passphrase)):
                kind, value = der.oid(bag.children()[0]), bag.children()[1].content
                if kind == _KEY:
                    keys.append(decode_plain(value, where))
                elif kind == _SHROUDED_KEY:
                    key = open_bag(value, passphrase)
                    if key is None:
                        return None
                    keys.append(key)
                elif kind == _CERTIFICATE and der.oid(_plain(value).children()[0]) == _X509:
                    certificates.append(load_certificate(_octets(_plain(value).children()[1])))
    except (ValueError, IndexError, KeyError):
        return None
    return Bags(tuple(keys), tuple(certificates)) if keys or certificates else None


def _plain(encoded: bytes) -> der.Element:
    return der.read_only(der.from_ber(der.read(encoded, shortest=False).raw)).expect(der.SEQUENCE)


def _octets(holder: der.Element) -> bytes:
    """What the OCTET STRING in an explicit tag holds."""
    return holder.children()[0].expect(der.OCTET_STRING).content


def _contents(info: der.Element, passphrase: bytes) -> bytes:
    """The SafeContents in a ContentInfo."""
    name, content = info.children()
    if der.oid(name) == _DATA:
        return _octets(content)
    if der.oid(name) != _ENCRYPTED_DATA:
        raise ValueError("encrypted to a public key")
    # RFC 2315, section 10.1 and 13: version, then type, algorithm and [0] content.
    _, algorithm, encrypted = content.children()[0].children()[1].children()
    held = encrypted.content
    if encrypted.tag & der.CONSTRUCTED:  # pieces of BER
        held = b"".join(piece.content for piece in encrypted.children())
    return _decrypted(algorithm, held, passphrase)


def _bags(contents: bytes, depth: int = 0) -> Iterator[der.Element]:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    for bag in _plain(contents).children():
        if der.oid(bag.children()[0]) == _SAFE_CONTENTS:
            yield from _bags(bag.children()[1].content, depth + 1)
        else:
            yield bag


def _is_right(mac: der.Element, safes: bytes, passphrase: bytes) -> bool:
    """RFC 7292, section 4: the digest with its algorithm, the salt, and the iterations."""
    info, salt, *count = mac.children()
    algorithm, digest = info.children()
    name = _DIGESTS[der.oid(algorithm.children()[0])]
    times = int.from_bytes(count[0].content, "big") if count else 1
    key = _derived(
        passphrase, salt.content, times, _FOR_MAC, hashlib.new(name).digest_size, digest=name
    )
    return hmac.compare_digest(hmac.digest(key, safes, name), digest.content)


def _decrypted(algorithm: der.Element, data: bytes, passphrase: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import RC2, TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.padding import PKCS7

    name, parameters = algorithm.children()
    cipher: BlockCipherAlgorithm
    if der.oid(name) == _PBES2:
        derivation, scheme = parameters.children()
        kind, vector = der.oid(scheme.children()[0]), scheme.children()[1].content
        size = 24 if kind == _TRIPLE_DES else _AES[kind]
        key = _pbkdf2(derivation, passphrase, size)
        cipher = TripleDES(key) if kind == _TRIPLE_DES else AES(key)
    else:
        kind, size = _OLD[der.oid(name)]
        salt, count = (field.content for field in parameters.children())
        times = int.from_bytes(count, "big")
        key = _derived(passphrase, salt, times, _FOR_KEY, size)
        vector = _derived(passphrase, salt, times, _FOR_IV, 8)
        cipher = TripleDES(key) if kind == "3DES" else RC2(key)
    decryptor = Cipher(cipher, modes.CBC(vector)).decryptor()
    unpadder = PKCS7(cipher.block_size).unpadder()
    return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()


def _pbkdf2(derivation: der.Element, passphrase: bytes, size: int) -> bytes:
    """RFC 8018, appendix A.2: salt, iterations, perhaps the length, perhaps the PRF."""
    name, parameters = derivation.children()
    if der.oid(name) != _PBKDF2:
        raise ValueError("another derivation")
    salt, count, *rest = parameters.children()
    prfs = [der.oid(each.children()[0]) for each in rest if each.tag == der.SEQUENCE]
    digest = _PRFS[prfs[0]] if prfs else "sha1"
    times = int.from_bytes(count.content, "big")
    return hashlib.pbkdf2_hmac(digest, passphrase, salt.content, times, size)


def _derived(
    passphrase: bytes, salt: bytes, times: int, purpose: int, size: int, *, digest: str = "sha1"
) -> bytes:
    """RFC 7292, appendix B.2; the passphrase counts in UTF-16 with a NUL at its end."""
    if times > _MOST_ROUNDS:
        raise ValueError("too many rounds for Python")
    block = hashlib.new(digest).block_size
    text = (passphrase.decode() + "\0").encode("utf-16-be")

    def filled(value: bytes) -> bytes:
        whole = -(-len(value) // block) * block
        return (value * (whole // len(value) + 1))[:whole] if value else b""

    mixed = filled(salt) + filled(text)
    found = b""
    while len(found) < size:
        last = bytes([purpose]) * block + mixed
        for _ in range(times):
            last = hashlib.new(digest, last).digest()
        found += last
        add = int.from_bytes((last * block)[:block], "big") + 1
        mixed = b"".join(
            ((int.from_bytes(mixed[at : at + block], "big") + add) % (1 << 8 * block)).to_bytes(
                block, "big"
            )
            for at in range(0, len(mixed), block)
        )
    return found[:size]
