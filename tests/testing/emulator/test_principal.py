"""What a certificate turns into in the emulator: source identity, tags, subject ARN."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from boto_rolesanywhere.testing import CertificateAuthority
from boto_rolesanywhere.testing.emulator.principal import (
    packed_size,
    principal_tags,
    serial_hex,
    source_identity,
    subject_arn,
)
from boto_rolesanywhere.testing.emulator.resources import DEFAULT_MAPPINGS

if TYPE_CHECKING:
    from typing import Any


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority(subject="CN=ca,O=Acme")


@pytest.mark.parametrize(
    ("common_name", "identity"),
    [
        ("app", "CN=app"),
        ("a" * 61, "CN=" + "a" * 61),
        ("a" * 62, "a" * 62),
        ("a" * 64, "a" * 64),
    ],
)
def test_source_identity_from_the_common_name(
    ca: CertificateAuthority, common_name: str, identity: str
) -> None:
    assert source_identity(ca.issue(common_name).certificate) == identity


@pytest.mark.parametrize(("serial", "text"), [(0xABC, "0abc"), (0xABCD, "abcd"), (7, "07")])
def test_source_identity_from_the_serial_number(
    ca: CertificateAuthority, serial: int, text: str
) -> None:
    certificate = ca.issue(subject="O=Acme", serial_number=serial).certificate
    assert source_identity(certificate) == f"ID={text}"
    assert serial_hex(certificate) == text


def tags_of(ca: CertificateAuthority, **arguments: Any) -> dict[str, str]:  # noqa: ANN401
    return principal_tags(ca.issue(**arguments).certificate, DEFAULT_MAPPINGS)


def test_tags_of_subject_issuer_and_alternative_names(ca: CertificateAuthority) -> None:
    names = ("DNS:one.example.com", "DNS:two", "URI:spiffe://x/1", "URI:spiffe://x/2")
    names += ("email:a@b.c", "IP:10.0.0.1", "dirName:CN=n1,O=o1", "dirName:CN=n2")
    assert tags_of(ca, subject="CN=app,O=Acme", san=names) == {
        "x509Subject/CN": "app",
        "x509Subject/O": "Acme",
        "x509Issuer/CN": "ca",
        "x509Issuer/O": "Acme",
        "x509SAN/DNS": "one.example.com",
        "x509SAN/URI": "spiffe://x/1",
        "x509SAN/Name/CN": "n1",
        "x509SAN/Name/O": "o1",
    }


def test_repeated_attributes_are_joined_in_the_certificates_order(
    ca: CertificateAuthority,
) -> None:
    unit = x509.NameOID.ORGANIZATIONAL_UNIT_NAME
    name = x509.Name([x509.NameAttribute(unit, text) for text in ("it", "batch", "night")])
    assert tags_of(ca, subject=name)["x509Subject/OU"] == "it/batch/night"


@pytest.mark.parametrize(
    ("value", "kept"),
    [("Zürich 7_.:/=\\+-@", True), ("a*b", False), ("a\\,b", False), ("a\\#b", False)],
)
def test_values_that_sts_refuses_are_dropped(
    ca: CertificateAuthority, value: str, kept: bool
) -> None:
    tags = tags_of(ca, subject=f"CN=app,L={value}")
    assert ("x509Subject/L" in tags) is kept
    assert tags["x509Subject/CN"] == "app"


def test_long_values_are_dropped(ca: CertificateAuthority) -> None:
    assert "x509SAN/URI" in tags_of(ca, san=("URI:u:" + "a" * 254,))
    assert "x509SAN/URI" not in tags_of(ca, san=("URI:u:" + "a" * 255,))


@pytest.mark.parametrize(
    ("mappings", "kept"),
    [
        ({}, set()),
        ({"x509Subject": ("CN",)}, {"x509Subject/CN"}),
        ({"x509SAN": ("Name/*",)}, {"x509SAN/Name/CN"}),
        ({"x509SAN": ("Name/O", "DNS")}, {"x509SAN/DNS"}),
        ({"x509Issuer": ("*",)}, {"x509Issuer/CN", "x509Issuer/O"}),
    ],
)
def test_the_profiles_mappings_decide(
    ca: CertificateAuthority, mappings: dict[str, tuple[str, ...]], kept: set[str]
) -> None:
    certificate = ca.issue(
        subject="CN=app,O=Acme", san=("DNS:a.example.com", "dirName:CN=n")
    ).certificate
    assert set(principal_tags(certificate, mappings)) == kept


def test_a_subject_has_one_arn(ca: CertificateAuthority) -> None:
    first, second, other = (ca.issue(name).certificate for name in ("app", "app", "other"))
    arn = subject_arn(first, "aws", "eu-west-1", "123456789012")
    assert re.fullmatch(r"arn:aws:rolesanywhere:eu-west-1:123456789012:subject/[0-9a-f-]{36}", arn)
    assert arn == subject_arn(second, "aws", "eu-west-1", "123456789012")
    assert arn != subject_arn(other, "aws", "eu-west-1", "123456789012")


def test_more_tags_take_more_room() -> None:
    few = packed_size({"x509Subject/CN": "app"})
    many = packed_size({f"x509Subject/{number}": str(number) * 20 for number in range(40)})
    assert 0 < few < many <= 100
