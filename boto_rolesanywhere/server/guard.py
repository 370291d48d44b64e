"""Who may ask at all: requests that a browser or a proxy was tricked into are refused. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from .exchange import answer

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from .exchange import Answer, Request

# A proxy adds one of these. IMDS refuses the first on its token route; a request that was passed on
# has no business on any of ours. RFC 7239 is the standard's name for it.
_PASSED_ON: Final = (b"x-forwarded-for", b"forwarded")
_HTTP_PORT: Final = 80

_FORWARDED: Final = answer(400, b"Requests that a proxy passed on are refused.\n")
_FOREIGN_HOST: Final = answer(400, b"The Host header does not name this endpoint.\n")


class Guard:
    """Looks at every request before its path is looked at.

    The Host must be this endpoint: a loopback name or address, or the address that the connection
    came to, with the port. A page in a browser that rebinds its own name to 127.0.0.1 sends that
    name, and so gets nothing.
    """

    def __init__(self, port: int) -> None:
        """Guard the endpoint on `port`."""
        self._port = port
        # The usual ones without parsing; `_is_ours` says the same of them.
        self._usual = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}

    def refusal(self, request: Request) -> Answer | None:
        """The answer to a request that must not be served; None if it may be."""
        headers = request.headers
        for name in _PASSED_ON:
            if name in headers:
                return _FORWARDED
        host = headers.get(b"host", b"")
        if host in self._usual or self._is_ours(host, request.local_address):
            return None
        return _FOREIGN_HOST

    def _is_ours(self, host: bytes, local_address: str) -> bool:
        name, port = _split(host)
        if port != self._port:
            return False
        if name == "localhost":
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or address == _address(local_address))


def _split(host: bytes) -> tuple[str, int | None]:
    """The name and the port of a Host header (RFC 9110, 7.2); an IPv6 address without brackets."""
    text = host.decode("latin-1").lower()
    name, colon, digits = text.rpartition(":")
    if not colon or digits.endswith("]"):
        name, digits = text, str(_HTTP_PORT)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len("65535")):
        return name, None
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1], int(digits)
    return ("", None) if ":" in name else (name, int(digits))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families shows IPv4 clients' side as ::ffff:a.b.c.d.
    return getattr(address, "ipv4_mapped", None) or address
