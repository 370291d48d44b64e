"""SigV4-X509: from a request, an identity and a time to the headers that sign it.

Everything here is pure: no clock, no I/O, no HTTP client, no cryptography. The one signature is
asked of the identity. What is sent, and how an answer is read, belongs elsewhere.

The rules are those of AWS Signature Version 4 ("Create a signed AWS API request" in the IAM User
Guide) with the three changes of IAM Roles Anywhere ("The IAM Roles Anywhere authentication signing
process" in its User Guide): the algorithm's name, the certificate's serial number in place of an
access key, and the certificate in signed headers. There is no derived key: the string to sign is
signed as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timezone
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from boto_rolesanywhere.errors import ConfigurationError
    from boto_rolesanywhere.signing_key import Algorithm


class HeaderMap(Protocol):
    """Headers by name: a dict, or what an HTTP client has for one."""

    def items(self) -> Iterable[tuple[str, str]]:
        """The name and value of each header."""
        ...


Headers = HeaderMap | Iterable[tuple[str, str]]

# RFC 3986, appendix B, narrowed to what an HTTP client can be asked for.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
# RFC 9110, section 5.6.2.
_TOKEN: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HIGHEST_PORT: Final = 65535

# `sign` sets these itself, so those of an earlier attempt at the same request do not count.
_OURS: Final = frozenset({"x-amz-date", "x-amz-x509", "x-amz-x509-chain"})
_SIGNED: Final = frozenset({"host", "content-type", "content-md5"})


class SigningIdentity(Protocol):
    """What the signer needs of an identity."""

    @property
    def algorithm(self) -> Algorithm:
        """The signing algorithm, which follows from the certificate's public key."""
        ...

    @property
    def serial_number(self) -> str:
        """The certificate's serial number, in decimal."""
        ...

    @property
    def certificate_header(self) -> str:
        """Base64 of the end-entity certificate's DER."""
        ...

    @property
    def chain_header(self) -> str | None:
        """Base64 of each intermediate's DER, joined with commas; None when there is none."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign `data` with the certificate's private key."""
        ...


def sign(
    method: str,
    url: str,
    headers: Headers,
    body: bytes | str | None,
    *,
    identity: SigningIdentity,
    region: str,
    now: datetime,
    service: str = "rolesanywhere",
) -> dict[str, str]:
    """Sign a request.

    The signature covers ``Host``, ``Content-Type`` and ``Content-MD5`` if the request has them,
    every ``X-Amz-*`` header, and the headers that are added here. It leaves out all other headers
    (``User-Agent``, ``Accept-Encoding``, ``Connection``, ``amz-sdk-request``), since proxies, HTTP
    clients and retries change them.

    Args:
        method: the HTTP method.
        url: the absolute URL, its path and query as they are sent.
        headers: the request's headers; a name may be repeated. Without a ``Host``, the URL's host
            is signed, as an HTTP client sends it.
        body: the payload; a string is sent as UTF-8.
        identity: signs, and gives the certificate.
        region: the trust anchor's Region, for the credential's scope.
        now: the time of signing, with a time zone. AWS refuses one that is 5 minutes off.
        service: the service's signing name, for the credential's scope.

    Returns:
        The headers to set on the request, in place of any of the same name: ``X-Amz-Date``,
        ``X-Amz-X509``, ``X-Amz-X509-Chain`` if there are intermediates, and ``Authorization``.

    Raises:
        ConfigurationError: the method, URL, a header to be signed, the body, the Region or the
            service cannot be sent or signed.
        ValueError: `now` has no time zone.
    """
    timestamp = _timestamp(now)
    scope = f"{timestamp[:8]}/{_place(region, service)}/aws4_request"

    lines, host = _target(method, url)
    fields = _fields(headers, _signed_name)
    fields.setdefault("host", host)
    certificate, chain = identity.certificate_header, identity.chain_header
    added = {"X-Amz-Date": timestamp, "X-Amz-X509": certificate}
    fields["x-amz-date"], fields["x-amz-x509"] = timestamp, certificate
    if chain is not None:
        added["X-Amz-X509-Chain"] = fields["x-amz-x509-chain"] = chain

    request, names = _assemble(lines, fields, body)
    text = string_to_sign(identity.algorithm, timestamp, scope, request)
    added["Authorization"] = (
        f"{identity.algorithm} Credential={identity.serial_number}/{scope}, "
        f"SignedHeaders={names}, Signature={identity.sign(text.encode()).hex()}"
    )
    return added


