"""The emulator's pure parts: its reading of SigV4, and what a certificate turns into."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from repository import DOCS, VECTORS

from boto_rolesanywhere.testing import CertificateAuthority
from boto_rolesanywhere.testing.emulator import answers
from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused
from boto_rolesanywhere.testing.emulator.principal import (
    packed_size,
    principal_tags,
    serial_hex,
    source_identity,
    subject_arn,
)
from boto_rolesanywhere.testing.emulator.resources import DEFAULT_MAPPINGS
from boto_rolesanywhere.testing.emulator.signature import (
    canonical_request,
    fits,
    read_authorization,
    string_to_sign,
)
from boto_rolesanywhere.testing.emulator.wire import Received

if TYPE_CHECKING:
    from typing import Any

SIGV4 = [
    pytest.param(case, id=f"{path.stem}/{case['name']}")
    for path in sorted((VECTORS / "sigv4").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]


def as_received(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Received:
    path, _, query = target.partition("?")
    return Received(
        method=method,
        path=path,
        query=query,
        headers=tuple((name.lower(), value) for name, value in headers),
        body=body,
    )


@pytest.mark.parametrize("case", SIGV4)
def test_awss_vectors(case: dict[str, Any]) -> None:
    # RFC 9112, section 5.2: a folded header line is one line with a space where it was folded.
    headers = [(name, re.sub(r"\n[ \t]+", " ", value)) for name, value in case["headers"]]
    received = as_received(case["method"], case["target"], headers, case["body"].encode())
    wanted = case["canonical_request"]
    signed = tuple(wanted.split("\n")[-2].split(";"))
    assert canonical_request(received, signed) == wanted


@pytest.mark.parametrize("name", ["rsa-2048", "rsa-2048-chain", "ec-p256"])
def test_openssls_signatures_verify(name: str) -> None:
    folder = VECTORS / "x509"
    wanted = (folder / f"{name}.canonical-request").read_text()
    lines = [line.partition(":") for line in wanted.split("\n")[3:] if ":" in line]
    headers = [(key, value) for key, _, value in lines]
    headers.append(("Authorization", (folder / f"{name}.authorization").read_text().strip()))
    received = as_received("POST", "/sessions", headers, (folder / "body.json").read_bytes())
    authorization = read_authorization(received)
    assert canonical_request(received, authorization.signed_headers) == wanted
    message = string_to_sign(received, authorization)
    assert message == (folder / f"{name}.string-to-sign").read_text().rstrip("\n")
    pem = (folder / f"{name.removesuffix('-chain')}.cert.pem").read_bytes()
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert fits(key, authorization.signature, message.encode())
    assert not fits(key, authorization.signature, message.encode() + b" ")


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


def test_which_words_are_guesses() -> None:
    refusals = {name: one for name, one in vars(answers).items() if isinstance(one, Refusal)}
    assert {name for name, one in refusals.items() if not one.guess} == {
        "INSUFFICIENT_CERTIFICATE",
        "UNTRUSTED_SIGNER",
        "INVALID_SIGNATURE",
        "DURATION_ABOVE_ROLE",
        "NO_SESSION_NAMES",
        "INVALID_PROFILE",
        "ROLE_NOT_IN_PROFILE",
        "NO_TRUST_ANCHOR",
        "REVOKED",
    }
    assert not answers.cannot_assume("arn").guess
    assert answers.invalid("words").guess


@pytest.mark.parametrize(
    "header",
    [
        "",
        "AWS4-X509-RSA-SHA256",
        "A Credential=1/20260101/r/s/aws4_request, SignedHeaders=host",
        "A Credential=1/20260101/r/aws4_request, SignedHeaders=host, Signature=00",
        "A Credential=1/20260101/r/s/aws4_request, SignedHeaders=host, Signature=xy",
    ],
)
def test_authorizations_of_another_form(header: str) -> None:
    headers = [("X-Amz-Date", "20260101T000000Z"), ("Authorization", header)]
    with pytest.raises(Refused) as caught:
        read_authorization(as_received("POST", "/sessions", headers, b""))
    assert caught.value.refusal is answers.INVALID_SIGNATURE


def test_the_documentation_names_every_guess() -> None:
    text = (DOCS / "testing.md").read_text(encoding="utf-8")
    guesses = text.partition("it makes a guess:")[2]
    refusals = [one for one in vars(answers).values() if isinstance(one, Refusal) and one.guess]
    missing = [one.message for one in refusals if f"`{one.message}`" not in guesses]
    assert missing == [answers.INTERNAL.message]  # no answer of the service at all
