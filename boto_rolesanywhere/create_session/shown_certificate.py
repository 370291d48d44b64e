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
    told = TransportFault(fault.kind, f"{fault.words}; the certificate was issued by {issuer}")
    told.__cause__ = fault.__cause__
    return told


def _issuer(url: str, proxy: Proxy | None) -> str | None:
    from cryptography.x509 import load_der_x509_certificate

    from boto_rolesanywhere.certificates.descriptions import describe_issuer
    from boto_rolesanywhere.certificates.reading import quietly

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host = urlsplit(url).hostname or ""
    try:
        with (
            _connected(url, proxy) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            encoded = wrapped.getpeercert(binary_form=True) or b""
        return describe_issuer(quietly(lambda: load_der_x509_certificate(encoded)))
    except (OSError, ValueError, http.client.HTTPException):
        return None  # the first look has said what there is to say


def _connected(url: str, proxy: Proxy | None) -> socket.socket:
    there = _place(url)
    if proxy is None:
        return socket.create_connection(there, _PATIENCE)
    connection = http.client.HTTPConnection(*_place(proxy.url), timeout=_PATIENCE)
    connection.set_tunnel(*there, dict(proxy.headers))
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    opened: socket.socket = connection.sock
    return opened


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
