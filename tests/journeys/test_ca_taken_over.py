"""A CA that OpenSSL kept is taken over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ca_commands import ca, credentials, trusting
from cryptography import x509

from boto_rolesanywhere.testing import CertificateAuthority

pytestmark = pytest.mark.usefixtures("ca_in_workshop")


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
