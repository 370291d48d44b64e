"""A CA of one's own, from `ca init` to a certificate that is refused, against the emulator."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Final

import pytest
from ca_commands import ca, credentials, trusting
from commands import ended, parsed
from cryptography import x509
from key_types import MLDSA

pytestmark = pytest.mark.usefixtures("ca_in_workshop")


def openssl_keys() -> bytes:
    """The kinds of keys that the installed OpenSSL knows."""
    listing = ["openssl", "list", "-public-key-algorithms"]
    try:
        return subprocess.run(listing, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


def test_issuing_names_old_keys_of_the_same_profile(
    workshop: Path, clean_environment: Path
) -> None:
    (clean_environment / ".aws").mkdir()
    keys = clean_environment / ".aws" / "credentials"
    keys.write_text("[onprem]\naws_access_key_id = AKIAOLD\n")
    ca("init", "--name", "Example CA")

    done = ended("ca", "issue", "app1", "--profile", "onprem")

    assert "aws_access_key_id of [onprem] in ~/.aws/credentials comes first" in done.stderr


def test_from_nothing_to_credentials_and_back(workshop: Path, clean_environment: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("issue", "app1", "--san", "DNS:app1.example.com", "--profile", "onprem")
    ca("issue", "app2")

    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "app1")
        ca("revoke", "app1.pem", "--reason", "keyCompromise")
        assert "list number 1, revoked certificates: 1," in ca("crl")
        emulator.import_crl((workshop / "ca" / "ca-crl.pem").read_bytes())

        assert "denied-certificate-revoked" in credentials(emulator, "app1", status=1)
        assert "SessionToken" in credentials(emulator, "app2")

    der = x509.load_der_x509_crl((workshop / "ca" / "ca-crl.der").read_bytes())
    pem = x509.load_pem_x509_crl((workshop / "ca" / "ca-crl.pem").read_bytes())
    assert der == pem
    section = parsed(clean_environment / ".aws" / "config")["profile onprem"]
    assert section["rolesanywhere_certificate"] == str(workshop / "app1.pem")
    assert section["rolesanywhere_private_key"] == str(workshop / "app1.key")


def test_an_issuing_ca_works_without_its_root(workshop: Path) -> None:
    ca("init", "--name", "Example Root", "--intermediate", "Example Issuing CA")
    (workshop / "ca" / "root").rename(workshop / "offline")
    ca("issue", "app1")

    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "app1")

    (issuing,) = json.loads(ca("list", "--json", "--ca", "offline"))
    assert issuing["subject"] == "CN=Example Issuing CA"
    assert "Example Issuing CA" in ca("revoke", issuing["serialNumber"], "--ca", "offline")


@pytest.mark.parametrize("key_type", ["P-256", "P-384", "RSA-2048"])
def test_aws_has_nothing_against_what_is_issued(workshop: Path, key_type: str) -> None:
    ca("init", "--name", "Example CA", "--key-type", key_type)
    ca("issue", "app1", "--key-type", key_type, "--subject", "CN=app1,OU=it,O=example")

    inspected = json.loads(ended("inspect", "app1.pem", "--json").stdout)

    assert inspected["acceptable"] is True
    assert [each["code"] for each in inspected["constraints"] if each["problems"]] == []


@pytest.mark.parametrize("key_type", MLDSA)
def test_a_chain_of_mldsa_holds_and_its_list_counts(workshop: Path, key_type: str) -> None:
    kind = ("--key-type", key_type)
    ca("init", "--name", "Example Root", "--intermediate", "Example Issuing CA", *kind)
    ca("issue", "app1", *kind)
    ca("request", "app2", *kind)
    ca("issue", "--csr", "app2.csr")
    ca("renew", "app1")

    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "app1")
        assert emulator.requests[-1].headers["authorization"].startswith("AWS4-X509-MLDSA ")
        assert "SessionToken" in credentials(emulator, "app2")
        ca("revoke", "app1.pem")
        ca("crl")
        emulator.import_crl((workshop / "ca" / "ca-crl.pem").read_bytes())
        assert "denied-certificate-revoked" in credentials(emulator, "app1", status=1)
        assert "SessionToken" in credentials(emulator, "app2")


# OpenSSL knows ML-DSA from 3.5 on.
OPENSSL_KEYS: Final = ("P-256", "P-521", *(MLDSA if b"ML-DSA" in openssl_keys() else ()))


@pytest.mark.parametrize("key_type", OPENSSL_KEYS)
def test_openssl_verifies_the_chain(workshop: Path, key_type: str) -> None:
    kind = ("--key-type", key_type)
    ca("init", "--name", "Example Root", "--intermediate", "Example Issuing CA", *kind)
    ca("issue", "app1", "--san", "DNS:app1.example.com", *kind)

    verify = "openssl verify -x509_strict -CAfile ca/trust-anchor.pem -untrusted app1.pem app1.pem"
    done = subprocess.run(verify.split(), cwd=workshop, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_the_request_travels(workshop: Path) -> None:
    ca("request", "app1", "--san", "DNS:app1.example.com", "--out", "workload")
    ca("init", "--name", "Example CA")
    ca("issue", "--csr", "workload/app1.csr", "--out", "workload")

    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "workload/app1")
    certificate = x509.load_pem_x509_certificate((workshop / "workload" / "app1.pem").read_bytes())
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["app1.example.com"]
    assert not list((workshop / "ca").glob("app1*"))


def test_a_request_that_was_changed_is_refused(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("request", "app1")
    lines = (workshop / "app1.csr").read_text().splitlines()
    lines[-2] = lines[-2][:4] + ("A" if lines[-2][4] != "A" else "B") + lines[-2][5:]
    (workshop / "app1.csr").write_text("\n".join(lines) + "\n")

    assert "authority-request-unreadable" in ca("issue", "--csr", "app1.csr", status=1)
    assert json.loads(ca("list", "--json")) == []


def test_nothing_is_overwritten_and_nobody_else_reads(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("issue", "app1", "--out", "made/here")
    before = (workshop / "made" / "here" / "app1.key").read_bytes()

    assert "authority-file-taken" in ca("issue", "app1", "--out", "made/here", status=1)
    assert "authority-file-taken" in ca("init", "--name", "Another", status=1)
    assert len(json.loads(ca("list", "--json"))) == 1
    assert (workshop / "made" / "here" / "app1.key").read_bytes() == before
    for path in (*(workshop / "ca").iterdir(), *(workshop / "made" / "here").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for folder in ("ca", "made", "made/here"):
        assert stat.S_IMODE((workshop / folder).stat().st_mode) == 0o700

    ca("issue", "app1", "--out", "made/here", "--force")
    assert (workshop / "made" / "here" / "app1.key").read_bytes() != before


def test_a_certificate_ends_with_its_ca(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("issue", "app1", "--days", "36500")

    authority, issued = (
        x509.load_pem_x509_certificate((workshop / path).read_bytes())
        for path in ("ca/ca-cert.pem", "app1.pem")
    )
    assert issued.not_valid_after_utc == authority.not_valid_after_utc


def test_a_word_that_is_no_action_is_not_shown() -> None:
    done = ended("ca", "--pkcs8-password", "S3CRET", status=2)

    assert "init" in done.stderr
    assert "S3CRET" not in done.stderr
