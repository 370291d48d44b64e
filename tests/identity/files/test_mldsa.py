"""ML-DSA keys in all forms of RFC 9881, and what is said where one cannot be used.

OpenSSL knows ML-DSA from version 3.5 on, so the encoded keys are vectors, or put together here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from raw_session import create_session
from repository import VECTORS

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

mldsa = pytest.importorskip(
    "cryptography.hazmat.primitives.asymmetric.mldsa", reason="ML-DSA needs cryptography 48"
)

MLDSA = VECTORS / "mldsa"
SEED = bytes(range(32))
SIZES = ("44", "65", "87")
ANOTHER_SEED = b"\x07" * 32


def from_seed(size: str, seed: bytes = SEED) -> MLDSA44PrivateKey:
    kind: type[MLDSA44PrivateKey] = getattr(mldsa, f"MLDSA{size}PrivateKey")
    return kind.from_seed_bytes(seed)


def both(size: str) -> bytes:
    """The DER of the vector."""
    lines = (MLDSA / f"ML-DSA-{size}-both.pem").read_text().splitlines()[1:-1]
    return base64.b64decode("".join(lines))


def parts(size: str) -> tuple[bytes, bytes, bytes]:
    """Its AlgorithmIdentifier, seed and expanded key."""
    _, algorithm, inner = der.read_only(both(size)).children()
    seed, expanded = der.read_only(inner.content).children()
    return algorithm.raw, seed.content, expanded.content


def pkcs8(size: str, inner: bytes) -> bytes:
    version = der.encode(der.INTEGER, b"\0")
    algorithm = parts(size)[0]
    return der.encode(der.SEQUENCE, version + algorithm + der.encode(der.OCTET_STRING, inner))


def sequence(*elements: bytes) -> bytes:
    return der.encode(der.SEQUENCE, b"".join(elements))


def octets(content: bytes) -> bytes:
    return der.encode(der.OCTET_STRING, content)


def encrypt(plain: bytes, passphrase: bytes) -> bytes:
    """An EncryptedPrivateKeyInfo: PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC."""
    salt, iv, rounds = b"saltsalt", b"0123456789abcdef", 2048
    padder = PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    key = PBKDF2HMAC(SHA256(), 32, salt, rounds).derive(passphrase)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()

    def name(hexadecimal: str) -> bytes:
        return der.encode(der.OID, bytes.fromhex(hexadecimal))

    prf = sequence(name("2a864886f70d0209"), der.encode(der.NULL, b""))
    iterations = der.encode(der.INTEGER, rounds.to_bytes(2, "big"))
    kdf = sequence(name("2a864886f70d01050c"), sequence(octets(salt), iterations, prf))
    cipher = sequence(name("60864801650304012a"), octets(iv))
    algorithm = sequence(name("2a864886f70d01050d"), sequence(kdf, cipher))
    return sequence(algorithm, octets(encryptor.update(padded) + encryptor.finalize()))


def pem(label: str, encoded: bytes) -> bytes:
    body = base64.encodebytes(encoded).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


def pkcs12(private_key: bytes) -> bytes:
    """A PKCS #12 file with that PrivateKeyInfo alone, nothing in it encrypted, without MAC."""

    def name(hexadecimal: str) -> bytes:
        return der.encode(der.OID, bytes.fromhex(hexadecimal))

    def data(content: bytes) -> bytes:
        inner = der.encode(0xA0, octets(content))
        return sequence(name("2a864886f70d010701"), inner)

    bag = sequence(name("2a864886f70d010c0a0101"), der.encode(0xA0, private_key))
    safe = sequence(data(sequence(bag)))
    return sequence(der.encode(der.INTEGER, b"\3"), data(safe))


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="module")
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


def certificate(ca: CertificateAuthority, size: str) -> bytes:
    return ca.issue("app", key=from_seed(size)).certificate_pem


