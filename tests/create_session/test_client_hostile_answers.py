"""Whatever the other side sends, CreateSession gives a session or one error of ours."""

from __future__ import annotations

import gc
import json
import re
import socketserver
import threading
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from botocore.config import Config as ClientConfig
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.errors import InvalidResponseError, RolesAnywhereError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
SECRET = "wJalrXUtnFEMI"
GOOD: dict[str, Any] = {
    "credentialSet": [
        {
            "credentials": {
                "accessKeyId": "ASIAEXAMPLE",
                "secretAccessKey": SECRET,
                "sessionToken": SECRET,
                "expiration": "2036-01-01T00:00:00Z",
            },
            "assumedRoleUser": {"arn": "arn:aws:sts::123456789012:assumed-role/R/1"},
            "roleArn": "arn:aws:iam::123456789012:role/R",
            "packedPolicySize": 3,
        }
    ],
    "subjectArn": f"{ARN}:subject/1",
}


class Service(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes."""

    daemon_threads = True
    answer = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Service

    def handle(self) -> None:
        length = 0
        while line := self.rfile.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        self.wfile.write(self.server.answer)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), _Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def creator(ca: CertificateAuthority, service: Service) -> SessionCreator:
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    identity = open_identity(sources, now=datetime.now(timezone.utc))
    session = botocore.session.Session()
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": service.url,
    }
    config = config_of(look_up(session, arguments=arguments))
    assert config is not None
    once = ClientConfig(retries={"total_max_attempts": 1}, read_timeout=5)
    return SessionCreator(
        config, lambda: identity, client_config=once, session=private_session(session)
    )


def answer(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def changed(*path: str | int, to: object) -> bytes:
    """A good body with one value changed."""
    body = deepcopy(GOOD)
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return json.dumps(body).encode()


CREDENTIALS = ("credentialSet", 0, "credentials")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("accessKeyId", "", "without usable credentials (ValueError)"),
        ("sessionToken", 7, "without usable credentials (ValueError)"),
        ("expiration", "2036-01-01T00:00:00", "without usable credentials (ValueError)"),
        ("accessKeyId", "ASIA\nAWS_PROFILE=evil", "without usable credentials (ValueError)"),
        ("secretAccessKey", "se cret", "without usable credentials (ValueError)"),
        ("secretAccessKey", "nul\0", "without usable credentials (ValueError)"),
        ("sessionToken", "token\n", "without usable credentials (ValueError)"),
        ("sessionToken", "lone \ud800", "without usable credentials (ValueError)"),
        ("sessionToken", "quote\u2019; calc", "without usable credentials (ValueError)"),
        ("expiration", "2016-01-01T00:00:00Z", "credentials that ended at 2016-01-01T00:00:00Z"),
    ],
)
def test_credentials_that_nobody_could_use(
    service: Service, creator: SessionCreator, name: str, value: object, words: str
) -> None:
    service.answer = answer(201, changed(*CREDENTIALS, name, to=value))

    with pytest.raises(InvalidResponseError, match=re.escape(words)):
        creator.create()


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        ((*CREDENTIALS[:2], "roleArn"), "role_arn"),
        ((*CREDENTIALS[:2], "assumedRoleUser", "arn"), "assumed_role_arn"),
        (("subjectArn",), "subject_arn"),
    ],
)
@pytest.mark.parametrize("value", ["arn\nline", "nul\0", "\ud800", "\u202e", "\x1b[2K"])
def test_what_is_not_needed_is_left_out_if_it_could_steer_anything(
    service: Service,
    creator: SessionCreator,
    path: tuple[str | int, ...],
    attribute: str,
    value: str,
) -> None:
    service.answer = answer(201, changed(*path, to=value))

    assert getattr(creator.create(), attribute) is None


@pytest.mark.parametrize("status", [201, 403, 500])
def test_a_body_of_more_than_a_million_bytes_is_no_answer(
    service: Service, creator: SessionCreator, status: int
) -> None:
    body = json.dumps({**GOOD, "message": "x" * 1_000_000}).encode()
    service.answer = answer(status, body, "Content-Type: application/json")

    with pytest.raises(InvalidResponseError, match="more than 1,000,000 bytes"):
        creator.create()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"message": "%b"}' % (b"long " * 100_000), ["Content-Type: application/json"]),
        (b'{"__type": "%b"}' % (b"x" * 500_000), ["Content-Type: application/json"]),
        (b"{}", ["Content-Type: application/json", f"x-amzn-errortype: {'x' * 60_000}"]),
        (b"{}", [f"Content-Type: {'x' * 60_000}"]),
    ],
)
def test_a_refusal_is_told_in_few_words(
    service: Service, creator: SessionCreator, body: bytes, headers: list[str]
) -> None:
    service.answer = answer(403, body, *headers)

    with pytest.raises(RolesAnywhereError) as caught:
        creator.create()
    assert len(str(caught.value)) < 4000


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "not one"])
def test_a_date_that_cannot_be_does_not_prolong_a_session(
    service: Service, creator: SessionCreator, date: str
) -> None:
    end = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    body = changed(*CREDENTIALS, "expiration", to=end)
    service.answer = answer(201, body, f"Date: {date}")

    assert 3500 < creator.create().lifetime <= 3600


@pytest.mark.parametrize("date", ["", "Date: Thu, 31 Dec 9998 23:00:00 GMT"])
@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "9998-12-31T23:30:00Z"])
def test_no_session_is_believed_to_live_for_years(
    service: Service, creator: SessionCreator, date: str, end: str
) -> None:
    body = changed(*CREDENTIALS, "expiration", to=end)
    service.answer = answer(201, body, *([date] if date else []))

    session = creator.create()

    left = session.expiration - datetime.now(timezone.utc)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)
    assert session.lifetime <= 43200


STEPS = st.sampled_from(
    [
        *([name] for name in GOOD),
        *(["credentialSet", 0, name] for name in GOOD["credentialSet"][0]),
        *([*CREDENTIALS, name] for name in GOOD["credentialSet"][0]["credentials"]),
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "__type", "code", "credentialSet", "credentials", "x"]),
            inner,
        )
    ),
    max_leaves=8,
)
BODIES = (
    st.binary(max_size=40)
    | ANY_JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(lambda steps, value: changed(*steps, to=value), STEPS, ANY_JSON)
)
HEADERS = st.lists(
    st.sampled_from(
        [
            *("Content-Type: application/json", "Content-Type: text/html", "Content-Type: \xff"),
            *("Content-Encoding: gzip", "Content-Length: 7", "Transfer-Encoding: chunked"),
            *("x-amzn-errortype: AccessDeniedException:http://x", "x-amzn-errortype: :", "Date: x"),
            *("Date: Thu, 01 Jan 1970 00:00:00 GMT", "Date: Mon, 31 Dec 9999 23:59:59 -2359"),
            *("Location: http://127.0.0.1:1/", "Retry-After: x", "x-amzn-requestid: \xe4"),
        ]
    ),
    max_size=3,
    unique=True,
)


@pytest.fixture
def collected() -> Iterator[None]:
    """Connections that urllib3 left to the collector are found here, and not in another test."""
    yield
    gc.collect()


# urllib3 leaves a connection open whose answer has two lengths.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([200, 201, 204, 299, 301, 307, 400, 403, 404, 429, 500, 503, 599]),
    BODIES,
    HEADERS,
)
@example(201, b'{"a":"\xff"}', [])
@example(403, b"[1]", ["Content-Type: application/json"])
@example(201, b"[" * 100_000, [])
@example(201, b"-8000000000000001\r\n", ["Transfer-Encoding: chunked"])
@example(201, changed(*CREDENTIALS, "expiration", to="0001-01-01T00:00:00+23:59"), [])
def test_it_is_a_session_or_one_error_of_ours(
    service: Service, creator: SessionCreator, status: int, body: bytes, headers: list[str]
) -> None:
    service.answer = answer(status, body, *headers)

    try:
        given = creator.create()
    except RolesAnywhereError as error:
        told = f"{error!r} {error} {error.__cause__!r}"
    else:
        assert given.lifetime > 0
        told = repr(given)

    assert SECRET not in told
