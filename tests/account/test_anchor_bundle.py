"""What may be a trust anchor, and what it is called."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509

from boto_rolesanywhere.account.anchor_bundle import alias_for, anchor_bundle
from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.testing import CertificateAuthority

NOW = datetime.now(timezone.utc)
# The model's AliasName.
ALIAS = re.compile(r"(?!.*//)([A-Za-z]([A-Za-z0-9_/-]*[A-Za-z0-9_-])?)")


def test_the_bundle_is_the_certificates_and_nothing_else(ca: CertificateAuthority) -> None:
    other = CertificateAuthority("Other")

    bundle = anchor_bundle((ca.certificate, other.certificate), "ca.pem", NOW)

    assert x509.load_pem_x509_certificates(bundle.encode()) == [ca.certificate, other.certificate]
    assert bundle == (ca.certificate_pem + other.certificate_pem).decode()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("end entity", "CA:TRUE"),
        ("expired", "it has expired"),
        ("three", "holds 3 certificates, and a trust anchor takes 2"),
    ],
)
def test_what_aws_refuses_is_refused(ca: CertificateAuthority, case: str, said: str) -> None:
    certificates, now = {
        "end entity": ((ca.issue("app1").certificate,), NOW),
        "expired": ((ca.certificate,), NOW + timedelta(days=20_000)),
        "three": ((ca.certificate,) * 3, NOW),
    }[case]

    with pytest.raises(CertificateError) as refused:
        anchor_bundle(certificates, "ca.pem", now)

    assert refused.value.code == "trust-anchor-unsuitable"
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Example CA", "example-ca"),
        ("EXAMPLE  Root, Inc. (2026)", "example-root-inc-2026"),
        ("1st CA", "ca-1st-ca"),
        ("Ärzte", "arzte"),
        ("日本", "ca"),
        ("AWS", "aws"),
        ("x" * 64, "x" * 60),
    ],
)
def test_the_alias_comes_from_the_name(name: str, alias: str) -> None:
    found = alias_for(CertificateAuthority(name).certificate)

    assert found == alias
    assert ALIAS.fullmatch(found)
