"""The emulator's own reading of SigV4, against AWS's and OpenSSL's vectors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cryptography import x509
from repository import VECTORS

from boto_rolesanywhere.testing.emulator import answers
from boto_rolesanywhere.testing.emulator.answers import Refused
from boto_rolesanywhere.testing.emulator.signature import (
    canonical_request,
    fits,
    read_authorization,
    string_to_sign,
)
from boto_rolesanywhere.testing.emulator.wire import Received

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
