"""A listening socket, bound before anything is promised. Knows neither uvicorn nor routes."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, NoReturn

from boto_rolesanywhere.errors import ConfigurationError

# So that a burst before it is served loses no SYN; the server then sets its own.
_BACKLOG: Final = 4096
_IPV4: Final = 4


def bind(address: str, port: int, *, hop_limit: int = 64) -> socket.socket:
    """A listening socket. Clients that connect early wait until it is served.

    Args:
        address: an IP address of this machine, or ``localhost``.
        port: 0 for any that is free.
        hop_limit: the IP TTL (hop limit) of what is sent; accepted sockets inherit it.

    Raises:
        ConfigurationError: the address is none of this machine's, or the port is taken.
    """
    numeric = _numeric(address)
    is_ipv4 = ip_address(numeric).version == _IPV4
    family = socket.AF_INET if is_ipv4 else socket.AF_INET6
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, an answer
    # in two pieces waits 40 ms for the acknowledgement of the first.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # An IPv6 socket may serve IPv4 clients too, and sends to them with IPv4's limit.
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hop_limit)
        if not is_ipv4:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hop_limit)
        sock.bind((numeric, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        _cannot_listen(address, port, error)
    return sock


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach it.

    Raises:
        ConfigurationError: it is no IP address.
    """
    return ip_address(_numeric(address)).is_loopback


def url_of(sock: socket.socket) -> str:
    """``http://ADDRESS:PORT`` for clients on this machine; a wildcard is reached at loopback."""
    host, port = sock.getsockname()[:2]
    address = ip_address(host)
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == _IPV4 else "::1")
    return f"http://{address if address.version == _IPV4 else f'[{address}]'}:{port}"


def _numeric(address: str) -> str:
    numeric = "127.0.0.1" if address == "localhost" else address
    try:
        ip_address(numeric)
    except ValueError:
        raise ConfigurationError(
            f"{address!r} is not an IP address",
            where="--listen",
            expected="an IP address of this machine, such as 127.0.0.1",
        ) from None
    return numeric


def _cannot_listen(address: str, port: int, error: OSError) -> NoReturn:
    remedy = "Choose another port with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        remedy = "Name an address of this machine with --listen."
    elif error.errno == errno.EADDRINUSE:
        remedy = "Choose another port with --port, or end what uses this one."
    what = f"cannot listen on {address} port {port} ({error.strerror})"
    raise ConfigurationError(what, where="endpoint", remedy=remedy) from None