FORMS: dict[str, Callable[[str], bytes]] = {
    "seed, as cryptography writes it": lambda size: from_seed(size).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ),
    "seed, encrypted": lambda size: from_seed(size).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    ),
    "both": lambda size: (MLDSA / f"ML-DSA-{size}-both.pem").read_bytes(),
    "both, DER": both,
    # So OpenSSL 3.5 and later encrypt it, and AWS's helper (1.8.0) reads it.
    "both, encrypted": lambda size: encrypt(both(size), b"secret"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_each_form_gets_a_session(
    form: str, size: str, ca: CertificateAuthority, emulator: Emulator
) -> None:
    identity = open_identity(
        IdentitySources(
            certificate=certificate(ca, size),
            private_key=FORMS[form](size),
            secret=Secret("secret", "the test"),
        ),
        now=datetime.now(timezone.utc),
    )
    assert identity.algorithm == "AWS4-X509-MLDSA"
    public_key = from_seed(size).public_key()
    assert verify_signature(public_key, identity.sign(b"what is signed"), b"what is signed")
    assert create_session(identity, emulator, emulator.trust_anchor_arn) == 201


def refusal(
    ca: CertificateAuthority, key: bytes, size: str = "44", passphrase: str | None = "secret"
) -> PrivateKeyError:
    with pytest.raises(PrivateKeyError) as caught:
        open_identity(
            IdentitySources(
                certificate=certificate(ca, size),
                private_key=key,
                secret=Secret(passphrase, "the test") if passphrase else None,
            ),
            now=datetime.now(timezone.utc),
        )
    return caught.value


@pytest.mark.parametrize("size", SIZES)
def test_the_expanded_form_alone_is_refused(size: str, ca: CertificateAuthority) -> None:
    error = refusal(ca, pem("PRIVATE KEY", pkcs8(size, octets(parts(size)[2]))), size)
    assert str(error).startswith(
        f"the private key given as bytes: it holds the ML-DSA-{size} key in its expanded form "
        "alone, which cannot be used; expected the seed, or seed and expanded key. "
        "Take the key from where its seed still is"
    )


def test_a_seed_of_another_key_than_the_expanded_is_refused(ca: CertificateAuthority) -> None:
    expanded = parts("44")[2]
    error = refusal(ca, pkcs8("44", sequence(octets(ANOTHER_SEED), octets(expanded))))
    assert (
        error.problem
        == "the seed and the expanded form of this ML-DSA-44 key do not belong together"
    )


@pytest.mark.parametrize(
    "changed", [slice(0, 1), slice(64, 65)], ids=["rho", "hash of the public key"]
)
def test_a_damaged_expanded_key_is_refused(changed: slice, ca: CertificateAuthority) -> None:
    expanded = bytearray(parts("44")[2])
    expanded[changed] = bytes(255 - byte for byte in expanded[changed])
    error = refusal(ca, pkcs8("44", sequence(octets(SEED), octets(bytes(expanded)))))
    assert "do not belong together" in error.problem


@pytest.mark.parametrize(
    "inner",
    [
        octets(b""),
        b"",
        der.encode(0x80, SEED[1:]),
        sequence(octets(SEED[1:]), octets(b"x")),
        sequence(octets(SEED)),
        sequence(octets(SEED), octets(b"x"), octets(b"x")),
        sequence(der.encode(0x80, SEED), octets(b"x")),  # an older draft's
        der.encode(der.INTEGER, b"\1"),
    ],
)
def test_any_other_form_is_refused(inner: bytes, ca: CertificateAuthority) -> None:
    error = refusal(ca, pkcs8("44", inner))
    assert "ML-DSA-44 key in" in error.problem
    assert error.expected == "the seed, or seed and expanded key"


def test_a_key_of_another_seed_is_not_the_certificates(ca: CertificateAuthority) -> None:
    key = from_seed("44", ANOTHER_SEED).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    error = refusal(ca, key)
    assert "the private key (ML-DSA-44) does not belong to the certificate" in str(error)


def test_a_wrong_passphrase_is_named(ca: CertificateAuthority) -> None:
    error = refusal(ca, encrypt(both("44"), b"another"))
    assert isinstance(error, PassphraseError)
    assert "the passphrase from the test is wrong" in str(error)


@pytest.mark.parametrize("passphrase", ["secret", None])
def test_pkcs12_with_seed_and_expanded_key_is_read(
    passphrase: str | None, ca: CertificateAuthority
) -> None:
    part = Part("private key", "the file", pkcs12(both("44")))
    (key,) = open_contents(part, Secret(passphrase, "the test") if passphrase else None).opened
    assert key.public_key() == from_seed("44").public_key()
