"""Certificates, good and bad, made in a line: what tests judge, and the parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.x509.oid import NameOID

NOW = datetime(2030, 6, 1, 12, tzinfo=timezone.utc)
NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)  # where a test sets the clock of an authority


DAY = timedelta(days=1)


CA_RULES = x509.BasicConstraints(ca=True, path_length=None)


LEAF_RULES = x509.BasicConstraints(ca=False, path_length=None)


KEY = ec.generate_private_key(ec.SECP256R1())


SIGNER = ec.generate_private_key(ec.SECP256R1())


def usage(*, digital_signature: bool, key_encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not digital_signature and not key_encipherment,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


GOOD: tuple[x509.ExtensionType, ...] = (LEAF_RULES, usage(digital_signature=True))


def raw(oid: x509.ObjectIdentifier, value: bytes) -> x509.UnrecognizedExtension:
    """An extension with any bytes as its value."""
    return x509.UnrecognizedExtension(oid, value)


def name(common_name: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    return x509.Name(parts)


def issue(
    subject: str = "leaf",
    key: CertificatePublicKeyTypes | None = None,
    issuer: str = "ca",
    signer: CertificateIssuerPrivateKeyTypes = SIGNER,
    *,
    extensions: Sequence[x509.ExtensionType] = GOOD,
    digest: HashAlgorithm | None = None,
    start: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
    serial: int | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(KEY.public_key() if key is None else key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, digest or SHA256())


class Authority:
    """A CA with a key of its own."""

    def __init__(self, name: str, above: Authority | None = None) -> None:
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (above or self).certify(self)

    def certify(self, other: Authority, end: datetime = NOW + DAY) -> x509.Certificate:
        return issue(
            other.name,
            other.key.public_key(),
            self.name,
            self.key,
            extensions=(CA_RULES,),
            end=end,
        )

    def issue(self, subject: str = "leaf") -> x509.Certificate:
        return issue(subject, KEY.public_key(), self.name, self.key)


def line(length: int) -> list[Authority]:
    """A root and, below it, `length` - 1 authorities, each certified by the one before."""
    authorities = [Authority("step 0")]
    for number in range(1, length):
        authorities.append(Authority(f"step {number}", authorities[-1]))
    return authorities


def rsa_of(bits: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) | 1).public_key()


def curve(kind: type[ec.EllipticCurve]) -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(kind()).public_key()


def extension(
    certificate: x509.Certificate, kind: type[x509.ExtensionType]
) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_class(kind)
