"""IMDSv2, the container protocol and /healthz, as requests and answers without sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.keeper import Keeper
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.server.app import CredentialApp, Guard, health_routes
from boto_rolesanywhere.server.container import container_routes
from boto_rolesanywhere.server.exchange import Answer, Request
from boto_rolesanywhere.server.imds import (
    CREDENTIALS_PATH,
    TOKEN_PATH,
    MetadataService,
    MetadataTokens,
)
from boto_rolesanywhere.server.role import ServedRole

ISSUED = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=timezone.utc)
SESSION = RolesAnywhereSession(
    access_key_id="ASIAEXAMPLE",
    secret_access_key="secret",
    session_token="token",
    expiration=ISSUED + timedelta(hours=1),
    issued_at=ISSUED,
)
ROLE_ARN = "arn:aws:iam::123456789012:role/path/reader"
TOKEN = "t" * 43
TTL = b"x-aws-ec2-metadata-token-ttl-seconds"
IMDS_TOKEN = b"x-aws-ec2-metadata-token"


@dataclass
class Source:
    """A session source that a test sets: what is good now, and what comes while one waits."""

    now: RolesAnywhereSession | None = SESSION
    later: RolesAnywhereSession | None = None

    def current(self) -> RolesAnywhereSession | None:
        return self.now

    async def awaited(self) -> RolesAnywhereSession | None:
        self.now = self.later
        return self.now


@dataclass
class Time:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def answered(app: CredentialApp, request: Request) -> Answer:
    found = app.answer(request)
    if isinstance(found, Answer):
        return found

    async def awaited() -> Answer:
        return await found

    return asyncio.run(awaited())


@dataclass
class Server:
    source: Source = field(default_factory=Source)
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        role = ServedRole("reader", ROLE_ARN, "123456789012", self.source)
        other = ServedRole("writer", ROLE_ARN, "123456789012", Source())
        self.tokens = MetadataTokens(monotonic=self.time)
        self.app = CredentialApp(
            Guard(),
            MetadataService(role, self.tokens).routes(),
            container_routes({role: TOKEN, other: "w" * 43}),
        )

    def ask(self, method: str, path: str, headers: dict[bytes, bytes] | None = None) -> Answer:
        given = {b"host": b"127.0.0.1:9911"} | (headers or {})
        return answered(self.app, Request(method, path, given))

    def imds_token(self, seconds: int = 60) -> dict[bytes, bytes]:
        return {IMDS_TOKEN: self.ask("PUT", TOKEN_PATH, {TTL: b"%d" % seconds}).body}


def test_an_sdk_finds_the_role_and_its_credentials_by_imdsv2() -> None:
    server = Server()
    issued = server.ask("PUT", TOKEN_PATH, {TTL: b"21600"})
    token = {IMDS_TOKEN: issued.body}
    name = server.ask("GET", f"{CREDENTIALS_PATH}/", token)
    answer = server.ask("GET", f"{CREDENTIALS_PATH}/reader", token)

    assert (issued.status, dict(issued.headers)[TTL]) == (200, b"21600")
    assert (name.status, name.body) == (200, b"reader")
    assert answer.status == 200
    assert dict(answer.headers)[b"content-type"] == b"application/json"
    assert dict(answer.headers)[b"cache-control"] == b"no-store"
    assert json.loads(answer.body) == {
        "Code": "Success",
        "LastUpdated": "2026-03-04T05:06:07Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2026-03-04T06:06:07Z",
    }


def test_answers_have_no_blanks_for_scripts_that_cut_them_up() -> None:
    # AWS's helper (1.8.0) writes its answers so: sed -n 's/.*"AccessKeyId":"\([^"]*\)".*/\1/p'
    server = Server()
    imds = server.ask("GET", f"{CREDENTIALS_PATH}/reader", server.imds_token())
    container = server.ask("GET", "/credentials/reader", {b"authorization": TOKEN.encode()})

    for answer in (imds, container):
        assert b'"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret"' in answer.body


def test_the_container_protocol_gives_credentials_for_the_token() -> None:
    answer = Server().ask("GET", "/credentials/reader", {b"authorization": TOKEN.encode()})

    assert answer.status == 200
    assert json.loads(answer.body) == {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2026-03-04T06:06:07Z",
        "RoleArn": ROLE_ARN,
        "AccountId": "123456789012",
    }


@pytest.mark.parametrize(
    "given",
    [None, b"", b"t" * 42, b"t" * 44, b"T" * 43, b"w" * 43, b"Bearer " + b"t" * 43, b"\xff" * 43],
)
def test_a_wrong_container_token_gets_nothing(given: bytes | None) -> None:
    headers = {} if given is None else {b"authorization": given}
    answer = Server().ask("GET", "/credentials/reader", headers)

    assert answer.status == 401
    assert json.loads(answer.body)["code"] == "Unauthorized"
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "ttl", [None, b"", b"0", b"-1", b"21601", b"99999999999", b"1.5", b"0x10", b"1_0", b"\xd9\xa1"]
)
def test_a_ttl_outside_1_to_21600_is_refused(ttl: bytes | None) -> None:
    answer = Server().ask("PUT", TOKEN_PATH, {} if ttl is None else {TTL: ttl})

    assert answer.status == 400
    assert b"21600" in answer.body


@pytest.mark.parametrize("path", [f"{CREDENTIALS_PATH}/", f"{CREDENTIALS_PATH}/reader"])
@pytest.mark.parametrize("token", [None, b"", b"guess", b"A" * 75 + b"="])
def test_imds_gives_nothing_without_a_token(path: str, token: bytes | None) -> None:
    answer = Server().ask("GET", path, {} if token is None else {IMDS_TOKEN: token})

    assert answer.status == 401
    assert b"secret" not in answer.body


def test_an_imds_token_ends_with_its_ttl() -> None:
    server = Server()
    token = server.imds_token(60)
    path = f"{CREDENTIALS_PATH}/reader"

    server.time.seconds += 59.5
    assert dict(server.ask("GET", path, token).headers)[TTL] == b"1"
    server.time.seconds += 0.5
    assert server.ask("GET", path, token).status == 401


def test_a_token_of_another_server_is_worth_nothing() -> None:
    token = Server().imds_token()

    assert Server().ask("GET", f"{CREDENTIALS_PATH}/", token).status == 401


@pytest.mark.parametrize(
    "altered",
    [
        lambda token: token + b"junk",
        lambda token: token + b"=",
        lambda token: token + b"\n",
        lambda token: token + token,
        lambda token: token + b", " + token,
        lambda token: b"!!!!," + token,
        lambda token: b" " + token,
        lambda token: token.rstrip(b"="),
        lambda token: token[:10] + b"*" + token[10:],
        # The last character has bits that no byte of the content holds.
        lambda token: token[:-2] + bytes([token[-2] + 1]) + b"=",
    ],
)
def test_only_the_very_bytes_of_a_token_are_that_token(altered: Callable[[bytes], bytes]) -> None:
    server = Server()
    token = server.imds_token()[IMDS_TOKEN]
    path = f"{CREDENTIALS_PATH}/reader"

    assert server.ask("GET", path, {IMDS_TOKEN: token}).status == 200
    assert server.ask("GET", path, {IMDS_TOKEN: altered(token)}).status == 401


@given(st.binary(max_size=100))
def test_no_bytes_but_an_issued_token_pass(guess: bytes) -> None:
    assert MetadataTokens().remaining(guess) is None


@given(st.integers(0, 55), st.integers(1, 255))
def test_a_changed_token_does_not_pass(place: int, change: int) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    tokens = MetadataTokens()
    content = bytearray(urlsafe_b64decode(tokens.issue(60)))
    assert tokens.remaining(urlsafe_b64encode(content)) == 60
    content[place] ^= change
    assert tokens.remaining(urlsafe_b64encode(content)) is None


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", TOKEN_PATH, b"PUT"),
        ("POST", TOKEN_PATH, b"PUT"),
        ("PUT", f"{CREDENTIALS_PATH}/reader", b"GET"),
        ("HEAD", f"{CREDENTIALS_PATH}/", b"GET"),
        ("OPTIONS", "/credentials/reader", b"GET"),
    ],
)
def test_other_methods_are_refused_and_told_which(method: str, path: str, allowed: bytes) -> None:
    answer = Server().ask(method, path, Server().imds_token())

    assert answer.status == 405
    assert dict(answer.headers)[b"allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/latest/meta-data/",
        f"{CREDENTIALS_PATH}/writer",
        f"{CREDENTIALS_PATH}/../security-credentials/reader",
        "/credentials",
        "/credentials/",
        "/credentials/other",
        "/credentials/reader/",
    ],
)
def test_other_paths_are_not_there(path: str) -> None:
    server = Server()

    assert (
        server.ask("GET", path, server.imds_token() | {b"authorization": b"t" * 43}).status == 404
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", TOKEN_PATH),
        ("GET", f"{CREDENTIALS_PATH}/"),
        ("GET", f"{CREDENTIALS_PATH}/reader"),
        ("GET", "/credentials/reader"),
        ("GET", "/nowhere"),
    ],
)
@pytest.mark.parametrize(
    "bad", [{b"x-forwarded-for": b"10.0.0.1"}, {b"host": b"attacker.example:9911"}]
)
def test_the_guard_stands_before_every_route(
    method: str, path: str, bad: dict[bytes, bytes]
) -> None:
    server = Server()
    right = server.imds_token() | {TTL: b"60", b"authorization": TOKEN.encode()}

    assert server.ask(method, path, right | bad).status == 400


def test_without_credentials_there_is_503_and_never_an_empty_key() -> None:
    server = Server(Source(now=None))
    for path, headers in (
        (f"{CREDENTIALS_PATH}/reader", server.imds_token()),
        ("/credentials/reader", {b"authorization": TOKEN.encode()}),
    ):
        answer = server.ask("GET", path, headers)
        assert answer.status == 503
        assert dict(answer.headers)[b"retry-after"] == b"1"
        assert "AccessKeyId" not in json.loads(answer.body)


def test_a_request_gets_what_comes_while_it_waits() -> None:
    server = Server(Source(now=None, later=SESSION))

    answer = server.ask("GET", "/credentials/reader", {b"authorization": TOKEN.encode()})
    assert json.loads(answer.body)["AccessKeyId"] == "ASIAEXAMPLE"


def test_new_credentials_are_served_at_once() -> None:
    server = Server()
    headers = {b"authorization": TOKEN.encode()}
    server.ask("GET", "/credentials/reader", headers)
    server.source.now = replace(SESSION, access_key_id="ASIANEW")

    answer = server.ask("GET", "/credentials/reader", headers)
    assert json.loads(answer.body)["AccessKeyId"] == "ASIANEW"


def test_a_broken_route_answers_500_and_tells_the_log_no_more_than_the_kind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server()

    def broken() -> RolesAnywhereSession | None:
        raise ValueError("with a secret in it")

    server.source.current = broken  # type: ignore[method-assign]
    answer = server.ask("GET", "/credentials/reader", {b"authorization": TOKEN.encode()})

    assert answer.status == 500
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("held", "failing", "status", "word"),
    [
        (True, False, 200, "ok"),
        (True, True, 200, "degraded"),
        (False, True, 503, "unavailable"),
        (False, False, 503, "unavailable"),
    ],
)
def test_healthz_tells_how_it_is(held: bool, failing: bool, status: int, word: str) -> None:
    fresh = Keeper("fresh", SessionCredentials(lambda: SESSION))
    keeper = Keeper("reader", SessionCredentials(lambda: SESSION))
    fresh.start()
    fresh.stop()
    if held:
        keeper.start()
        keeper.stop()
    keeper.failing = failing
    app = CredentialApp(Guard(), health_routes([fresh, keeper]))
    request = Request("GET", "/healthz", {b"host": b"127.0.0.1:9911"})
    answer = answered(app, request)

    assert answer.status == status
    assert json.loads(answer.body) == {"status": word}
