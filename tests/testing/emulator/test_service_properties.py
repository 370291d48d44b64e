"""Whatever arrives, the emulator answers as the service would: it never fails itself."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Client, Request

# What http.client lets pass in a header's value.
values = st.text(st.characters(min_codepoint=32, max_codepoint=126))
REFUSALS = {400, 403}


@pytest.fixture(scope="module")
def fuzzed(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


@pytest.fixture(scope="module")
def below(ca: CertificateAuthority) -> IssuedCertificate:
    names = ("DNS:a.example.com", "URI:spiffe://a/b", "dirName:CN=n")
    return ca.issue_intermediate().issue(subject="CN=app,OU=x,O=y", san=names)


@pytest.fixture(scope="module")
def send(fuzzed: Emulator, client_of: Callable[[Emulator], Client]) -> Callable[[Request], int]:
    """Send it, and hold the answer to what each answer is: a recorded session, or words."""
    client = client_of(fuzzed)

    def answered(request: Request) -> int:
        before = fuzzed.created
        reply = client.send(request)
        assert fuzzed.created - before == (reply.status == 201)
        assert ("x-amzn-errortype" in reply.headers) == (reply.status != 201)
        if reply.status != 201:
            assert set(reply.json) == {"message"}
            assert reply.json["message"]
        return reply.status

    return answered


@pytest.fixture(scope="module")
def request_of(fuzzed: Emulator, client_of: Callable[[Emulator], Client]) -> Callable[..., Request]:
    return client_of(fuzzed).request


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["Authorization", "X-Amz-Date", "X-Amz-X509"]), value=values)
def test_any_header(
    send: Callable[[Request], int],
    request_of: Callable[..., Request],
    below: IssuedCertificate,
    name: str,
    value: str,
) -> None:
    request = request_of(below).signed()
    request.headers = [(key, value if key == name else old) for key, old in request.headers]
    assert send(request) == 403


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200))
@example(body=b"[" * 60_000)
def test_any_body(
    send: Callable[[Request], int],
    request_of: Callable[..., Request],
    below: IssuedCertificate,
    body: bytes,
) -> None:
    assert send(request_of(below, body=body).signed()) == 400


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PARAMETERS = ("trustAnchorArn", "profileArn", "roleArn", "durationSeconds", "roleSessionName")


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(PARAMETERS), value=json)
def test_any_parameter(
    send: Callable[[Request], int],
    request_of: Callable[..., Request],
    below: IssuedCertificate,
    name: str,
    value: object,
) -> None:
    assert send(request_of(below, **{name: value}).signed()) in {201, *REFUSALS}


@settings(max_examples=60, deadline=None)
@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_any_query(
    send: Callable[[Request], int],
    request_of: Callable[..., Request],
    below: IssuedCertificate,
    query: str,
) -> None:
    assert send(request_of(below, query=query.replace("#", "")).signed()) in {201, *REFUSALS}


@settings(max_examples=250, deadline=None)
@given(data=st.data(), in_chain=st.booleans())
def test_any_certificate(
    send: Callable[[Request], int],
    request_of: Callable[..., Request],
    below: IssuedCertificate,
    data: st.DataObject,
    in_chain: bool,
) -> None:
    certificate = below.chain[0] if in_chain else below.certificate
    der = bytearray(certificate.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    header = b64encode(der).decode()
    request = request_of(
        below,
        certificate_header=None if in_chain else header,
        chain=[] if in_chain else None,
        headers=[("X-Amz-X509-Chain", header)] if in_chain else [],
    )
    # Around what is signed there are lengths and unused bits, which may be written oddly.
    untouched = certificate.tbs_certificate_bytes in bytes(der)
    status = send(request.signed())
    assert status in ({201, 403} if untouched else {403})
    assert status == 201 or bytes(der) != certificate.public_bytes(Encoding.DER)