def canonical_request(
    method: str,
    url: str,
    headers: Headers,
    body: bytes | str | None,
    signed_headers: Iterable[str] | None = None,
) -> str:
    """Write a request in the one form that both sides sign.

    Args:
        method: the HTTP method; upper-cased, as HTTP clients send it.
        url: the absolute URL, its path and query as they are sent. The path is normalised and
            encoded once more; the query is decoded, encoded and sorted. A fragment is never sent,
            and does not count.
        headers: the request's headers; a name may be repeated, its values are then joined with
            commas in the order given.
        body: the payload; a string counts as UTF-8, None as empty.
        signed_headers: the names to sign, in any case and order; None: all headers. SigV4 demands
            ``host``, so it is always signed: if it is missing, the URL's host is taken.

    Returns:
        The canonical request, ASCII throughout.

    Raises:
        ConfigurationError: the method, the URL, a signed header or the body cannot be sent, or a
            header in `signed_headers` is missing.
    """
    lines, host = _target(method, url)
    wanted = None if signed_headers is None else {"host", *map(str.lower, signed_headers)}

    def name_of(name: str) -> str | None:
        return _field_name(name) if wanted is None or name.lower() in wanted else None

    fields = _fields(headers, name_of)
    fields.setdefault("host", host)
    for name in sorted((wanted or set()) - fields.keys()):
        raise _unsignable("it is to be signed but was not given", f"header {name!r}")
    return _assemble(lines, fields, body)[0]


def string_to_sign(algorithm: str, timestamp: str, scope: str, canonical_request: str) -> str:
    """Write what the private key signs.

    Args:
        algorithm: for example ``AWS4-X509-ECDSA-SHA256``.
        timestamp: the request's ``X-Amz-Date``: UTC as ``yyyymmddThhmmssZ``.
        scope: ``yyyymmdd/{region}/{service}/aws4_request``.
        canonical_request: from `canonical_request`.
    """
    digest = sha256(canonical_request.encode()).hexdigest()
    return f"{algorithm}\n{timestamp}\n{scope}\n{digest}"


def host_header(url: str) -> str:
    """The ``Host`` that `sign` signs for a URL by default, without a default port.

    Raises:
        ConfigurationError: no request can be sent to this URL.
    """
    return _target("GET", url)[1]


def _timestamp(now: datetime) -> str:
    if now.tzinfo is not timezone.utc:
        if now.utcoffset() is None:
            msg = "now has no time zone: pass an aware datetime, such as datetime.now(timezone.utc)"
            raise ValueError(msg)
        now = now.astimezone(timezone.utc)
    # Not strftime, which does not pad the year on every platform.
    fields = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    return "%04d%02d%02dT%02d%02d%02dZ" % fields  # noqa: UP031  # an f-string takes twice as long


def _assemble(lines: str, fields: Mapping[str, str], body: bytes | str | None) -> tuple[str, str]:
    """The canonical request over all of `fields`, and the value of ``SignedHeaders``."""
    names = sorted(fields)
    signed = ";".join(names)
    parts = [lines]  # joined once: a chain makes the text long
    for name in names:
        parts += (name, ":", fields[name], "\n")
    payload = body if isinstance(body, bytes) else _payload(body)
    parts += ("\n", signed, "\n", sha256(payload).hexdigest())
    return "".join(parts), signed


def _payload(body: bytearray | memoryview | str | None) -> bytes:
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    try:
        return (body or "").encode()
    except UnicodeEncodeError:
        problem = "it holds a lone surrogate, which no encoding can send"
    except AttributeError:  # a stream, most likely
        problem = f"it is of the type {type(body).__name__}"
    raise _unsignable(problem, "the request's body", "text, or bytes")


