"""The emulator refuses wrong signatures; each request here has one mistake."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, KeyType

if TYPE_CHECKING:
    from boto_rolesanywhere.authority.keys import PrivateKey

    from .conftest import Client, Request

INVALID = (403, "AccessDeniedException", "Invalid signature")


def test_a_right_request_is_answered_as_the_service_does(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    answer = client.create(issued)
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert "x-amzn-errortype" not in answer.headers
    assert set(answer.json) == {"credentialSet", "subjectArn"}
    assert set(answer.session) == {
        "assumedRoleUser",
        "credentials",
        "packedPolicySize",
        "roleArn",
        "sourceIdentity",
    }
    assert set(answer.session["credentials"]) == {
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
        "expiration",
    }
    assert len(answer.session["credentials"]["accessKeyId"]) == 20
    assert answer.session["credentials"]["accessKeyId"].startswith("ASIA")
    assert answer.lifetime == 3600
    assert emulator.created == 1


@pytest.mark.parametrize(
    "key_type",
    [
        "P-256",
        "P-384",
        "P-521",
        "RSA-2048",
        "RSA-3072",
        "RSA-4096",
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
    ],
)
def test_each_key_type_is_accepted_and_its_tampered_request_refused(
    client: Client, ca: CertificateAuthority, key_type: KeyType
) -> None:
    try:
        issued = ca.issue(key_type=key_type)
    except ConfigurationError:
        assert key_type.startswith("ML-DSA")
        pytest.skip("the installed cryptography has no ML-DSA")
    assert client.create(issued).status == 201
    request = client.request(issued).signed()
    request.body += b" "
    assert client.send(request).refusal == INVALID


def test_the_serial_number_is_decimal(client: Client, issued: IssuedCertificate) -> None:
    assert client.create(issued, serial=format(issued.serial_number, "x")).refusal == INVALID


def change_header(name: str, value: str) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        request.headers = [(key, value if key == name else old) for key, old in request.headers]

    return change


def drop_header(name: str) -> Callable[[Request], None]:
    def drop(request: Request) -> None:
        request.headers = [pair for pair in request.headers if pair[0] != name]

    return drop


def test_an_unsigned_header_may_change_on_the_way(
    client: Client, issued: IssuedCertificate
) -> None:
    request = client.request(issued).signed()
    request.headers.append(("Via", "1.1 proxy"))
    assert client.send(request).status == 201


def test_an_empty_chain_header_is_refused_even_if_signed(
    client: Client, issued: IssuedCertificate
) -> None:
    answer = client.create(issued, headers=[("X-Amz-X509-Chain", "")])
    assert answer.refusal == INVALID


def test_the_chain_header_must_be_signed(client: Client, ca: CertificateAuthority) -> None:
    issued = ca.issue_intermediate().issue()
    assert client.create(issued).status == 201
    assert client.create(issued, omit_signed=("x-amz-x509-chain",)).refusal == INVALID


def test_another_certificates_signature_is_refused(
    client: Client, ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    assert client.create(ca.issue(flaws=("wrong-key",))).refusal == INVALID
    other = ca.issue(serial_number=issued.serial_number)
    request = client.request(issued).signed()
    change_header("X-Amz-X509", client.request(other).signed().headers[2][1])(request)
    assert client.send(request).refusal == INVALID


def test_rsa_is_pkcs1_v15_with_sha256(client: Client, ca: CertificateAuthority) -> None:
    issued = ca.issue(key_type="RSA-2048")

    def pss(key: PrivateKey, message: bytes) -> bytes:
        return bytes(
            key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        )

    def sha512(key: PrivateKey, message: bytes) -> bytes:
        return bytes(key.sign(message, padding.PKCS1v15(), hashes.SHA512()))

    assert client.create(issued, sign=pss).refusal == INVALID
    assert client.create(issued, sign=sha512).refusal == INVALID
    assert client.create(issued, algorithm="AWS4-X509-ECDSA-SHA256").refusal == INVALID


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-301, False), (-299, True), (299, True), (302, False)]
)
def test_the_clock_may_be_off_by_five_minutes(
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    client_of: Callable[[Emulator], Client],
    seconds: int,
    accepted: bool,
) -> None:
    noon = datetime.now(timezone.utc).replace(microsecond=0)
    with Emulator(ca, clock=lambda: noon) as emulator:
        answer = client_of(emulator).create(issued, when=noon + timedelta(seconds=seconds))
        assert answer.status == 201 if accepted else answer.refusal == INVALID


def test_the_emulators_clock_can_be_put_off(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    now = datetime.now(timezone.utc)
    emulator.clock_offset = timedelta(minutes=-10)
    refused = client.create(issued, when=now)
    assert refused.refusal == INVALID
    shown = parsedate_to_datetime(refused.headers["date"])
    assert timedelta(minutes=9) < now - shown < timedelta(minutes=11)
    emulator.clock_offset = timedelta()
    assert client.create(issued, when=now).status == 201


def test_a_request_without_signature_is_refused(client: Client, issued: IssuedCertificate) -> None:
    for name in ("Authorization", "X-Amz-Date"):
        request = client.request(issued).signed()
        drop_header(name)(request)
        status, code, _ = client.send(request).refusal
        assert (status, code) == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("b=2&a=1&a=0", []),
        ("name=a%20b%2Fc%C3%A9&empty=&alone", []),
        ("raw=arn:aws:x/y+z~", []),
        ("", [("X-Spaces", "  a   b  "), ("X-Twice", "one"), ("X-Twice", "two")]),
    ],
)
def test_sigv4s_spelling_of_query_and_headers(
    client: Client, issued: IssuedCertificate, query: str, headers: list[tuple[str, str]]
) -> None:
    assert client.create(issued, query=query, headers=headers).status == 201


def test_over_tls_the_signature_is_the_same(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca, tls=True) as emulator:
        assert emulator.endpoint_url.startswith("https://127.0.0.1:")
        assert client_of(emulator).create(issued).status == 201
        untrusting = ssl.create_default_context()
        connection = client_of(emulator).connect()
        connection._context = untrusting
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/")
        connection.close()
