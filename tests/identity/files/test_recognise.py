"""What a block or a file is, is decided by its content."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()
ISSUED = CA.issue_intermediate("Issuing").issue("app")
CERTIFICATE, KEY = ISSUED.certificate_pem, ISSUED.private_key_pem
SECRET = Secret("hunter2", "the test")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig"])
def test_utf_16_is_read_with_and_without_its_mark(encoding: str) -> None:
    data = CERTIFICATE.decode().encode(encoding)
    found = open_contents(Part("certificate", "the file", data), None)
    assert found.certificates[0] == ISSUED.certificate


def relabelled(pem: bytes, label: str) -> bytes:
    (first, *lines, _) = pem.splitlines()
    assert first.startswith(b"-----BEGIN ")
    body = b"\n".join(lines)
    return f"-----BEGIN {label}-----\n".encode() + body + f"\n-----END {label}-----\n".encode()


PLAIN_KEY = load_pem_private_key(KEY, None)
ENCRYPTED = PLAIN_KEY.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2")
)
TRADITIONAL = PLAIN_KEY.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)


@pytest.mark.parametrize("pem", [KEY, ENCRYPTED, TRADITIONAL], ids=["plain", "encrypted", "SEC 1"])
@pytest.mark.parametrize(
    "label",
    [
        *("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"),
        *("ANY PRIVATE KEY", "ECC PRIVATE KEY"),  # of which no list tells
    ],
)
def test_a_key_is_read_under_every_label(pem: bytes, label: str) -> None:
    sources = IdentitySources(
        certificate=CERTIFICATE, private_key=relabelled(pem, label), secret=SECRET
    )
    identity = open_identity(sources, now=datetime.now(timezone.utc))
    assert identity.certificate == ISSUED.certificate


@pytest.mark.parametrize("label", ["CERTIFICATE", "PKCS7", "CMS", "X509 CERTIFICATE", "CERT"])
@pytest.mark.parametrize("kind", ["certificate", "PKCS #7"])
def test_certificates_are_read_under_every_label(label: str, kind: str) -> None:
    from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

    encoded = ISSUED.certificate.public_bytes(Encoding.DER)
    if kind == "PKCS #7":
        encoded = serialize_certificates([ISSUED.certificate, *ISSUED.chain], Encoding.DER)
    found = open_contents(Part("certificate", "the file", Block(label, encoded).to_pem()), None)
    assert ISSUED.certificate in found.certificates
    assert len(found.certificates) == (2 if kind == "PKCS #7" else 1)
