"""The certificate authority for tests: what it issues is what was asked for."""

from __future__ import annotations

import pickle
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from made_certificates import NOON, extension

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, KeyType

if TYPE_CHECKING:
    from boto_rolesanywhere.testing import Digest


def test_an_end_entity_certificate_meets_awss_rules(ca: CertificateAuthority) -> None:
    issued = ca.issue("app-1")
    certificate = issued.certificate
    assert certificate.version is x509.Version.v3
    assert certificate.subject.rfc4514_string() == "CN=app-1"
    assert certificate.issuer == ca.certificate.subject
    assert not extension(certificate, x509.BasicConstraints).value.ca
    assert extension(certificate, x509.KeyUsage).value.digital_signature
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    assert certificate.not_valid_before_utc < datetime.now(timezone.utc)
    assert certificate.not_valid_after_utc > datetime.now(timezone.utc) + timedelta(days=300)
    assert issued.private_key.public_key() == certificate.public_key()
    assert issued.chain == ()
    certificate.verify_directly_issued_by(ca.certificate)


def test_a_root_may_be_a_trust_anchor(ca: CertificateAuthority) -> None:
    constraints = extension(ca.certificate, x509.BasicConstraints)
    assert constraints.value.ca
    assert constraints.critical
    usage = extension(ca.certificate, x509.KeyUsage).value
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.digital_signature
    ca.certificate.verify_directly_issued_by(ca.certificate)


@pytest.mark.parametrize(
    ("key_type", "kind", "size"),
    [
        ("P-256", ec.EllipticCurvePrivateKey, 256),
        ("P-384", ec.EllipticCurvePrivateKey, 384),
        ("P-521", ec.EllipticCurvePrivateKey, 521),
        ("RSA-2048", rsa.RSAPrivateKey, 2048),
        ("RSA-3072", rsa.RSAPrivateKey, 3072),
        ("RSA-4096", rsa.RSAPrivateKey, 4096),
    ],
)
def test_key_types(ca: CertificateAuthority, key_type: KeyType, kind: type, size: int) -> None:
    issued = ca.issue(key_type=key_type)
    assert isinstance(issued.private_key, kind)
    assert issued.private_key.key_size == size
    assert issued.certificate.public_key() == issued.private_key.public_key()


@pytest.mark.parametrize("key_type", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_mldsa_is_made_or_the_error_says_what_to_do(
    ca: CertificateAuthority, key_type: KeyType
) -> None:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:
        with pytest.raises(ConfigurationError, match="pip install --upgrade cryptography"):
            ca.issue(key_type=key_type)
        return
    issued = ca.issue(key_type=key_type)
    assert isinstance(issued.private_key, getattr(mldsa, f"MLDSA{key_type[-2:]}PrivateKey"))
    below = CertificateAuthority(key_type=key_type).issue_intermediate(key_type=key_type)
    below.issue().certificate.verify_directly_issued_by(below.certificate)


@pytest.mark.parametrize("key_type", ["P-256", "RSA-2048"])
@pytest.mark.parametrize("digest", ["SHA-256", "SHA-384", "SHA-512"])
def test_the_hash_is_the_authoritys_choice(key_type: KeyType, digest: Digest) -> None:
    ca = CertificateAuthority(key_type=key_type, digest=digest)
    certificate = ca.issue().certificate
    assert certificate.signature_hash_algorithm.name == digest.replace("-", "").lower()
    certificate.verify_directly_issued_by(ca.certificate)


def test_an_intermediates_hash_is_its_own(ca: CertificateAuthority) -> None:
    strong = ca.issue_intermediate(digest="SHA-512")
    assert isinstance(strong.certificate.signature_hash_algorithm, hashes.SHA256)
    assert isinstance(strong.issue().certificate.signature_hash_algorithm, hashes.SHA512)
    assert isinstance(
        strong.issue_intermediate().issue().certificate.signature_hash_algorithm, hashes.SHA512
    )


def test_chains_go_from_the_issuer_upward_without_the_root(ca: CertificateAuthority) -> None:
    first = ca.issue_intermediate("First", path_length=3)
    second = first.issue_intermediate("Second", key_type="P-384")
    issued = second.issue()
    assert issued.chain == (second.certificate, first.certificate)
    assert extension(first.certificate, x509.BasicConstraints).value.path_length == 3
    issued.certificate.verify_directly_issued_by(second.certificate)
    second.certificate.verify_directly_issued_by(first.certificate)
    first.certificate.verify_directly_issued_by(ca.certificate)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees(ca: CertificateAuthority, tmp_path: Path) -> None:
    issued = ca.issue_intermediate("A").issue_intermediate("B", key_type="RSA-2048").issue()
    paths = issued.write(tmp_path)
    root, _ = ca.write(tmp_path)
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", paths.chain]
    done = subprocess.run(
        [*map(str, verify), str(paths.certificate)], capture_output=True, text=True, check=False
    )
    assert done.stdout.endswith(": OK\n"), done.stderr


def test_subject_and_alternative_names(ca: CertificateAuthority) -> None:
    certificate = ca.issue(
        subject="CN=app,OU=batch,OU=it,O=Acme",
        san=(
            "DNS:a.example.com",
            "URI:spiffe://example.com/app",
            "IP:127.0.0.1",
            "IP:::1",
            "email:a@example.com",
            "dirName:CN=x,O=y",
            x509.DNSName("b.example.com"),
        ),
    ).certificate
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert {unit.value for unit in units} == {"batch", "it"}
    found = extension(certificate, x509.SubjectAlternativeName)
    assert not found.critical
    assert found.value.get_values_for_type(x509.DNSName) == ["a.example.com", "b.example.com"]
    assert found.value.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://example.com/app"
    ]
    assert [str(one) for one in found.value.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1",
        "::1",
    ]
    assert found.value.get_values_for_type(x509.RFC822Name) == ["a@example.com"]
    (name,) = found.value.get_values_for_type(x509.DirectoryName)
    assert name.rfc4514_string() == "CN=x,O=y"


