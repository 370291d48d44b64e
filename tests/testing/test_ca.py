"""The certificate authority for tests: what it issues is what was asked for, flaws included."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Flaw, IssuedCertificate, KeyType

if TYPE_CHECKING:
    from boto_rolesanywhere.testing import Digest

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


def extension(
    certificate: x509.Certificate, kind: type[x509.ExtensionType]
) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_class(kind)


# --- what is right ---------------------------------------------------------------------------


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


# --- what is wrong on request ----------------------------------------------------------------


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


# --- revocation lists ------------------------------------------------------------------------


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


# --- files -----------------------------------------------------------------------------------


def test_pem_of_an_issued_certificate(ca: CertificateAuthority) -> None:
    issued = ca.issue_intermediate("A").issue_intermediate("B").issue()
    assert x509.load_pem_x509_certificate(issued.certificate_pem) == issued.certificate
    assert tuple(x509.load_pem_x509_certificates(issued.chain_pem)) == issued.chain
    assert issued.bundle_pem == issued.certificate_pem + issued.chain_pem
    key = load_pem_private_key(issued.private_key_pem, None)
    assert key.public_key() == issued.certificate.public_key()
    assert ca.issue().chain_pem == b""


def test_files_are_written_and_the_key_is_private(ca: CertificateAuthority, tmp_path: Path) -> None:
    issued = ca.issue_intermediate().issue()
    folder = tmp_path / "deep" / "folder"
    paths = issued.write(folder, name="app", passphrase="pass")
    assert sorted(path.name for path in folder.iterdir()) == [
        "app-bundle.pem",
        "app-cert.pem",
        "app-chain.pem",
        "app-key.pem",
    ]
    assert paths.certificate.read_bytes() == issued.certificate_pem
    assert paths.chain.read_bytes() == issued.chain_pem
    assert paths.bundle.read_bytes() == issued.bundle_pem
    key = load_pem_private_key(paths.private_key.read_bytes(), b"pass")
    assert key.public_key() == issued.certificate.public_key()
    assert paths.private_key.stat().st_mode & 0o777 == 0o600


def test_without_intermediates_there_is_no_chain_file(
    ca: CertificateAuthority, tmp_path: Path
) -> None:
    paths = ca.issue().write(tmp_path)
    assert paths.chain is None
    assert not (tmp_path / "client-chain.pem").exists()


def test_an_older_key_file_does_not_lend_its_mode(ca: CertificateAuthority, tmp_path: Path) -> None:
    old = tmp_path / "client-key.pem"
    old.write_text("old")
    old.chmod(0o644)
    ca.issue().write(tmp_path)
    assert old.stat().st_mode & 0o777 == 0o600


def test_an_authority_is_written_and_read_again(tmp_path: Path, ca: CertificateAuthority) -> None:
    intermediate = ca.issue_intermediate()
    certificate, key = intermediate.write(tmp_path, name="issuing")
    assert key.stat().st_mode & 0o777 == 0o600
    again = CertificateAuthority.from_pem(
        certificate.read_bytes(), key.read_bytes(), digest="SHA-384"
    )
    issued = again.issue()
    assert issued.chain == (intermediate.certificate,)
    assert isinstance(issued.certificate.signature_hash_algorithm, hashes.SHA384)
    issued.certificate.verify_directly_issued_by(intermediate.certificate)
    root = CertificateAuthority.from_pem(ca.certificate_pem, ca.private_key_pem)
    assert root.issue().chain == ()


def test_no_key_is_shown(ca: CertificateAuthority) -> None:
    issued = ca.issue()
    assert "private_key" not in repr(issued)
    assert repr(ca) == "<CertificateAuthority CN=Test root CA>"


# --- what is refused -------------------------------------------------------------------------


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


def test_only_rsa_and_ec_sign_with_sha1() -> None:
    try:
        ca = CertificateAuthority(key_type="ML-DSA-44")
    except ConfigurationError:
        pytest.skip("the installed cryptography has no ML-DSA")
    with pytest.raises(ConfigurationError, match="only RSA and EC authorities"):
        ca.issue(flaws=("sha1",))


def test_an_authority_that_cannot_be_read(ca: CertificateAuthority) -> None:
    locked = IssuedCertificate(ca.certificate, ca.private_key)
    other = CertificateAuthority()
    for words, certificate, key in (
        ("authority's certificate: no certificate can be read", b"", ca.private_key_pem),
        ("authority's private key: it cannot be read", ca.certificate_pem, b"secret text"),
        ("not the key of the first certificate", ca.certificate_pem, other.private_key_pem),
    ):
        with pytest.raises(ConfigurationError) as caught:
            CertificateAuthority.from_pem(certificate, key)
        assert words in str(caught.value)
        assert "secret text" not in str(caught.value)
    assert locked.private_key_pem == ca.private_key_pem


@pytest.mark.parametrize("flaws", [("expird",), "expired"])
def test_a_flaw_that_is_none_is_not_passed_over(ca: CertificateAuthority, flaws: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigurationError, match="unknown flaw"):
        ca.issue(flaws=flaws)
    with pytest.raises(ConfigurationError, match="unknown flaw"):
        ca.issue_intermediate(flaws=flaws)


def test_folders_for_keys_are_private_also_without_a_umask(tmp_path: Path) -> None:
    ca = CertificateAuthority()
    old = os.umask(0)
    try:
        ca.write(tmp_path / "a" / "ca")
        ca.issue().write(tmp_path / "b" / "client")
    finally:
        os.umask(old)

    for folder in ("a", "a/ca", "b", "b/client"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
