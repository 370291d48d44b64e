"""A request says who asks, proves the key, and carries nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from key_types import QUICK

from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.keys import KeyType, generate_key
from boto_rolesanywhere.authority.requests import alternative_names, make_request, read_request
from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.testing import CertificateAuthority

SAN = general_names(("DNS:app1.example.com", "URI:spiffe://example/app1", "IP:::1"))


@pytest.mark.parametrize("key_type", QUICK)
def test_a_request_comes_back_as_it_was_made(key_type: KeyType) -> None:
    key = generate_key(key_type)

    request = read_request(make_request(name_of("Ünï"), SAN, key), "app1.csr")

    assert request.subject == name_of("Ünï")
    assert request.san == SAN
    assert request.public_key == key.public_key()


def test_without_alternative_names_there_is_no_extension() -> None:
    content = make_request(name_of("app1"), (), generate_key("P-256"))

    assert list(x509.load_pem_x509_csr(content).extensions) == []
    assert read_request(content, "app1.csr").san == ()


def test_other_wishes_do_not_count() -> None:
    key = generate_key("P-256")
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name_of("app1"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )

    request = read_request(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), "a.csr")  # type: ignore[arg-type]  # P-256

    assert (request.subject, request.san) == (name_of("app1"), ())


def tampered() -> bytes:
    """A request with another key's signature."""
    der = x509.load_pem_x509_csr(make_request(name_of("app1"), (), generate_key("P-256")))
    other = x509.load_pem_x509_csr(make_request(name_of("app1"), (), generate_key("P-256")))
    whole = bytearray(der.public_bytes(Encoding.DER))
    at = whole.find(der.signature)
    assert at > 0
    whole[at + 10] ^= 1
    assert other.is_signature_valid
    return x509.load_der_x509_csr(bytes(whole)).public_bytes(Encoding.PEM)


def test_a_request_in_der() -> None:
    pem = make_request(name_of("app1"), SAN, generate_key("P-256"))
    der = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)

    assert read_request(der, "app1.csr") == read_request(pem, "app1.csr")


@pytest.mark.parametrize("algorithm", ["RSA-2048", "P-256"])
def test_a_request_that_an_older_program_signed(algorithm: str, tmp_path: Path) -> None:
    kind = (
        ["rsa:2048"] if algorithm == "RSA-2048" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    )
    key = ["-newkey", *kind, "-keyout", str(tmp_path / "app1.key")]
    command = ["openssl", "req", "-new", "-sha1", "-nodes", "-subj", "/CN=app1", *key]
    made = subprocess.run(command, capture_output=True, check=True)
    der = bytearray(x509.load_pem_x509_csr(made.stdout).public_bytes(Encoding.DER))

    assert read_request(made.stdout, "app1.csr").subject == name_of("app1")
    der[-1] ^= 1
    with pytest.raises(CertificateError, match="not made with its own key"):
        read_request(bytes(der), "app1.csr")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is no certificate request"),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
            "no cert",
        ),
        (b"0\x03\x02\x01\x05", "it is no certificate request"),
        (CertificateAuthority().certificate_pem, "it is no certificate request"),
        (tampered(), "its signature is not made with its own key"),
    ],
)
def test_what_is_none_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(CertificateError, match=problem) as caught:
        read_request(content, "app1.csr")

    assert (caught.value.code, caught.value.where) == ("authority-request-unreadable", "app1.csr")


def test_alternative_names_of_a_certificate() -> None:
    ca = CertificateAuthority()

    assert alternative_names(ca.issue("app1", san=SAN).certificate) == SAN
    assert alternative_names(ca.issue("app1").certificate) == ()
