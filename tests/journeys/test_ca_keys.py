"""Keys of a CA and of its workloads: with a passphrase, on a token, in a TPM."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ca_commands import ca, credentials, trusting
from commands import arns, ended, parsed
from soft_token import PIN, SOFTHSM, soft_token
from software_tpm import software_tpm

from boto_rolesanywhere.authority.authority import Wish
from boto_rolesanywhere.authority.drafts import name_of
from boto_rolesanywhere.authority.folder import CERTIFICATE, adopt, create_root, open_authority
from boto_rolesanywhere.authority.issued import key_pem
from boto_rolesanywhere.authority.keys import generate_key
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.settings.sources import Secret

pytestmark = pytest.mark.usefixtures("ca_in_workshop")


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


def test_its_certificate_tells_which_token_holds_a_cas_key(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(key_pem(own := generate_key("P-256")))
    create_root(tmp_path / "made", "Old CA", key_place=str(tmp_path / "own"))
    certificate = str(tmp_path / "made" / CERTIFICATE)
    access = Access(Secret(PIN), SOFTHSM)
    with soft_token() as token:
        for each, key in ((token, own), (token.another(), generate_key("P-256"))):
            each.add_key(key, label="ca", id_="01")  # which nobody sees without the PIN
        token.add_public_key(own.public_key(), label="of the old CA")

        adopt(tmp_path / "ca", certificate, "pkcs11:object=ca", access)
        authority = open_authority(tmp_path / "ca", access)
        issued = authority.issue(Wish(name="app1", subject=name_of("app1")))

    issued.certificate.verify_directly_issued_by(authority.certificate)


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
