"""A CA of one's own, from `ca init` to a certificate that is refused, against the emulator."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Final

import processes
import pytest
from commands import arns, ended, parsed
from cryptography import x509
from key_types import MLDSA
from soft_token import PIN, soft_token
from software_tpm import software_tpm

from boto_rolesanywhere.authority.folder import open_authority
from boto_rolesanywhere.authority.keys import generate_key
from boto_rolesanywhere.authority.pair import alone_in
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

AT_ONCE: Final = 4


def openssl_keys() -> bytes:
    """The kinds of keys that the installed OpenSSL knows."""
    listing = ["openssl", "list", "-public-key-algorithms"]
    try:
        return subprocess.run(listing, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


@pytest.fixture(autouse=True)
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder, in which the commands run."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_ROLESANYWHERE_CA", str(folder / "ca"))
    return folder


def ca(*arguments: str, status: int = 0) -> str:
    done = ended("ca", *arguments, status=status)
    return done.stdout if status == 0 else done.stderr


def credentials(emulator: Emulator, name: str, *, status: int = 0) -> str:
    """What credential-process answers for NAME.pem and NAME.key."""
    flags = ("--certificate", f"{name}.pem", "--private-key", f"{name}.key")
    done = ended("credential-process", *flags, *arns(emulator), "--no-cache", status=status)
    return done.stdout + done.stderr


def trusting(folder: Path) -> Emulator:
    return Emulator((folder / "trust-anchor.pem").read_bytes())


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


def test_renewal_keeps_the_names_and_changes_the_key(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("issue", "app1", "--san", "DNS:app1.example.com", "--subject", "CN=app1,O=example")
    versions = [x509.load_pem_x509_certificate((workshop / "app1.pem").read_bytes())]
    for flags in ((), ("--reuse-key",)):
        told = ca("renew", "app1", *flags)
        assert f"ca revoke {versions[-1].serial_number:x}" in told
        versions.append(x509.load_pem_x509_certificate((workshop / "app1.pem").read_bytes()))

    assert (workshop / "app1.key").read_bytes().count(b"BEGIN PRIVATE KEY") == 1
    first, second, third = versions
    assert first.subject == second.subject == third.subject
    assert len({version.serial_number for version in versions}) == 3
    assert first.public_key() != second.public_key() == third.public_key()
    san = [
        each.extensions.get_extension_for_class(x509.SubjectAlternativeName) for each in versions
    ]
    assert san[0] == san[1] == san[2]
    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "app1")


def test_a_revoked_certificate_is_renewed_with_another_key(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    ca("issue", "app1")
    ca("revoke", "app1.pem", "--reason", "keyCompromise")
    before = (workshop / "app1.pem").read_bytes()

    refusal = ca("renew", "app1", "--reuse-key", status=1)

    assert "--reuse-key: the certificate is revoked because its key is compromised" in refusal
    assert (workshop / "app1.pem").read_bytes() == before
    assert "and is revoked (keyCompromise).\n" in ca("renew", "app1")
    assert "ca revoke" in ca("renew", "app1", "--reuse-key")


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


def test_an_encrypted_key_needs_its_passphrase(workshop: Path) -> None:
    (workshop / "passphrase").write_text("correct horse\n")
    secret = ("--passphrase-file", "passphrase")
    ca("init", "--name", "Example CA", *secret)

    assert b"ENCRYPTED" in (workshop / "ca" / "ca-key.pem").read_bytes()
    assert "passphrase-missing" in ca("issue", "app1", status=1)
    ca("issue", "app1", *secret)
    ca("revoke", "app1.pem")  # needs no key
    (workshop / "empty").write_text("\n")
    empty = ca("init", "--name", "CA", "--ca", "b", "--passphrase-file", "empty", status=1)
    assert "passphrase-unusable" in empty
    assert not (workshop / "b").exists()
    ca("crl", *secret)
    assert not any("horse" in path.read_text("latin-1") for path in (workshop / "ca").iterdir())


def test_a_workloads_key_is_encrypted(workshop: Path, clean_environment: Path) -> None:
    (workshop / "passphrase").write_text("correct horse\n")
    (workshop / "empty").write_text("\n")
    secret = ("--key-passphrase-file", "passphrase")
    ca("init", "--name", "Example CA")
    unusable = ca("issue", "app1", "--key-passphrase-file", "empty", status=1)
    assert "passphrase-unusable" in unusable
    assert "no effect" in ca("renew", "app1", "--reuse-key", *secret, status=2)
    assert json.loads(ca("list", "--json")) == []

    ca("issue", "app1", "--profile", "onprem", *secret)
    ca("request", "app2", *secret)

    section = parsed(clean_environment / ".aws" / "config")["profile onprem"]
    assert section["rolesanywhere_private_key_passphrase_file"] == str(workshop / "passphrase")
    for name in ("app1", "app2"):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (workshop / f"{name}.key").read_bytes()
    with trusting(workshop / "ca") as emulator:
        onprem = ("credential-process", "--config-profile", "onprem", "--no-cache")
        assert "SessionToken" in ended(*onprem, *arns(emulator)).stdout
        # What is encrypted is not replaced by what is not.
        refused = ca("renew", "app1", status=1)
        assert "--key-passphrase-file" in refused
        assert len(json.loads(ca("list", "--json"))) == 1
        ca("renew", "app1", *secret)
        assert "SessionToken" in ended(*onprem, *arns(emulator)).stdout
    assert (workshop / "app1.key").read_bytes().count(b"BEGIN ENCRYPTED") == 1


def test_a_passphrase_that_is_missing_names_the_flag(workshop: Path) -> None:
    (workshop / "passphrase").write_text("correct horse\n")
    ca("init", "--name", "Example CA", "--passphrase-file", "passphrase")

    assert "Give it by --passphrase-file FILE or --passphrase-env NAME." in ca(
        "issue", "app1", status=1
    )


def test_a_ca_key_on_a_token_issues_and_signs_lists(workshop: Path) -> None:
    with soft_token() as token:
        key = generate_key("P-256")
        token.add_key(key, label="ca", id_="01")
        token.add_public_key(key.public_key(), label="ca", id_="01")
        (workshop / "pin").write_text(f"{PIN}\n")
        secret = ("--passphrase-file", "pin")
        ca("init", "--name", "Token CA", "--key", f"{token.uri};object=ca", *secret)
        ca("issue", "app1", *secret)
        ca("issue", "app2", *secret)
        ca("revoke", "app2.pem")
        ca("crl", *secret)

        assert not (workshop / "ca" / "ca-key.pem").exists()
        with trusting(workshop / "ca") as emulator:
            emulator.import_crl((workshop / "ca" / "ca-crl.pem").read_bytes())
            assert "SessionToken" in credentials(emulator, "app1")
            assert "denied-certificate-revoked" in credentials(emulator, "app2", status=1)
        refused = ca(
            "init", "--name", "CA", "--ca", "b", "--key", f"{token.uri}?pin-value=1", status=1
        )
        assert "setting-not-storable" in refused


@pytest.mark.parametrize("kind", ["rsa2048", "ecc256"])
def test_a_ca_key_in_a_tpm_issues_and_signs_lists(
    workshop: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with software_tpm() as tpm:
        tpm.persistent(0x81000101, kind)
        monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)
        ca("init", "--name", "TPM CA", "--key", "handle:0x81000101")
        ca("issue", "app1")
        ca("issue", "app2")
        ca("revoke", "app2.pem")
        ca("crl")

    assert not (workshop / "ca" / "ca-key.pem").exists()
    with trusting(workshop / "ca") as emulator:
        emulator.import_crl((workshop / "ca" / "ca-crl.pem").read_bytes())
        assert "SessionToken" in credentials(emulator, "app1")
        assert "denied-certificate-revoked" in credentials(emulator, "app2", status=1)


def test_kills_lose_and_repeat_no_serial(workshop: Path) -> None:
    # CA_KILLS=200 pytest -s -k kills_lose: the same for longer.
    ca("init", "--name", "Example CA")
    kills = int(os.environ.get("CA_KILLS", "40"))
    begin = time.monotonic()
    ca("issue", "first")
    whole = time.monotonic() - begin
    chance = random.Random(kills)
    ended = 0
    for batch in range(0, kills, AT_ONCE):
        running = [
            processes.Process("ca", "issue", f"app{number}", stdout=-3, stderr=-3)
            for number in range(batch, min(batch + AT_ONCE, kills))
        ]
        for process in running:
            # Some are killed in the middle of it, some wait for another's step, few are done.
            time.sleep(chance.uniform(0, 3 * whole / AT_ONCE))
            process.send_signal(signal.SIGKILL)
        ended += [process.wait(60) for process in running].count(0)

    records = open_authority(workshop / "ca").records()

    serials = [record.serial_number for record in records]
    written = sorted(workshop.glob("app*.pem"))
    assert len(set(serials)) == len(serials)
    for path in written:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert certificate.serial_number in serials, path
        sources = IdentitySources(certificate=path, private_key=path.with_suffix(".key"))
        assert open_identity(sources, now=utc_now()).certificate == certificate
    names = {record.name for record in records}
    assert len(names) == len(serials)
    assert {path.stem for path in written} <= names
    print(  # noqa: T201
        f"{kills} kills in {time.monotonic() - begin:.1f} s: {ended} were done before,"
        f" {len(serials) - 1} recorded, {len(written)} written"
    )
    ca("issue", "last")


def test_many_at_once_all_issue(workshop: Path) -> None:
    ca("init", "--name", "Example CA")

    running = [processes.Process("ca", "issue", f"app{number}", stdout=-3) for number in range(16)]

    assert [process.wait(60) for process in running] == [0] * 16
    assert len({each["serialNumber"] for each in json.loads(ca("list", "--json"))}) == 16


def test_an_older_list_takes_no_newer_ones_place(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    authority = open_authority(workshop / "ca")

    with alone_in(workshop / "ca"):
        late = processes.Process("ca", "crl", stdout=-1, text=True)
        deadline = time.monotonic() + 30
        while authority.newest_list() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        authority.sign_list()
    out, _ = late.communicate(timeout=30)

    assert "list number 2," in out
    written = x509.load_der_x509_crl((workshop / "ca" / "ca-crl.der").read_bytes())
    assert written == authority.newest_list()


def test_a_word_that_is_no_action_is_not_shown() -> None:
    done = ended("ca", "--pkcs8-password", "S3CRET", status=2)

    assert "init" in done.stderr
    assert "S3CRET" not in done.stderr


# As `openssl ca` of OpenSSL 3 writes it.
INDEX = (
    "V\t270101000000Z\t\t01\tunknown\t/O=example/CN=app1\n"
    "R\t270101000000Z\t260601120000Z,keyCompromise\t02\tunknown\t/CN=app2\n"
    "E\t200101000000Z\t\t03\tunknown\t/CN=app3\n"
)


def test_a_ca_of_openssl_is_taken_over(workshop: Path) -> None:
    old = CertificateAuthority("Old CA")
    certificate, key = old.write(workshop)
    old.issue("app1", serial_number=1).write(workshop)
    (workshop / "newcerts").mkdir()
    (workshop / "client-cert.pem").rename(workshop / "newcerts" / "01.pem")
    (workshop / "index.txt").write_text(INDEX)
    (workshop / "crlnumber").write_text("1F\n")

    pair = ("--certificate", str(certificate), "--key", str(key))
    assert "took over 3 of 3" in ca("import", "index.txt", *pair)
    assert "took over 0 of 3" in ca("import", "index.txt")
    ca("renew", "app1")
    assert "list number 31," in ca("crl")

    listed = json.loads(ca("list", "--json"))
    assert [(each["serialNumber"], each["name"], each["reason"]) for each in listed[:3]] == [
        ("1", "app1", None),
        ("2", "app2", "keyCompromise"),
        ("3", "app3", None),
    ]
    crl = x509.load_pem_x509_crl((workshop / "ca" / "ca-crl.pem").read_bytes())
    assert [each.serial_number for each in crl] == [2]
    assert crl.is_signature_valid(old.certificate.public_key())  # type: ignore[arg-type]  # of a CA
    with trusting(workshop / "ca") as emulator:
        assert "SessionToken" in credentials(emulator, "app1")


@pytest.mark.parametrize("line", ["V\t270101000000Z\t\t01\tunknown", "V\tsoon\t\t1\tx\t/CN=a"])
def test_another_file_is_no_index(workshop: Path, line: str) -> None:
    ca("init", "--name", "Example CA")
    (workshop / "index.txt").write_text(INDEX + line + "\n")

    refused = ca("import", "index.txt", status=1)

    assert "line 4" in refused
    assert "content-unrecognised" in refused
    assert json.loads(ca("list", "--json")) == []
