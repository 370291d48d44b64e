"""From what botocore and urllib3 raise on the way to the kinds of fault that a call knows."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING, Final

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

from .network_faults import beneath, first, known_fault
from .transport import TransportFault, proxy_login

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .transport import FaultKind

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
_CLIENT_ERROR, _SERVER_ERROR, _LOGIN = 400, 500, 407


def fault_of(error: Exception) -> TransportFault:
    """The fault that botocore raised `error` for."""
    kind: FaultKind = next((kind for known, kind in _BY_CLASS if isinstance(error, known)), "other")
    errors = tuple(beneath(error))
    fault = _of_a_proxy(errors) if kind == "proxy" else known_fault(kind, errors)
    fault = fault or TransportFault(kind, _words(error, errors))
    fault.__cause__ = error
    return fault


def _of_a_proxy(errors: Sequence[BaseException]) -> TransportFault | None:
    # http.client knows the status in its words alone.
    said = re.search(r"Tunnel connection failed: (\d{3}) ?([ -~]{0,60})", str(errors[-1]))
    if said is None:
        if (failed := first(errors, ssl.SSLError)) and failed.reason == "WRONG_VERSION_NUMBER":
            return TransportFault("no-tls", "the proxy speaks no TLS, and its URL is https://")
        return None
    status = int(said[1])
    if status == _LOGIN:
        return proxy_login()
    words = f"the proxy did not let the call through (HTTP {status} {said[2]}".rstrip() + ")"
    refused = _CLIENT_ERROR <= status < _SERVER_ERROR
    return TransportFault("proxy-refusal" if refused else "proxy", words)


def _words(error: Exception, errors: Sequence[BaseException]) -> str:
    """Botocore's words, with the reason that it leaves out."""
    words = _without_user(error)
    reason = next(
        (each.strerror for each in errors if isinstance(each, OSError) and each.strerror), None
    )
    return words if reason is None or reason in words else f"{words} ({reason})"


def _without_user(error: Exception) -> str:
    """The error's words, without the user and password of a proxy's URL."""
    return re.sub(r"//[^/\s]*@", "//…@", str(error).rstrip("."))
