"""The certificate authority for tests in files: what is written, for whom, and read again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


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
