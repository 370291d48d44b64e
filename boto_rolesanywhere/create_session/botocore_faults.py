"""From what botocore and urllib3 raise on the way to the kinds of fault that a call knows."""

from __future__ import annotations

import re
import socket
import ssl
from http.client import BadStatusLine
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectionError,  # noqa: A004  # botocore's parent of what did not connect
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from .transport import TransportFault, proxy_login

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .transport import FaultKind

_Error = TypeVar("_Error", bound=BaseException)

ON_THE_WAY: Final = (HTTPClientError, ConnectionError, IncompleteReadError)
"""What botocore raises for a request that got no answer."""

_BY_CLASS: Final[tuple[tuple[type[Exception], FaultKind], ...]] = (
    (SSLError, "tls"),
    (ProxyConnectionError, "proxy"),
    (ReadTimeoutError, "read-timeout"),
    (ConnectTimeoutError, "connect-timeout"),
    (IncompleteReadError, "truncated"),
    (ConnectionClosedError, "connection"),
    (ConnectionError, "connection"),
)
# OpenSSL's codes of a failed verification (X509_V_ERR_…).
_OF_TIME: Final = frozenset({9, 10})
_OF_NAME: Final = frozenset({62, 64})
_CLIENT_ERROR, _SERVER_ERROR, _LOGIN = 400, 500, 407
_TLS_RECORD: Final = "\x15\x03"  # how an alert begins (RFC 8446, section 5.1)


def fault_of(error: Exception) -> TransportFault:
    """The fault that botocore raised `error` for."""
    kind: FaultKind = next((kind for known, kind in _BY_CLASS if isinstance(error, known)), "other")
    beneath = tuple(_beneath(error))
    if kind == "tls":
        fault = _of_tls(beneath)
    elif kind == "proxy":
        fault = _of_a_proxy(beneath)
    elif kind == "connection":
        fault = _of_a_connection(beneath)
    else:
        fault = None
    fault = fault or TransportFault(kind, _words(error, beneath))
    fault.__cause__ = error
    return fault


def _of_a_certificate(beneath: Sequence[BaseException]) -> TransportFault | None:
    # urllib3's own error has another place in each of its releases.
    if names := next((each for each in beneath if type(each).__name__ == "CertificateError"), None):
        return TransportFault("certificate-name", f"its certificate: {names}")
    unverified = _first(beneath, ssl.SSLCertVerificationError)
    if unverified is None:
        return None
    code, words = unverified.verify_code, f"its certificate: {unverified.verify_message}"
    if code in _OF_NAME:
        return TransportFault("certificate-name", words)
    return TransportFault("certificate-time" if code in _OF_TIME else "certificate", words)


def _of_tls(beneath: Sequence[BaseException]) -> TransportFault | None:
    if unverified := _of_a_certificate(beneath):
        return unverified
    if _first(beneath, ssl.SSLEOFError):
        return TransportFault("connection", "the connection was closed during the TLS handshake")
    failed = _first(beneath, ssl.SSLError)
    reason = (failed.reason if failed else None) or ""
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return TransportFault("no-tls", "what answers there speaks no TLS")
    if alert := re.fullmatch(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_0-9]+)", reason):
        name = alert[1].lower().replace("_", " ")
        # It passes: a load balancer says so of a server behind it.
        kind: FaultKind = "connection" if name == "internal error" else "tls-alert"
        return TransportFault(kind, f"the other side ended the TLS handshake with {name!r}")
    return None


def _of_a_proxy(beneath: Sequence[BaseException]) -> TransportFault | None:
    # http.client knows the status in its words alone.
    said = re.search(r"Tunnel connection failed: (\d{3}) ?([ -~]{0,60})", str(beneath[-1]))
    if said is None:
        if (failed := _first(beneath, ssl.SSLError)) and failed.reason == "WRONG_VERSION_NUMBER":
            return TransportFault("no-tls", "the proxy speaks no TLS, and its URL is https://")
        return None
    status = int(said[1])
    if status == _LOGIN:
        return proxy_login()
    words = f"the proxy did not let the call through (HTTP {status} {said[2]}".rstrip() + ")"
    refused = _CLIENT_ERROR <= status < _SERVER_ERROR
    return TransportFault("proxy-refusal" if refused else "proxy", words)


def _of_a_connection(beneath: Sequence[BaseException]) -> TransportFault | None:
    if unknown := _first(beneath, socket.gaierror):
        return TransportFault("name", f"its name has no address ({unknown.strerror})")
    odd = _first(beneath, BadStatusLine)
    if odd is not None and str(odd).startswith(_TLS_RECORD):
        return TransportFault("only-tls", "what answers there speaks TLS, and the URL is http://")
    return None


def _words(error: Exception, beneath: Sequence[BaseException]) -> str:
    """Botocore's words, with the reason that it leaves out."""
    words = _without_user(error)
    reason = next(
        (each.strerror for each in beneath if isinstance(each, OSError) and each.strerror), None
    )
    return words if reason is None or reason in words else f"{words} ({reason})"


def _first(beneath: Sequence[BaseException], kind: type[_Error]) -> _Error | None:
    return next((each for each in beneath if isinstance(each, kind)), None)


def _beneath(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised for or carries."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        carried = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        named = getattr(each, "kwargs", {}).values()  # where botocore keeps it
        waiting += [other for other in (*carried, *named) if isinstance(other, BaseException)]


def _without_user(error: Exception) -> str:
    """The error's words, without the user and password of a proxy's URL."""
    return re.sub(r"//[^/\s]*@", "//…@", str(error).rstrip("."))