def test_a_name_can_be_given_as_an_object(ca: CertificateAuthority) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
    assert ca.issue(subject=name).certificate.subject == name
    assert CertificateAuthority(subject=name).certificate.subject == name


def test_serial_number_key_and_extensions_can_be_given(ca: CertificateAuthority) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    eku = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    issued = ca.issue(serial_number=4711, key=key, extensions=[(eku, True)])
    assert issued.serial_number == issued.certificate.serial_number == 4711
    assert issued.private_key is key
    assert issued.certificate.public_key() == key.public_key()
    assert extension(issued.certificate, x509.ExtendedKeyUsage).critical
    assert ca.issue().serial_number != ca.issue().serial_number


def test_the_clock_is_a_parameter() -> None:
    ca = CertificateAuthority(clock=lambda: NOON)
    certificate = ca.issue_intermediate().issue().certificate
    assert certificate.not_valid_before_utc == NOON - timedelta(hours=1)
    assert certificate.not_valid_after_utc == NOON + timedelta(days=365)
    crl = x509.load_pem_x509_crl(ca.crl((1,)))
    assert crl.last_update_utc == NOON - timedelta(hours=1)


def test_validity_can_be_given_whole_or_in_part() -> None:
    ca = CertificateAuthority(clock=lambda: NOON)
    day = timedelta(days=1)
    both = ca.issue(not_before=NOON + day, not_after=NOON + 2 * day).certificate
    assert (both.not_valid_before_utc, both.not_valid_after_utc) == (NOON + day, NOON + 2 * day)
    past = ca.issue(not_after=NOON - day).certificate
    assert past.not_valid_before_utc < past.not_valid_after_utc == NOON - day
    with pytest.raises(ConfigurationError, match="before it begins"):
        ca.issue(not_before=NOON + day, not_after=NOON)


def test_a_revocation_list(ca: CertificateAuthority) -> None:
    issued, other = ca.issue(), ca.issue()
    pem = ca.crl((issued, other.certificate, 4711), number=7)
    crl = x509.load_pem_x509_crl(pem)
    assert {entry.serial_number for entry in crl} == {
        issued.serial_number,
        other.serial_number,
        4711,
    }
    assert crl.issuer == ca.certificate.subject
    assert crl.is_signature_valid(ca.certificate.public_key())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    assert crl.next_update_utc > datetime.now(timezone.utc)


def test_an_expired_and_an_empty_list(ca: CertificateAuthority) -> None:
    yesterday = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    crl = x509.load_pem_x509_crl(ca.crl(next_update=yesterday))
    assert len(crl) == 0
    assert crl.last_update_utc < crl.next_update_utc == yesterday


def test_unusable_values_are_one_clear_error(ca: CertificateAuthority) -> None:
    for words, call in {
        "unknown key type 'DSA'; expected one of P-256,": lambda: ca.issue(key_type="DSA"),
        "unknown hash 'MD5'; expected one of SHA-256,": lambda: CertificateAuthority(digest="MD5"),
        "san: 'host' is of an unknown kind; expected DNS:": lambda: ca.issue(san=("host",)),
        "san: 'IP:host' is not usable": lambda: ca.issue(san=("IP:host",)),
        "subject: cannot make a name of 'CN'": lambda: ca.issue(subject="CN"),
        "cannot make this certificate": lambda: ca.issue(serial_number=-1),
        "cannot make this revocation list": lambda: ca.crl((-1,)),
    }.items():
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert words in str(caught.value)
        assert pickle.loads(pickle.dumps(caught.value)).problem == caught.value.problem


def test_of_an_authority_on_a_curve_of_its_own_no_wrong_one_can_be_made() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    now = datetime.now(timezone.utc)
    name = x509.Name.from_rfc4514_string("CN=Coins")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    ca = CertificateAuthority.from_pem(pem, key_pem)

    with pytest.raises(ConfigurationError, match="type secp256k1 is not one that can be made"):
        ca.issue(flaws=("other-ca",))
