"""Pages about programs of others, typed with these programs: Vault (as OpenBao) and the like."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from acme_client import certbot
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from installed import AWS_CLI, PROGRAMS, require
from one_answer import answering
from open_bao import vault
from pages import Reader, blocks

from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority


def test_vault_issues_what_aws_takes_and_its_list_revokes(reader: Reader) -> None:
    authority, issued, revoked = blocks("existing-ca.md", "vault")
    with vault(reader):
        for block in (authority, *blocks("existing-ca.md"), issued):
            reader.type(block)
        reader.trust("ca.pem")
        assert reader.access_key("app1.pem", "app1.key").startswith("ASIA")

        reader.type(revoked)

    reader.emulator.import_crl((reader.folder / "ca-crl.pem").read_bytes())
    with pytest.raises(SessionDeniedError, match="Certificate revoked"):
        reader.access_key("app1.pem", "app1.key")


# A second CA, named as the page names its own, below the page's.
BELOW = """\
vault secrets enable -path=below pki
vault write -field=csr below/intermediate/generate/internal common_name=B key_type=ec > below.csr
vault write -field=certificate pki/root/sign-intermediate csr=@below.csr > below.pem
vault write below/intermediate/set-signed certificate=@below.pem
vault write below/roles/workload allow_any_name=true enforce_hostnames=false key_type=ec ttl=1h
"""


def test_a_ca_of_vault_below_a_root_gives_its_chain(reader: Reader) -> None:
    authority, _, _ = blocks("existing-ca.md", "vault")
    (issued,) = blocks("existing-ca.md", "vault_chain")
    with vault(reader):
        for block in (authority, BELOW, *blocks("existing-ca.md")):
            reader.type(block)
        reader.type(issued.replace("pki/sign", "below/sign"))

    reader.trust("ca.pem")
    assert reader.access_key("app1.pem", "app1.key").startswith("ASIA")


NAMELESS = """\
openssl req -new -key app1.key -subj / -addext subjectAltName=DNS:app1.example.com -out app1.csr
"""


def test_a_name_that_acme_was_asked_for_stands_in_the_subject(reader: Reader) -> None:
    authority, _, _ = blocks("existing-ca.md", "vault")
    setting, issued = blocks("existing-ca.md", "acme")
    _, ask = issued.split("\n", 1)
    with vault(reader), certbot(reader) as names:
        reader.type(authority)
        reader.type(setting.replace("enabled=true", f"enabled=true dns_resolver={names}"))
        reader.trust("ca.pem")
        reader.type(issued)
        assert reader.access_key("app1.pem", "app1.key").startswith("ASIA")

        reader.type(NAMELESS)
        for file in ("leaf.pem", "chain.pem", "app1.pem"):
            (reader.folder / file).unlink()
        reader.type("vault patch pki/roles/workload require_cn=false ou=")
        with pytest.raises(AssertionError, match="its subject is empty"):
            reader.type(ask)


def test_what_ejbca_answers_becomes_certificate_and_chain(reader: Reader) -> None:
    root = CertificateAuthority()
    issuing = root.issue_intermediate("Issuing CA")
    (requested,) = blocks("existing-ca.md")
    reader.type(requested)
    request = (reader.folder / "app1.csr").read_text()
    key = load_pem_private_key((reader.folder / "app1.key").read_bytes(), None)
    issued = issuing.issue("app1", key=key)  # type: ignore[arg-type]  # an EC key
    answer: dict[str, Any] = {
        "certificate": b64encode(issued.certificate.public_bytes(Encoding.DER)).decode(),
        "serial_number": f"{issued.certificate.serial_number:X}",
        "response_format": "DER",
        "certificate_chain": [
            b64encode(issuing.certificate.public_bytes(Encoding.DER)).decode(),
        ],
    }
    (reader.folder / "ra.pem").write_bytes((officer := root.issue("ra")).certificate_pem)
    (reader.folder / "ra.key").write_bytes(officer.private_key_pem)
    trusted, _ = root.write(reader.folder / "server")
    own = root.issue("ejbca", san=["DNS:ejbca.example.com"]).write(reader.folder / "server")
    asked: list[Mapping[str, str]] = []

    ask, convert = blocks("existing-ca.md", "ejbca")
    with answering(
        200, {}, json.dumps(answer).encode(), asked, tls=own, clients=trusted
    ) as endpoint:
        there = endpoint.removeprefix("https://")
        (reader.folder / ".curlrc").write_text(
            f'connect-to = "ejbca.example.com:443:{there}"\ncacert = "{trusted}"\n'
        )
        reader.type(ask, ENROLMENT_CODE="foo123")
    sent = json.loads((reader.folder / "request.json").read_text())
    shown = reader.type(convert)

    assert (sent["certificate_request"], sent["password"]) == (request, "foo123")
    assert [headers["content-type"] for headers in asked] == ["application/json"]
    assert "CN=app1" in shown
    assert (reader.folder / "app1.der").read_bytes() == b64decode(answer["certificate"])
    assert reader.certificate("chain.pem") == issuing.certificate


def test_what_active_directory_gives_is_taken(reader: Reader) -> None:
    ca = CertificateAuthority()
    (reader.folder / "ca.cer").write_bytes(ca.certificate.public_bytes(Encoding.DER))
    (reader.folder / "app1.cer").write_bytes(ca.issue("app1").certificate_pem)

    (block,) = blocks("existing-ca.md", "adcs")
    reader.type(block)

    assert reader.certificate("ca.pem") == ca.certificate


def test_exec_starts_programs_of_others(equipped: Reader) -> None:
    require((AWS_CLI / "bin" / "aws").exists(), "the AWS CLI")
    equipped.install("aws", AWS_CLI / "bin" / "aws")
    served = equipped.folder / "sync-all-day.sh"
    served.write_text("#!/bin/sh\naws s3 mb s3://all-day\n")
    served.chmod(0o755)
    (block,) = blocks("exec.md", "programs")

    equipped.type(block)

    assert " all-day\n" in equipped.type(block.splitlines()[0])


def test_pandas_and_s3fs_read_and_write_with_the_profile(equipped: Reader) -> None:
    require((PROGRAMS / "bin" / "python").exists(), "pandas")
    for block in blocks("s3fs-and-pandas.md"):
        equipped.type(block)  # makes the bucket
    equipped.install("python3", PROGRAMS / "bin" / "python")

    profile, pandas, s3fs = blocks("s3fs-and-pandas.md", "pandas")
    equipped.type(profile)
    assert "2.5" in equipped.type(pandas)
    assert "sensor-data/today.csv" in equipped.type(s3fs)
