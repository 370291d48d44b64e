"""Properties of the signer, for every request and for every text that is no request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from fake_identity import FakeIdentity
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.create_session.signer import canonical_request, sign
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from hypothesis.strategies import DrawFn


T = TypeVar("T")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
LOWER = "abcdefghijklmnopqrstuvwxyz"
UNRESERVED = f"{LOWER}{LOWER.upper()}0123456789-._~"
# No deadline: the machine may be busy.
any_text = settings(deadline=None, max_examples=3 * settings.default.max_examples)
any_request = settings(deadline=None)  # these are slower to make


@dataclass(frozen=True)
class Request:
    """A request with each part in just one spelling, so that two of them differ or are the same."""

    method: str
    host: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    region: str
    now: datetime

    def url(self, query: tuple[tuple[str, str], ...] | None = None) -> str:
        pairs = self.query if query is None else query
        joined = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs
        )
        return f"https://{self.host}/{'/'.join(self.path)}{'?' if joined else ''}{joined}"

    def canonical(self) -> str:
        return canonical_request(self.method, self.url(), self.headers, self.body)

    def signed(self) -> bytes:
        who = FakeIdentity()
        where = {"identity": who, "region": self.region, "now": self.now}
        sign(self.method, self.url(), self.headers, self.body, **where)  # type: ignore[arg-type]  # a dict of mixed values
        return who.signed


def text(alphabet: str, *, min_size: int = 1, max_size: int = 8) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=min_size, max_size=max_size)


@st.composite
def requests(draw: DrawFn) -> Request:
    segment = text(UNRESERVED).filter(lambda each: each not in {".", ".."})
    pair = st.tuples(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8), text(UNRESERVED)
    )
    names = st.lists(text(LOWER).map("x-amz-{}".format), unique=True, max_size=3)
    values = text(f"{UNRESERVED}/:;=,\"'()")
    return Request(
        method=draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])),
        host=draw(text(LOWER)) + ".example.org",
        path=tuple(draw(st.lists(segment, max_size=3))),
        query=tuple(sorted(draw(st.lists(pair, max_size=3)))),
        headers=tuple(sorted((name, draw(values)) for name in draw(names))),
        body=draw(st.binary(max_size=20)),
        region=draw(text(LOWER)),
        now=draw(st.datetimes(timezones=st.just(timezone.utc))).replace(microsecond=0),
    )


# --- Any text --------------------------------------------------------------------------------


def refused_or(attempt: Callable[[], T]) -> T | ConfigurationError:
    try:
        return attempt()
    except ConfigurationError as error:
        return error


almost_urls = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTPS", "ftp", ""]),
    st.one_of(st.sampled_from(["a", "A.b:80", "[::1]:8", "u:p@h"]), st.text(max_size=8)),
    st.one_of(st.just(""), st.text("/.a%2 \u1234\n", max_size=12).map("/{}".format)),
    st.one_of(st.just(""), st.text("?&=%a+2f#\u1234\ud800", max_size=12).map("?{}".format)),
)
any_headers = st.one_of(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4),
    st.dictionaries(st.sampled_from(["Host", "x-amz-a", "X-Amz-A"]), st.text(max_size=8)),
)
any_body = st.one_of(st.none(), st.binary(max_size=8), st.text(max_size=8))
any_region = st.one_of(st.just("eu-west-1"), st.text(max_size=8))


@any_text
@given(
    st.one_of(st.sampled_from(["GET", "post"]), st.text(max_size=4)),
    st.one_of(almost_urls, st.text(max_size=20)),
    any_headers,
    any_body,
    st.one_of(st.none(), st.lists(st.sampled_from(["host", "HOST", "x-amz-a", "\n"]), max_size=2)),
)
@example("GET", "https://[/", {}, None, None)
@example("GET", "https://a\u2100/", {}, None, None)  # urllib: "contains invalid characters"
@example("GET", "https://a:99999/", {}, None, None)
def test_any_text_gives_a_canonical_request_or_our_error(
    method: str,
    url: str,
    headers: list[tuple[str, str]] | dict[str, str],
    body: bytes | str | None,
    names: list[str] | None,
) -> None:
    result = refused_or(lambda: canonical_request(method, url, headers, body, names))
    if isinstance(result, ConfigurationError):
        assert result.where
        return
    assert result.isascii()
    signed = result.split("\n")[-2].split(";")
    assert signed == sorted(set(signed))
    assert "host" in signed
    # Nothing that was given can break out of its line: method, path, query, headers, a blank, the
    # names, the digest.
    assert len(result.split("\n")) == 3 + len(signed) + 3


@any_text
@given(st.one_of(almost_urls, st.text(max_size=20)), any_headers, any_body, any_region)
def test_any_text_gives_headers_or_our_error(
    url: str,
    headers: list[tuple[str, str]] | dict[str, str],
    body: bytes | str | None,
    region: str,
) -> None:
    who = FakeIdentity()
    added = refused_or(
        lambda: sign("POST", url, headers, body, identity=who, region=region, now=NOW)
    )
    if isinstance(added, ConfigurationError):
        assert added.where
        return
    assert set(added) == {"X-Amz-Date", "X-Amz-X509", "Authorization"}
    assert all(value.isascii() and value.isprintable() for value in added.values())


# --- What does not matter --------------------------------------------------------------------


@any_request
@given(requests(), st.randoms(use_true_random=False), st.booleans())
def test_order_and_spelling_do_not_matter(request: Request, random: Random, upper: bool) -> None:
    headers, query = list(request.headers), list(request.query)
    random.shuffle(headers)
    random.shuffle(query)
    spelled = [(name.upper() if upper else name.title(), f" {value}\t ") for name, value in headers]
    url = request.url(tuple(query)).replace("https://", "HTTPS://", 1)
    url = url.replace(request.host, f"{request.host.upper()}:443", 1)
    given = canonical_request(request.method.lower(), f"{url}#fragment", spelled, request.body)
    assert given == request.canonical()


@any_request
@given(requests())
def test_canonicalising_again_changes_nothing(request: Request) -> None:
    once = request.canonical()
    _, path, query, *rest = once.split("\n")
    headers = [line.split(":", 1) for line in rest[: rest.index("")]]
    # Only the path is encoded anew each time; of unreserved characters there is nothing to encode.
    url = f"https://{request.host}{path}?{query}"
    pairs = [(name, value) for name, value in headers]
    assert canonical_request(request.method, url, pairs, request.body) == once


@any_request
@given(requests())
def test_naming_all_headers_is_naming_none(request: Request) -> None:
    names = [name.upper() for name, _ in reversed(request.headers)]
    url, body = request.url(), request.body
    assert canonical_request(request.method, url, request.headers, body, names) == (
        request.canonical()
    )


@any_request
@given(requests(), st.sampled_from(["User-Agent", "Accept-Encoding", "Connection", "amz-sdk-x"]))
def test_unsigned_headers_do_not_matter(request: Request, name: str) -> None:
    who = FakeIdentity()
    headers = [*request.headers, (name, "anything")]
    sign(
        request.method,
        request.url(),
        headers,
        request.body,
        identity=who,
        region=request.region,
        now=request.now,
    )
    assert who.signed == request.signed()


# --- What matters ----------------------------------------------------------------------------


@any_request
@given(requests(), requests(), st.sampled_from(list(Request.__dataclass_fields__)))
def test_each_signed_part_changes_the_string_to_sign(
    request: Request, other: Request, part: str
) -> None:
    changed = replace(request, **{part: getattr(other, part)})
    assert (changed.signed() == request.signed()) == (changed == request)


@any_request
@given(
    requests(),
    st.sampled_from(["serial_number", "algorithm", "certificate_header", "chain_header"]),
)
def test_the_certificate_is_signed(request: Request, part: str) -> None:
    plain, other = FakeIdentity(), FakeIdentity()
    setattr(other, part, "another")
    url, body = request.url(), request.body
    authorizations = {
        sign("POST", url, (), body, identity=who, region="r", now=NOW)["Authorization"]
        for who in (plain, other)
    }
    assert len(authorizations) == 2
    # The serial number stands in the Authorization header alone; the certificate itself is signed.
    assert (other.signed == plain.signed) == (part == "serial_number")


# --- The same as botocore --------------------------------------------------------------------

HEADER = "".join(map(chr, range(0x20, 0x7F))) + "\t"
paths = st.lists(
    st.one_of(st.sampled_from(["", ".", "..", "%20", "%2F"]), text(f"{UNRESERVED}%:@!$&'()*+,;= ")),
    max_size=6,
).map(lambda segments: f"/{'/'.join(segments)}")
encoded = st.text(max_size=6).filter(lambda each: each.isprintable()).map(lambda s: quote(s, ""))
queries = st.lists(st.tuples(encoded, encoded), max_size=5)
headers = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "X-Amz-Target", "x-amz-target", "X-Custom", "Accept"]),
        st.text(HEADER, max_size=12),
    ),
    max_size=5,
)


@any_text
@given(
    st.tuples(
        st.sampled_from(["GET", "POST", "delete"]),
        st.sampled_from(["https://Example.org", "https://a.example:443", "https://[::1]:8443"]),
        paths,
    ),
    queries,
    headers,
    st.binary(max_size=20),
)
def test_botocore_agrees(
    target: tuple[str, str, str],
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    method, origin, path = target
    # Where we differ: a dot segment at the end leaves its slash (RFC 3986, section 5.2.4), as
    # urllib3 also sends it. botocore drops it.
    assume(not path.endswith(("/.", "/..")))
    joined = "&".join(f"{name}={value}" for name, value in query)
    url = f"{origin}{path}?{joined}"
    assume(urlsplit(url).path == path)
    request = AWSRequest(method, url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    auth = SigV4Auth(Credentials("AKID", "secret"), "rolesanywhere", "eu-west-1")
    assert canonical_request(method, url, headers, body) == auth.canonical_request(request)
