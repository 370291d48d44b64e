"""The certificate authority for tests: flaws that were asked for, each a real one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from made_certificates import NOON, extension

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Flaw, KeyType


def flawed(ca: CertificateAuthority, *flaws: Flaw) -> x509.Certificate:
    return ca.issue("bad", flaws=flaws).certificate


def test_expired_and_not_yet_valid() -> None:
    ca = CertificateAuthority(clock=lambda: NOON)
    assert flawed(ca, "expired").not_valid_after_utc < NOON
    assert flawed(ca, "not-yet-valid").not_valid_before_utc > NOON
    assert ca.issue_intermediate(flaws=("expired",)).certificate.not_valid_after_utc < NOON


def test_ca_and_key_usage(ca: CertificateAuthority) -> None:
    assert extension(flawed(ca, "ca"), x509.BasicConstraints).value.ca
    usage = extension(flawed(ca, "no-digital-signature"), x509.KeyUsage).value
    assert not usage.digital_signature
    with pytest.raises(x509.ExtensionNotFound):
        extension(flawed(ca, "no-key-usage"), x509.KeyUsage)


@pytest.mark.parametrize("key_type", ["P-256", "RSA-2048"])
def test_sha1_is_really_signed_with_sha1(key_type: KeyType) -> None:
    ca = CertificateAuthority(key_type=key_type)
    certificate = flawed(ca, "sha1")
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA1)
    key, sha1 = ca.certificate.public_key(), hashes.SHA1()
    scheme = (padding.PKCS1v15(), sha1) if key_type == "RSA-2048" else (ec.ECDSA(sha1),)
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, *scheme)
    assert extension(certificate, x509.KeyUsage).value.digital_signature
    assert certificate.subject.rfc4514_string() == "CN=bad"


@pytest.mark.parametrize("key_type", ["P-256", "RSA-2048"])
def test_v1_is_really_signed_and_has_no_extensions(key_type: KeyType) -> None:
    ca = CertificateAuthority(key_type=key_type, digest="SHA-384")
    certificate = flawed(ca, "v1")
    assert certificate.version is x509.Version.v1
    assert len(certificate.extensions) == 0
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA384)
    certificate.verify_directly_issued_by(ca.certificate)


def test_an_empty_subject(ca: CertificateAuthority) -> None:
    issued = ca.issue("bad", flaws=("empty-subject",), san=("DNS:a.example.com",))
    assert issued.certificate.subject.rdns == []
    assert extension(issued.certificate, x509.SubjectAlternativeName).critical


def test_a_wrong_key_does_not_fit(ca: CertificateAuthority) -> None:
    issued = ca.issue(flaws=("wrong-key",))
    assert issued.private_key.public_key() != issued.certificate.public_key()
    issued.certificate.verify_directly_issued_by(ca.certificate)


@pytest.mark.parametrize("key_type", ["P-256", "P-384", "RSA-2048"])
def test_other_ca_has_the_name_but_not_the_signature(key_type: KeyType) -> None:
    ca = CertificateAuthority(key_type=key_type)
    for certificate in (
        flawed(ca, "other-ca"),
        ca.issue_intermediate(flaws=("other-ca",)).certificate,
    ):
        assert certificate.issuer == ca.certificate.subject
        with pytest.raises(InvalidSignature):
            certificate.verify_directly_issued_by(ca.certificate)


def test_flaws_add_up(ca: CertificateAuthority) -> None:
    certificate = flawed(ca, "sha1", "v1", "expired", "empty-subject")
    assert certificate.version is x509.Version.v1
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA1)
    assert certificate.not_valid_after_utc < datetime.now(timezone.utc)
    assert certificate.subject.rdns == []


def test_each_flaw_is_described() -> None:
    from boto_rolesanywhere.testing import ca as module

    source = Path(module.__file__).read_text(encoding="utf-8")
    text = source.partition('"""What can be wrong')[2].partition('"""')[0]
    for flaw in get_args(Flaw):
        assert f"``{flaw}``" in text


def test_only_rsa_and_ec_sign_with_sha1() -> None:
    try:
        ca = CertificateAuthority(key_type="ML-DSA-44")
    except ConfigurationError:
        pytest.skip("the installed cryptography has no ML-DSA")
    with pytest.raises(ConfigurationError, match="only RSA and EC authorities"):
        ca.issue(flaws=("sha1",))


@pytest.mark.parametrize("flaws", [("expird",), "expired"])
def test_a_flaw_that_is_none_is_not_passed_over(ca: CertificateAuthority, flaws: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigurationError, match="unknown flaw"):
        ca.issue(flaws=flaws)
    with pytest.raises(ConfigurationError, match="unknown flaw"):
        ca.issue_intermediate(flaws=flaws)
