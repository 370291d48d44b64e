"""What goes over the wire and comes back, whatever carries it: the seam below the call.

A `Transport` knows where the call goes and how one request is sent. What is sent, whether another
attempt follows and what an answer means is decided above it, by the same code for each transport.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from boto_rolesanywhere.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .way import Way

REDIRECT: Final = 300
"""The first HTTP status that is no success."""

LONGEST_BODY: Final = 1_000_000
"""Bytes of an answer; the service's have about 3,000."""

FaultKind = Literal[
    "name",  # the host's name has no address
    "connection",  # refused, unreachable, reset, or closed without an answer
    "connect-timeout",
    "read-timeout",
    "too-late",  # the time that was left for the attempt is over
    "truncated",  # the body ended before its announced end
    "too-long",  # the body is longer than any of the service's
    "certificate",  # no CA that is known signed the endpoint's TLS certificate
    "certificate-name",  # the certificate is another host's
    "certificate-time",  # the certificate has ended, or has not begun
    "tls-alert",  # the other side ended the handshake, and said why
    "no-tls",  # the other side answers without TLS
    "only-tls",  # the other side answers with TLS, and was asked without
    "tls",  # any other failure of TLS
    "proxy",  # the proxy was not reached, or did not reach the endpoint
    "proxy-login",  # the proxy asks for a user name and a password
    "proxy-refusal",  # the proxy lets nobody through to the endpoint
    "other",
]


class Request(NamedTuple):
    """One HTTP request, whole."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<request {self.method} {self.url}>"  # its headers hold a signature


class Answer:
    """One HTTP answer.

    Attributes:
        status: the HTTP status.
        headers: by their names in lower case.
        body: as it was received, which may be less than was announced.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<answer {self.status}>"  # its body may hold credentials

    @property
    def is_success(self) -> bool:
        """Whether it is the whole JSON object of a success."""
        return self.status < REDIRECT and not self.is_truncated and self.fields is not None

    @property
    def is_truncated(self) -> bool:
        """Whether the body ended before the end that its Content-Length announces."""
        announced = self.headers.get("content-length", "")
        chunked = "transfer-encoding" in self.headers  # RFC 9112, section 6.3: the length is void
        return announced.isdecimal() and not chunked and len(self.body) < int(announced[:18])

    @cached_property
    def fields(self) -> dict[str, Any] | None:
        """The body as a JSON object; None if it is none."""
        try:
            read = json.loads(self.body.decode())
        except (ValueError, RecursionError):  # not UTF-8, not JSON, or too deep
            return None
        return read if isinstance(read, dict) else None


class TransportFault(Exception):  # noqa: N818  # a fault of the way, which may pass
    """A request that got no whole answer.

    Attributes:
        kind: what went wrong.
        words: the same for a person, without a secret.
    """

    def __init__(self, kind: FaultKind, words: str) -> None:
        super().__init__(kind, words)
        self.kind = kind
        self.words = words


def proxy_login() -> TransportFault:
    """The fault of a proxy that answers HTTP 407, to a tunnel's CONNECT or to the call itself."""
    return TransportFault("proxy-login", "the proxy asks for a user name and a password (HTTP 407)")


class Limits(NamedTuple):
    """How often and how long one call may try.

    Attributes:
        attempts: requests at most, 1 or more.
        deadline: seconds after which the call sends, waits and reads no more. The time that the
            key takes to sign does not count: a person may have to touch its device.
    """

    attempts: int = 5
    deadline: float = 60.0


class Proxy:
    """An HTTP proxy, with what it is told: its repr shows neither.

    Attributes:
        url: of the proxy, which may hold a password.
        headers: for the proxy alone, such as its authorization.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self.headers = headers


class Transport(Protocol):
    """Where the call goes, and how one request is sent.

    Attributes:
        limits: how many attempts the user's settings allow, and for how long.
        is_trusted: whether nobody on the way can change an answer: verified TLS, or this machine.
    """

    limits: Limits
    is_trusted: bool

    def way(self) -> Way:
        """How requests get to the service, for errors."""
        ...

    def proxy(self) -> Proxy | None:
        """The proxy on the way; None for none."""
        ...

    def draft(self, parameters: Mapping[str, object]) -> Request:
        """The request for these parameters of CreateSession, unsigned.

        Raises:
            ConfigurationError: the endpoint, or a setting on the way there, cannot be used.
        """
        ...

    def send(self, request: Request, seconds: float) -> Answer:
        """Send one request, once, and read the whole answer within `seconds`.

        Raises:
            TransportFault: there is no whole answer.
        """
        ...