# A client signs the same few requests again and again, so their parts are cached.
@lru_cache(maxsize=8)
def _target(method: str, url: str) -> tuple[str, str]:
    """The canonical request's lines of method, path and query; and the value of ``Host``."""
    if not (isinstance(method, str) and method and _TOKEN.issuperset(method)):
        raise _unsignable(
            "it is not a method that HTTP can send", "the request's method", "for example POST"
        )
    match = _URL.fullmatch(url) if isinstance(url, str) and url.isprintable() else None
    if match is None:
        # The URL itself stays out of the message: it may hold a password.
        raise _unsignable(
            "it is not a URL that a request can be sent to",
            "the request's URL",
            "http:// or https://, a host name, no user name, and printable characters alone",
        )
    scheme, host, port, path, query = match.groups()
    scheme, host = scheme.lower(), host.lower()
    if port and int(port) != _DEFAULT_PORTS[scheme]:  # HTTP clients leave the default out of Host
        if not 0 < int(port) <= _HIGHEST_PORT:
            raise _unsignable(f"no port {port}", "the request's URL", f"1 to {_HIGHEST_PORT}")
        host = f"{host}:{int(port)}"
    path, query = _canonical_path(path or "/"), _canonical_query(query or "")
    return f"{method.upper()}\n{path}\n{query}\n", host


def _canonical_path(path: str) -> str:
    # "Normalize URI paths according to RFC 3986"; repeated slashes are removed too. The path that
    # is sent is encoded already, so that this makes the second encoding.
    if "/." in path or "//" in path:
        path = _without_dot_segments(path)
    return quote(path, safe="/")


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    # RFC 3986, section 5.2.4: a dot segment at the end leaves its slash ("/a/b/.." is "/a/").
    closing = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(kept)}{closing}"


def _canonical_query(query: str) -> str:
    # Sorted as pairs: in one string "a-b=" would come before "a=", since "-" is less than "=".
    pairs = sorted(
        (_reencoded(name), _reencoded(value))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    return "&".join([f"{name}={value}" for name, value in pairs])


def _reencoded(text: str) -> str:
    # RFC 3986: a plus is a plus; only HTML forms mean a space by it.
    return quote(unquote_to_bytes(text), safe="")


def _fields(headers: Headers, name_of: Callable[[str], str | None]) -> dict[str, str]:
    """Name → value to sign, of each header for which `name_of` gives a name."""
    fields: dict[str, str] = {}
    header = ""
    try:
        for header, value in headers.items() if hasattr(headers, "items") else headers:
            name = name_of(header)
            if name is not None:
                plain = value.isascii() and value.isprintable()
                clean = " ".join((value if plain else _without_tabs(name, value)).split())
                fields[name] = f"{fields[name]},{clean}" if name in fields else clean
    except (AttributeError, TypeError):
        problem = "its name or its value is not a string"
        raise _unsignable(problem, f"header {header!r}", "text for both") from None
    return fields


@lru_cache(maxsize=64)
def _signed_name(header: str) -> str | None:
    name = header.lower()
    if name in _SIGNED or (name.startswith("x-amz-") and name not in _OURS):
        return _field_name(header)
    return None


def _field_name(header: str) -> str:
    if not (header and _TOKEN.issuperset(header)):
        raise _unsignable("it is not a name that HTTP can send", f"header {header!r}")
    return header.lower()


def _without_tabs(name: str, value: str) -> str:
    value = value.replace("\t", " ")  # RFC 9110, section 5.6.3: both are white space in a header
    if not (value.isascii() and value.isprintable()):
        # HTTP clients encode other characters in different ways, so a signature over them might
        # not hold. A line break would smuggle in a header. The message does not show the value: it
        # may be a secret.
        problem = "its value holds a control character, a line break or one outside ASCII"
        raise _unsignable(problem, f"header {name!r}", "printable ASCII")
    return value


@lru_cache(maxsize=8)
def _place(region: str, service: str) -> str:
    place = f"{region}/{service}"
    if not (_is_name(region) and _is_name(service)):
        problem = "it is not a Region or service name that can be signed for"
        raise _unsignable(problem, repr(place), "letters, digits and hyphens in each")
    return place


def _is_name(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.replace("-", "0").isalnum()


def _unsignable(problem: str, where: str, expected: str | None = None) -> ConfigurationError:
    from boto_rolesanywhere.errors import ConfigurationError

    return ConfigurationError(problem, code="request-unsignable", where=where, expected=expected)
