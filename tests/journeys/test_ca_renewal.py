"""`ca renew`: the names stay, the key changes, and what was revoked gets another."""

from __future__ import annotations

from pathlib import Path

import pytest
from ca_commands import ca, credentials, trusting
from cryptography import x509

pytestmark = pytest.mark.usefixtures("ca_in_workshop")


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
