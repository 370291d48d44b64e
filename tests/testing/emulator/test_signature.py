"""What is signed wrongly is refused; each request here is right but for one thing."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, KeyType

if TYPE_CHECKING:
    from boto_rolesanywhere.testing.keys import PrivateKey

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


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


WRONG_BEFORE_SIGNING: dict[str, dict[str, Any]] = {
    "another Region": {"region": "us-east-1"},
    "another service": {"service": "sts"},
    "another end of the scope": {"terminator": "aws5_request"},
    "another day in the scope": {"scope_date": "20200101"},
    "no time at all": {"timestamp": "yesterday"},
    "no such day": {"timestamp": "20260230T000000Z"},
    "a time in another form": {"timestamp": "2026-01-01T00:00:00+00:00"},
    "another serial number": {"serial": "17"},
    "RSA algorithm, EC key": {"algorithm": "AWS4-X509-RSA-SHA256"},
    "plain SigV4's algorithm": {"algorithm": "AWS4-HMAC-SHA256"},
    "r and s not in DER": {"sign": raw_signature},
    "SHA-512 instead of SHA-256": {
        "sign": lambda key, message: key.sign(message, ec.ECDSA(hashes.SHA512()))
    },
    "base64 instead of hex": {"signature_text": lambda raw: b64encode(raw).decode()},
    "cut signature": {"signature_text": lambda raw: raw.hex()[:-2]},
    "Host not signed": {"omit_signed": ("host",)},
    "X-Amz-Date not signed": {"omit_signed": ("x-amz-date",)},
    "X-Amz-X509 not signed": {"omit_signed": ("x-amz-x509",)},
    "headers not sorted": {"signed_names": lambda names: sorted(names, reverse=True)},
    "headers in upper case": {"signed_names": lambda names: sorted(map(str.upper, names))},
    "a header twice": {"signed_names": lambda names: sorted([*names, names[0]])},
    "a header that is not there": {"signed_names": lambda names: sorted([*names, "x-not-sent"])},
}


@pytest.mark.parametrize("wrong", list(WRONG_BEFORE_SIGNING))
def test_one_wrong_thing_is_an_invalid_signature(
    client: Client, emulator: Emulator, issued: IssuedCertificate, wrong: str
) -> None:
    assert client.create(issued).status == 201
    assert client.create(issued, **WRONG_BEFORE_SIGNING[wrong]).refusal == INVALID
    assert emulator.created == 1
    assert emulator.requests[-1].reason


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


def add_header(name: str, value: str) -> Callable[[Request], None]:
    return lambda request: request.headers.append((name, value))


def change_body(request: Request) -> None:
    request.body = request.body.replace(b"RolesAnywhere", b"Administrator")


def change_query(request: Request) -> None:
    request.query = "a=2"


WRONG_AFTER_SIGNING: dict[str, Callable[[Request], None]] = {
    "Host changed by a proxy": change_header("Host", "proxy.example.com"),
    "time changed": change_header(
        "X-Amz-Date", (datetime.now(timezone.utc) + timedelta(minutes=1)).strftime("%Y%m%dT%H%M%SZ")
    ),
    "signed header changed": change_header("X-Other", "changed"),
    "signed header removed": drop_header("X-Other"),
    "signed header repeated": add_header("X-Other", "again"),
    "body changed": change_body,
    "query changed": change_query,
    "empty chain header added": add_header("X-Amz-X509-Chain", ""),
    "Authorization is of another form": change_header("Authorization", "Bearer token"),
}


@pytest.mark.parametrize("wrong", list(WRONG_AFTER_SIGNING))
def test_what_is_changed_after_signing_is_an_invalid_signature(
    client: Client, emulator: Emulator, issued: IssuedCertificate, wrong: str
) -> None:
    right = {"query": "a=1", "headers": [("X-Other", "value")]}
    assert client.create(issued, query="a=1", headers=[("X-Other", "value")]).status == 201
    request = client.request(issued, **right).signed()
    WRONG_AFTER_SIGNING[wrong](request)
    assert client.send(request).refusal == INVALID
    assert emulator.created == 1


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
