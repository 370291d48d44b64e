"""Certificates of every odd kind, and what becomes of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from boto_rolesanywhere.inspection.certificate import inspect_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boto_rolesanywhere.inspection.certificate import CertificateInspection


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


KEY = ec.generate_private_key(ec.SECP256R1())


DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


CN, OU, ORG = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_NAME,
)


def name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def certificate(
    subject: x509.Name | None = None,
    *,
    issuer: x509.Name | None = None,
    names: Sequence[x509.GeneralName] = (),
    usage: x509.KeyUsage | None = DIGITAL_SIGNATURE,
    ca: bool = False,
    serial: int = 0x123,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = KEY,
    signer: ec.EllipticCurvePrivateKey = KEY,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name((CN, "web-1")) if subject is None else subject)
        .issuer_name(name((CN, "Issuing CA")) if issuer is None else issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=10))
        .not_valid_after(NOW + timedelta(days=20, hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


def inspect(*args: x509.Name, **kwargs: object) -> CertificateInspection:
    return inspect_certificate(certificate(*args, **kwargs), now=NOW)


def tags(found: CertificateInspection) -> dict[str, str]:
    return {tag.key: tag.value for tag in found.tags if tag.dropped is None}


def dropped(found: CertificateInspection) -> dict[str, str]:
    return {tag.key: tag.dropped for tag in found.tags if tag.dropped is not None}
