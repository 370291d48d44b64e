"""Private keys whose value is plain and whose encoding `cryptography` refuses.

- An EC key whose number has a byte too few or too many: programs cut its leading zeros or put one
  before it (RFC 5915, section 3, wants the curve's length).
- An EC key whose curve stands in it by its parameters, not by its name.
- An RSA key whose numbers have too many zeros before them or too few, or lack the factors.
- PKCS #8 in version 2, with the public key after the private one (RFC 5958), or with BER in it.

In an encrypted PEM block of OpenSSL's old kind the library finds such keys and refuses them too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.reading import quietly

from .rsa_numbers import belong_together

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from .pem import Block

_EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
_RSA: Final = {"1.2.840.113549.1.1.1", "2.5.8.1.1"}
_RSA_FIELDS: Final = 9
_ANY_NUMBER: Final = 2
# FIPS 186-4, appendix D.1.2: the primes of P-256, P-384 and P-521.
_CURVES: Final = {
    2**256 - 2**224 + 2**192 + 2**96 - 1: "1.2.840.10045.3.1.7",
    2**384 - 2**128 - 2**96 + 2**32 - 1: "1.3.132.0.34",
    2**521 - 1: "1.3.132.0.35",
}
_TRIPLE_DES: Final = "DES-EDE3-CBC"
_AES_KEY_BYTES: Final = {f"AES-{bits}-CBC": bits // 8 for bits in (128, 192, 256)}
CIPHERS: Final = {_TRIPLE_DES, *_AES_KEY_BYTES}  # as DEK-Info names them
_CURVE: Final = 0xA0  # SEC 1: [0] parameters


def load_leniently(encoded: bytes) -> PrivateKeyTypes | None:
    """The key in a PKCS #8, PKCS #1 or SEC 1 that the library refused wrongly; else None.

    Args:
        encoded: in DER; of PKCS #8, what its OCTET STRING holds may be BER.
    """
    try:
        fields = der.read_only(encoded).expect(der.SEQUENCE).children()
        if fields[1].tag == der.OCTET_STRING:
            return _ec_key(fields, None)
        if fields[1].tag == der.INTEGER:
            return _rsa_key(fields)
        algorithm = fields[1].children()
        held = fields[2].expect(der.OCTET_STRING).content
        kind = der.oid(algorithm[0])
        if kind == _EC_PUBLIC_KEY:
            return _ec_key(_inside(held), algorithm[1] if len(algorithm) > 1 else None)
        if kind in _RSA:
            return _rsa_key(_inside(held))
        version_1 = (der.encode(der.INTEGER, b"\0"), fields[1].raw, fields[2].raw)
        return _load(der.sequence(*version_1))
    except Exception:  # noqa: BLE001  # the library's, of many kinds for what is damaged
        return None


def _load(encoded: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return quietly(lambda: load_der_private_key(encoded, None, unsafe_skip_rsa_key_validation=True))


def _inside(held: bytes) -> tuple[der.Element, ...]:
    """The fields of a key in PKCS #8, without what follows the key."""
    plain = der.from_ber(der.read(held, shortest=False).raw)
    return der.read_only(plain).expect(der.SEQUENCE).children()


def _rsa_key(fields: tuple[der.Element, ...]) -> PrivateKeyTypes:
    """RFC 8017, appendix A.1.2: version, n, e, d, p, q, and three numbers that follow from these.

    None is negative. n, e and d alone are a whole key too; numbers that contradict are none.
    """
    from cryptography.hazmat.primitives.asymmetric import rsa

    n, e, d, *rest = (
        int.from_bytes(field.expect(der.INTEGER).content, "big") for field in fields[1:_RSA_FIELDS]
    )
    if not any(rest):
        if pow(_ANY_NUMBER, e * d, n) != _ANY_NUMBER:  # otherwise the search below would take long
            raise ValueError("the numbers of the RSA key do not belong together")
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
        rest = [p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    p, q, dmp1, dmq1, iqmp = rest
    numbers = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, rsa.RSAPublicNumbers(e, n))
    made = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    if not belong_together(made):
        raise ValueError("the numbers of the RSA key do not belong together")
    return made


def _ec_key(fields: tuple[der.Element, ...], curve: der.Element | None) -> PrivateKeyTypes:
    """RFC 5915: version, privateKey, [0] parameters, [1] publicKey."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import ObjectIdentifier

    if curve is None:
        (named,) = (field for field in fields if field.tag == _CURVE)
        curve = named.children()[0]
    if curve.tag == der.SEQUENCE:  # X9.62: version, the field with its prime, …
        prime = int.from_bytes(curve.children()[1].children()[1].content, "big")
        oid = _CURVES[prime]
    else:
        oid = der.oid(curve)
    number = int.from_bytes(fields[1].expect(der.OCTET_STRING).content, "big")
    kind = ec.get_curve_for_oid(ObjectIdentifier(oid))
    return cast("PrivateKeyTypes", ec.derive_private_key(number, kind()))


def load_encrypted_leniently(block: Block, passphrase: bytes) -> PrivateKeyTypes | None:
    """The key in a block with DEK-Info (RFC 1421), which the library decrypts and then refuses.

    None if its cipher is none that the library reads, the passphrase is wrong, or the key is
    refused rightly.
    """
    plain = _decrypted(block, passphrase)
    return load_leniently(plain) if plain else None


def _decrypted(block: Block, passphrase: bytes) -> bytes | None:
    """The DER in the block.

    The key is OpenSSL's EVP_BytesToKey with MD5, one round, and the first 8 bytes of the IV as
    salt (openssl-pem(1), "PEM ENCRYPTION FORMAT").
    """
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.padding import PKCS7

    name, _, digits = dict(block.headers)["DEK-Info"].partition(",")
    kind: type[AES | TripleDES] = AES
    if (size := _AES_KEY_BYTES.get(name.strip())) is None:
        if name.strip() != _TRIPLE_DES:
            return None
        kind, size = TripleDES, 24
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
