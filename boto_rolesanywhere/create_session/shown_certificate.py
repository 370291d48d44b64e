"""Who issued the certificate that an endpoint shows, when it was refused: a second look, unchecked.

Nothing is sent over that connection. A company's proxy that inspects TLS is found out by it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .transport import TransportFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from .transport import Proxy

_PATIENCE: Final = 5.0  # seconds for each step
_PORTS: Final = {"http": 80, "https": 443}


def with_issuer(fault: TransportFault, url: str, proxy: Proxy | None) -> TransportFault:
    """The fault of an endpoint whose certificate is not trusted, with the certificate's issuer.

    Args:
        fault: of kind ``certificate``.
        url: of the request.
        proxy: on the way.
    """
    issuer = _issuer(url, proxy)
    if issuer is None:
        return fault
    with_name = TransportFault(fault.kind, f"{fault.words}; the certificate was issued by {issuer}")
    with_name.__cause__ = fault.__cause__
    return with_name


def _issuer(url: str, proxy: Proxy | None) -> str | None:
    from boto_rolesanywhere.certificates.descriptions import describe_issuer

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        there = _place(url)
        way = (_place(proxy.url), proxy.headers) if proxy else (None, {})
        with connected(there, _PATIENCE, *way) as plain:
            _, shown = shake_hands(plain, context, there[0])
    except (OSError, ValueError, http.client.HTTPException):
        return None  # the first look has said what there is to say
    return describe_issuer(shown) if shown else None


def connected(
    there: tuple[str, int],
    seconds: float,
    proxy: tuple[str, int] | None,
    headers: Mapping[str, str],
) -> socket.socket:
    """A connection to a host and port, through the tunnel of a proxy if there is one.

    Args:
        there: where it ends.
        seconds: for each step.
        proxy: host and port of an ordinary HTTP proxy.
        headers: for the proxy, such as its authorization.

    Raises:
        OSError, http.client.HTTPException: it cannot be had.
    """
    if proxy is None:
        return socket.create_connection(there, seconds)
    connection = http.client.HTTPConnection(*proxy, timeout=seconds)
    connection.set_tunnel(*there, dict(headers))
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    opened: socket.socket = connection.sock
    return opened


def shake_hands(
    plain: socket.socket, context: ssl.SSLContext, host: str
) -> tuple[str, x509.Certificate | None]:
    """The version of TLS, and the certificate that the endpoint shows; None if it is unreadable.

    Raises:
        OSError: the handshake fails.
    """
    from cryptography.x509 import load_der_x509_certificate

    from boto_rolesanywhere.certificates.reading import quietly

    with context.wrap_socket(plain, server_hostname=host) as wrapped:
        encoded = wrapped.getpeercert(binary_form=True) or b""
        version = wrapped.version() or "unknown"
    try:
        return version, quietly(lambda: load_der_x509_certificate(encoded))
    except ValueError:
        return version, None


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
