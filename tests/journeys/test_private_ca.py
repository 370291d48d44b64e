"""AWS Private CA (moto's) as the CA of the command, and its certificates at the emulator."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from commands import arns, ended, parsed
from cryptography import x509
from pages import Reader, blocks
from private_cas import (
    certificate_of,
    create_below,
    create_ca,
    create_root,
    documented_templates,
    moto_ca,
)

from boto_rolesanywhere.authority import create_root as create_own_root
from boto_rolesanywhere.testing import Emulator
from boto_rolesanywhere.testing.emulator.neighbours import private_cas_at


@pytest.fixture(autouse=True)
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Iterator[Path]:
    """An own folder, in which the commands run, and an administrator's credentials."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    with documented_templates():
        yield folder


@pytest.fixture
def arn() -> str:
    return create_root(client())


def client():  # noqa: ANN201  # boto3's clients have no type of their own
    return boto3.client("acm-pca", region_name="eu-west-1")


def ca(*arguments: str, status: int = 0) -> str:
    done = ended("ca", *arguments, status=status)
    return done.stdout + done.stderr


def credentials(emulator: Emulator, name: str) -> str:
    flags = ("--certificate", f"{name}.pem", "--private-key", f"{name}.key")
    return ended("credential-process", *flags, *arns(emulator), "--no-cache").stdout


def certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(f"{name}.pem").read_bytes())


def test_from_a_private_ca_to_credentials(
    workshop: Path, arn: str, clean_environment: Path
) -> None:
    said = ca("issue", "app1", "--pca", arn, "--san", "DNS:app1.example.com", "--profile", "onprem")

    assert "being issued" in said
    with Emulator(certificate_of(client(), arn)) as emulator:
        assert "SessionToken" in credentials(emulator, "app1")
    for path in workshop.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    section = parsed(clean_environment / ".aws" / "config")["profile onprem"]
    assert section["rolesanywhere_certificate"] == str(workshop / "app1.pem")


def test_the_file_holds_the_chain(tmp_path: Path) -> None:
    root = create_own_root(tmp_path / "root", "Own root")
    arn = create_below(client(), root)

    ca("issue", "app1", "--pca", arn)

    subjects = [
        each.subject.rfc4514_string()
        for each in x509.load_pem_x509_certificates(Path("app1.pem").read_bytes())
    ]
    assert subjects == ["CN=app1", "CN=Issuing CA"]
    with Emulator((tmp_path / "root" / "trust-anchor.pem").read_bytes()) as emulator:
        assert "SessionToken" in credentials(emulator, "app1")


def test_only_the_request_travels(arn: str) -> None:
    ca("request", "app1", "--san", "URI:spiffe://example/app1")
    key = Path("app1.key").read_bytes()

    ca("issue", "--csr", "app1.csr", "--pca", arn)

    assert Path("app1.key").read_bytes() == key
    with Emulator(certificate_of(client(), arn)) as emulator:
        assert "SessionToken" in credentials(emulator, "app1")


def test_renewal_keeps_the_names(arn: str) -> None:
    ca("issue", "app1", "--pca", arn, "--subject", "CN=app1,O=example", "--key-type", "P-384")
    versions = [certificate("app1")]
    for flags in ((), ("--reuse-key",)):
        said = ca("renew", "app1", "--pca", arn, *flags)
        assert f"ca revoke {versions[-1].serial_number:x} --reason superseded --pca {arn}" in said
        versions.append(certificate("app1"))

    first, second, third = versions
    assert first.subject == second.subject == third.subject
    assert first.public_key() != second.public_key() == third.public_key()
    assert second.public_key().key_size == 384  # type: ignore[union-attr]
    with Emulator(certificate_of(client(), arn)) as emulator:
        assert "SessionToken" in credentials(emulator, "app1")


