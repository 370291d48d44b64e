"""From what botocore and urllib3 raise on the way to the kinds of fault that a call knows."""

from __future__ import annotations

import re
import socket
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

from .transport import TransportFault

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def fault_of(error: Exception) -> TransportFault:
    """The fault that botocore raised `error` for."""
    kind: FaultKind = next((kind for known, kind in _BY_CLASS if isinstance(error, known)), "other")
    beneath = tuple(_beneath(error))
    if kind == "tls" and any(isinstance(each, ssl.SSLCertVerificationError) for each in beneath):
        kind = "certificate"
    if kind == "connection" and any(isinstance(each, socket.gaierror) for each in beneath):
        kind = "name"
    fault = TransportFault(kind, _without_user(error))
    fault.__cause__ = error
    return fault


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
