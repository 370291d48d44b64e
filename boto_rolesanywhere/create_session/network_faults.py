"""What went wrong on the way, told from what the standard library raised beneath an HTTP client.

`ssl` and `socket` raise the same whichever client is above them, so each transport asks here.
"""

from __future__ import annotations

import re
import socket
import ssl
from http.client import BadStatusLine
from typing import TYPE_CHECKING, Final, TypeVar

from .transport import TransportFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .transport import FaultKind

_Error = TypeVar("_Error", bound=BaseException)

# OpenSSL's codes of a failed verification (X509_V_ERR_…).
OF_TIME: Final = frozenset({9, 10})
OF_NAME: Final = frozenset({62, 64})
_TLS_RECORD: Final = "\x15\x03"  # how an alert begins (RFC 8446, section 5.1)


def beneath(error: BaseException) -> Iterator[BaseException]:
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


def first(errors: Sequence[BaseException], kind: type[_Error]) -> _Error | None:
    """The first of this kind."""
    return next((each for each in errors if isinstance(each, kind)), None)


def known_fault(kind: FaultKind, errors: Sequence[BaseException]) -> TransportFault | None:
    """The fault of kind ``tls`` or ``connection`` that is known better; None for all others."""
    if kind == "tls":
        return _of_a_handshake(errors)
    return _of_a_connection(errors) if kind == "connection" else None


def _of_a_handshake(errors: Sequence[BaseException]) -> TransportFault | None:
    if unverified := _of_a_certificate(errors):
        return unverified
    if first(errors, ssl.SSLEOFError):
        return TransportFault("connection", "the connection was closed during the TLS handshake")
    failed = first(errors, ssl.SSLError)
    reason = (failed.reason if failed else None) or ""
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return TransportFault("no-tls", "what answers there speaks no TLS")
    if alert := re.fullmatch(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_0-9]+)", reason):
        name = alert[1].lower().replace("_", " ")
        # It passes: a load balancer says so of a server behind it.
        kind: FaultKind = "connection" if name == "internal error" else "tls-alert"
        return TransportFault(kind, f"the other side ended the TLS handshake with {name!r}")
    return None


def _of_a_certificate(errors: Sequence[BaseException]) -> TransportFault | None:
    # urllib3's own error has another place in each of its releases.
    if names := next((each for each in errors if type(each).__name__ == "CertificateError"), None):
        return TransportFault("certificate-name", f"its certificate: {names}")
    unverified = first(errors, ssl.SSLCertVerificationError)
    if unverified is None:
        return None
    code, words = unverified.verify_code, f"certificate verify failed: {unverified.verify_message}"
    if code in OF_NAME:
        return TransportFault("certificate-name", words)
    return TransportFault("certificate-time" if code in OF_TIME else "certificate", words)


def _of_a_connection(errors: Sequence[BaseException]) -> TransportFault | None:
    if unknown := first(errors, socket.gaierror):
        return TransportFault("name", f"its name has no address ({unknown.strerror})")
    odd = first(errors, BadStatusLine)
    if odd is not None and str(odd).startswith(_TLS_RECORD):
        return TransportFault("only-tls", "what answers there speaks TLS, and the URL is http://")
    return None