def test_a_certificate_is_revoked_by_file_and_by_number(arn: str) -> None:
    ca("issue", "app1", "--pca", arn)
    serial = certificate("app1").serial_number
    assert "writes no revocation lists" in ca("revoke", "app1.pem", "--pca", arn)

    moto_ca(arn).revocation_configuration = {
        "CrlConfiguration": {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": "lists"}
    }
    again = ca("revoke", f"{serial:x}", "--pca", arn, "--reason", "keyCompromise")

    assert f"{serial:x} is revoked, for the reason keyCompromise." in again
    assert "half an hour" in again
    (listed,) = moto_ca(arn).revoked_certificates
    assert int(listed.replace(":", ""), 16) == serial


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("issue", "app1", "--ca", "folder"), "flags-exclusive"),
        (("issue", "app1", "--passphrase-env", "HOME"), "flags-exclusive"),
        (("issue", "app1", "--csr", "a.csr", "--san", "DNS:a"), "flags-exclusive"),
        (("issue",), "command-line-invalid"),
        (("renew", "app1"), "file-missing"),
        (("renew", "app1", "--reuse-key", "--key-type", "P-256"), "flags-exclusive"),
        (("revoke", "app1.pem"), "authority-certificate-unknown"),
        (("revoke", "7", "--reason", "certificateHold"), "authority-value-unusable"),
    ],
)
def test_mistakes_are_named(arn: str, words: tuple[str, ...], code: str) -> None:
    status = 2 if code in ("flags-exclusive", "command-line-invalid") else 1
    assert f"[{code}]" in ca(*words, "--pca", arn, status=status)
    assert list(Path().glob("app1*")) == []
    assert len(moto_ca(arn).issued_certificates) == 1  # its own


@pytest.mark.parametrize("flag", ["--template", "--admin-profile", "--account-role"])
def test_what_is_for_aws_alone_is_not_taken_without(flag: str) -> None:
    refused = ca("issue", "app1", flag, "x", status=2)

    assert f"{flag}: it has no effect here; expected together with --pca" in refused


def test_what_roles_anywhere_refuses_is_not_issued_first(workshop: Path, arn: str) -> None:
    weak = ["openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak"]
    subprocess.run([*weak, "-keyout", "weak.key", "-out", "weak.csr"], check=True)

    no_subject = ca("issue", "app1", "--subject", "", "--pca", arn, status=1)
    weak_key = ca("issue", "--csr", "weak.csr", "--pca", arn, status=1)

    assert "certificate-subject" in no_subject
    assert "certificate-key" in weak_key
    assert "being issued" not in no_subject + weak_key


def test_nothing_is_issued_for_a_file_that_is_taken(workshop: Path, arn: str) -> None:
    (workshop / "app1.key").write_text("mine")

    assert "authority-file-taken" in ca("issue", "app1", "--pca", arn, status=1)

    assert (workshop / "app1.key").read_text() == "mine"
    assert len(moto_ca(arn).issued_certificates) == 1


def test_a_ca_that_is_not_ready_is_named(workshop: Path) -> None:
    arn = create_ca(client())

    assert "the CA is PENDING_CERTIFICATE" in ca("issue", "app1", "--pca", arn, status=1)
    assert list(workshop.iterdir()) == []


def test_without_an_administrator_nothing_is_asked(
    arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert "administrator-credentials-missing" in ca("issue", "app1", "--pca", arn, status=1)


def test_the_page_is_right(reader: Reader, moto_url: str, tmp_path: Path) -> None:
    root = create_own_root(tmp_path / "root", "Own root")
    arn = create_below(client(), root)
    variables = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "CA_ARN": arn,
    }
    with Emulator(private_cas=private_cas_at(moto_url, "eu-west-1")) as emulator:
        typist = Reader(reader.folder, emulator, variables)
        for block in blocks("private-ca.md", "pca"):
            typist.type(block)
        typist.type("boto-rolesanywhere credential-process --config-profile onprem --no-cache")

    assert len(moto_ca(arn).revoked_certificates) == 1
    assert len(moto_ca(arn).issued_certificates) == 3
