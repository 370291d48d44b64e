"""The signer, rule by rule. `test_signer_vectors.py` holds it against other people's results."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from http.client import HTTPMessage
from typing import TYPE_CHECKING

import pytest
from fake_identity import FakeIdentity

from boto_rolesanywhere.create_session.signer import canonical_request, sign, string_to_sign
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boto_rolesanywhere.create_session.signer import Headers

URL = "https://rolesanywhere.eu-west-1.amazonaws.com/sessions"
BODY = b'{"profileArn": "arn"}'
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
EMPTY = hashlib.sha256(b"").hexdigest()


# --- The rules, one by one -------------------------------------------------------------------


def repeated(name: str, *values: str) -> HTTPMessage:
    message = HTTPMessage()  # an HTTP client's headers: neither a mapping nor pairs
    for value in values:
        message.add_header(name, value)
    return message


def lines(
    url: str = "https://example.org/",
    headers: Headers = (),
    body: bytes | str | None = None,
    names: Iterable[str] | None = None,
) -> list[str]:
    return canonical_request("GET", url, headers, body, names).split("\n")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/sessions", "/sessions"),
        ("/sessions/", "/sessions/"),
        ("//a///b//", "/a/b/"),
        ("/a/./b", "/a/b"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/../..", "/"),
        ("/../a", "/a"),
        ("/.well-known/..a/b..", "/.well-known/..a/b.."),
        ("/a%20b", "/a%2520b"),
        ("/a%2fb", "/a%252fb"),
        ("/a b", "/a%20b"),
        ("/a:b@c+d=e;f,g", "/a%3Ab%40c%2Bd%3De%3Bf%2Cg"),
        ("/~a-b_c.d", "/~a-b_c.d"),
        ("/\u00e9", "/%C3%A9"),
    ],
)
def test_path(path: str, canonical: str) -> None:
    assert lines(f"https://example.org{path}")[1] == canonical


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("?", ""),
        ("?b=2&a=1", "a=1&b=2"),
        ("?a=2&a=1", "a=1&a=2"),
        ("?a-b=1&a=2", "a=2&a-b=1"),
        ("?a", "a="),
        ("?a=", "a="),
        ("?=a", "=a"),
        ("?a=b=c", "a=b%3Dc"),
        ("?a=1&&b=2&", "a=1&b=2"),
        ("?a+b=c+d", "a%2Bb=c%2Bd"),
        ("?a%20b=c d", "a%20b=c%20d"),
        ("?a=%e1%88%b4", "a=%E1%88%B4"),
        ("?%7Ea=%41/:%2f", "~a=A%2F%3A%2F"),
        ("?a=%zz%", "a=%25zz%25"),
        ("?a=%ff", "a=%FF"),
        ("?a=b?c/d", "a=b%3Fc%2Fd"),
        ("?a=1#b=2", "a=1"),
        (
            "?trustAnchorArn=arn:aws:rolesanywhere:eu-west-1:1:trust-anchor/x&profileArn=y",
            "profileArn=y&trustAnchorArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A1%3Atrust-anchor%2Fx",
        ),
    ],
)
def test_query(query: str, canonical: str) -> None:
    assert lines(f"https://example.org/{query}")[2] == canonical


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.ORG/", "example.org"),
        ("HTTPS://example.org", "example.org"),
        ("https://example.org:443/", "example.org"),
        ("https://example.org:/", "example.org"),
        ("https://example.org:80/", "example.org:80"),
        ("http://example.org:80/", "example.org"),
        ("http://example.org:443/", "example.org:443"),
        ("http://127.0.0.1:08080/", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("https://[2001:DB8::1]/", "[2001:db8::1]"),
        ("https://my_host.example.org?a=b", "my_host.example.org"),
    ],
)
def test_host_is_the_urls_unless_given(url: str, host: str) -> None:
    assert lines(url)[3] == f"host:{host}"
    assert lines(url, {"HOST": "other.example.org"})[3] == "host:other.example.org"


@pytest.mark.parametrize(
    ("headers", "canonical"),
    [
        ({"My-Header": "  a   b  "}, ["host:example.org", "my-header:a b"]),
        ({"My-Header": "a\t \tb\t"}, ["host:example.org", "my-header:a b"]),
        ({"My-Header": ""}, ["host:example.org", "my-header:"]),
        ([("B", "2"), ("A", "1")], ["a:1", "b:2", "host:example.org"]),
        ([("X", "b"), ("x", " a "), ("X", "")], ["host:example.org", "x:b,a,"]),
        (iter([("A", "1")]), ["a:1", "host:example.org"]),
        (repeated("X", "1", "2"), ["host:example.org", "x:1,2"]),
    ],
)
def test_headers(headers: Headers, canonical: list[str]) -> None:
    names = ";".join(line.partition(":")[0] for line in canonical)
    assert lines(headers=headers)[3:] == [*canonical, "", names, EMPTY]


def test_only_the_names_asked_for_are_signed_and_host_always() -> None:
    headers = {"A": "1", "B": "2", "User-Agent": "\x00 unsigned, so that its value does not matter"}
    assert lines(headers=headers, names=["b"])[3:] == [
        "b:2",
        "host:example.org",
        "",
        "b;host",
        EMPTY,
    ]
    assert lines(headers=headers, names=["HOST", "A", "a"])[-2] == "a;host"
    given = {"Host": "proxy.example.org"}
    assert lines(headers=given, names=[])[3] == "host:proxy.example.org"
    with pytest.raises(
        ConfigurationError, match="header 'c': it is to be signed but was not given"
    ):
        lines(headers=headers, names=["a", "c"])


@pytest.mark.parametrize(
    ("body", "data"), [(None, b""), ("", b""), (b"\xff", b"\xff"), ("\u00e9", b"\xc3\xa9")]
)
def test_payload(body: bytes | str | None, data: bytes) -> None:
    assert lines(body=body)[-1] == hashlib.sha256(data).hexdigest()


def test_method_is_upper_case() -> None:
    assert canonical_request("post", "https://example.org", {}, None).startswith("POST\n/\n")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/sessions",
        "example.org/sessions",
        "//example.org/",
        "ftp://example.org/",
        "https://",
        "https:///sessions",
        "https://user:hunter2@example.org/",
        "https://example.org:port/",
        "https://example.org:70000/",
        "https://example.org:0/",
        "https://example.org:1234567/",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://ex ample.org/",
        "https://b\u00fccher.example/",
        "https://example.org\\@evil.example/",
        "https://example.org/\n",
        "https://example.org/a\r\nHost: evil",
        "https://example.org/\x00",
        "https://example.org/\ud800",
    ],
)
def test_a_url_that_cannot_be_sent_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        lines(url)
    assert caught.value.where == "the request's URL"
    assert caught.value.expected
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "where"),
    [
        ({"": "a"}, "header ''"),
        ({"a b": "c"}, "header 'a b'"),
        ({"a:b": "c"}, "header 'a:b'"),
        ({"\u212a": "c"}, "header '\u212a'"),
        ({"A": "hunter2\n"}, "header 'a'"),
        ({"A": "hunter2\r\nb: c"}, "header 'a'"),
        ({"A": "hunter2\n folded"}, "header 'a'"),
        ({"A": "hunter2\x00"}, "header 'a'"),
        ({"A": "hunter2\x7f"}, "header 'a'"),
        ({"A": "hunter2\u00e9"}, "header 'a'"),
        ({"A": "hunter2\ud800"}, "header 'a'"),
        # No value or name at all: who writes without types may hand over anything.
        ({"A": b"hunter2"}, "header 'A'"),
        ({"A": 1}, "header 'A'"),
        ({"A": None}, "header 'A'"),
        ({"A": ["hunter2"]}, "header 'A'"),
        ({b"A": "hunter2"}, "header b'A'"),
        ([(["A"], "hunter2")], "header ['A']"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(
    headers: Headers, where: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        lines(headers=headers)
    assert caught.value.where == where
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("method", ["", "GET ", "GE T", "GET\n", "G\u00c9T"])
def test_a_method_that_cannot_be_sent_is_refused(method: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the request's method: .* for example POST"):
        canonical_request(method, "https://example.org/", {}, None)


@pytest.mark.parametrize(
    ("body", "wording"),
    [
        ("hunter2\ud800", "it holds a lone surrogate, which no encoding can send"),
        (io.BytesIO(b"hunter2"), "it is of the type BytesIO"),
        ({"a": "hunter2"}, "it is of the type dict"),
    ],
)
def test_a_body_that_cannot_be_sent_is_refused(body: str, wording: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the request's body: {wording}") as caught:
        lines(body=body)
    assert "hunter2" not in str(caught.value)


# --- sign ------------------------------------------------------------------------------------


def signed(
    who: FakeIdentity,
    headers: Headers = (),
    *,
    url: str = URL,
    region: str = "r",
    now: datetime = NOW,
) -> dict[str, str]:
    return sign("POST", url, headers, BODY, identity=who, region=region, now=now)


def names_signed(headers: Headers, chain_header: str | None = None) -> str:
    authorization = signed(FakeIdentity(chain_header=chain_header), headers)["Authorization"]
    found = re.search(r"SignedHeaders=([^,]*), ", authorization)
    assert found
    return found[1]


def test_authorization_has_every_part_in_its_place() -> None:
    who = FakeIdentity()
    added = sign(
        "POST", URL, {}, BODY, identity=who, region="us-gov-west-1", now=NOW, service="other"
    )
    assert added["Authorization"] == (
        "AWS4-X509-ECDSA-SHA256 Credential=42/20260102/us-gov-west-1/other/aws4_request, "
        f"SignedHeaders=host;x-amz-date;x-amz-x509, Signature={sha256(who.signed).hexdigest()}"
    )
    assert who.signed.split(b"\n")[:3] == [
        b"AWS4-X509-ECDSA-SHA256",
        b"20260102T030405Z",
        b"20260102/us-gov-west-1/other/aws4_request",
    ]


def test_what_a_proxy_may_change_is_not_signed() -> None:
    headers = {
        "Content-Type": "application/json",
        "Content-MD5": "x",
        "X-Amz-Content-Sha256": "y",
        "X-Amzn-Trace-Id": "z",
        "User-Agent": "caf\u00e9\n",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        "Content-Length": "3",
        "amz-sdk-request": "attempt=1",
        "Authorization": "another",
    }
    ours = "content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-x509"
    assert names_signed(headers) == ours


def test_an_empty_chain_is_left_out() -> None:
    assert names_signed({}) == "host;x-amz-date;x-amz-x509"
    assert names_signed({}, chain_header="a,b") == "host;x-amz-date;x-amz-x509;x-amz-x509-chain"


def test_headers_of_an_earlier_attempt_do_not_count() -> None:
    who = FakeIdentity()
    first = signed(who, now=NOW - timedelta(minutes=9))
    stale = {**first, "X-Amz-X509-Chain": "a chain since removed"}
    again = signed(who, stale)
    assert again == signed(who)
    assert again != first


def test_a_host_given_is_the_one_signed() -> None:
    given, taken = FakeIdentity(), FakeIdentity()
    signed(given, {"Host": "proxy.example.org"})
    signed(taken)
    assert given.signed != taken.signed
    signed(taken, url="https://proxy.example.org/sessions")
    assert given.signed == taken.signed


def test_the_identitys_headers_are_signed_as_they_are_sent() -> None:
    who = FakeIdentity(chain_header="a,b")
    added = signed(who)
    headers = {name: value for name, value in added.items() if name != "Authorization"}
    request = canonical_request("POST", URL, headers, BODY)
    scope = "20260102/r/rolesanywhere/aws4_request"
    text = string_to_sign(who.algorithm, added["X-Amz-Date"], scope, request)
    assert who.signed == text.encode()


def test_the_time_is_told_in_utc() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=-11, minutes=-30)))
    assert signed(FakeIdentity(), now=local)["X-Amz-Date"] == "20260102T030405Z"


def test_a_time_without_a_zone_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        signed(FakeIdentity(), now=NOW.replace(tzinfo=None))


def test_a_signed_header_that_cannot_be_sent_is_refused() -> None:
    for name, value in (("x-amz-a\nb", "c"), ("X-Amz-A", "c\n"), ("Content-Type", "\x00")):
        with pytest.raises(ConfigurationError, match="header"):
            signed(FakeIdentity(), {name: value})


@pytest.mark.parametrize("region", ["", "eu/west", "eu west", "eu-west-1\n", "\u00e9", "*"])
def test_a_region_that_cannot_stand_in_a_scope_is_refused(region: str) -> None:
    with pytest.raises(ConfigurationError, match="letters, digits and hyphens"):
        signed(FakeIdentity(), region=region)
