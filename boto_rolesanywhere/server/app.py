"""From a request to its answer: first the guard, then the route. No sockets.

One dictionary does what a framework's routing would: there are a handful of fixed paths and no
bodies.
"""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.redaction import logger_of

from .exchange import NOT_FOUND, Route, answer, json_answer, wrong_method

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from boto_rolesanywhere.credentials.keeper import Keeper

    from .exchange import Answer, Request

logger = logger_of(__name__)

HEALTH_PATH: Final = "/healthz"
# A proxy adds one of these. IMDS refuses the first on its token route; here nobody needs a proxy on
# any route. RFC 7239 gives the standard's name.
_PASSED_ON: Final = (b"x-forwarded-for", b"forwarded")
_HTTP_PORT: Final = 80

_BROKEN: Final = answer(500, b"The endpoint failed; its log says where.\n")
_FORWARDED: Final = answer(400, b"Requests that a proxy passed on are refused.\n")
_FOREIGN_HOST: Final = answer(400, b"The Host header does not name this endpoint.\n")


class CredentialApp:
    """Answers requests."""

    def __init__(self, guard: Guard, *route_tables: Mapping[str, Route]) -> None:
        """Put the routes of all protocols together."""
        self._guard = guard
        self._routes = {path: route for table in route_tables for path, route in table.items()}

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """The answer to a request; to be awaited only where there are no credentials yet."""
        refusal = self._guard.refusal(request)
        if refusal is not None:
            return refusal
        route = self._routes.get(request.path)
        if route is None:
            return NOT_FOUND
        if request.method != route.method:
            return wrong_method(route.method)
        found = _unbroken(route.handle, request)
        if found.status == HTTPStatus.SERVICE_UNAVAILABLE and route.wait is not None:
            return _answer_after(route.wait, route, request)
        return found


async def _answer_after(
    wait: Callable[[], Awaitable[object]], route: Route, request: Request
) -> Answer:
    try:
        await wait()
    except Exception as error:  # noqa: BLE001  # as in `_unbroken`
        return _broken(error)
    return _unbroken(route.handle, request)


def _unbroken(handle: Callable[[Request], Answer], request: Request) -> Answer:
    try:
        return handle(request)
    except Exception as error:  # noqa: BLE001  # whatever it is, the next request is served
        return _broken(error)


def _broken(error: Exception) -> Answer:
    # Only the type: the text, and so a traceback, could hold anything.
    logger.error("A request failed (%s)", type(error).__name__)
    return _BROKEN


def health_routes(keepers: Sequence[Keeper]) -> dict[str, Route]:
    """``/healthz``: whether all roles have good credentials. Needs no token, tells nothing else.

    200 ``ok``; 200 ``degraded`` when the last attempt to renew failed but the credentials are good;
    503 ``unavailable`` when a role has none.
    """

    def health(_request: Request) -> Answer:
        if any(keeper.current() is None for keeper in keepers):
            return json_answer(503, {"status": "unavailable"})
        failing = any(keeper.failing for keeper in keepers)
        return json_answer(200, {"status": "degraded" if failing else "ok"})

    return {HEALTH_PATH: Route("GET", health)}


class Guard:
    """Refuses what a browser or a proxy was tricked into sending, before the path is looked at.

    The Host must be this endpoint: a loopback name or address, or the address that the connection
    came to, with the port. A page in a browser that rebinds its own name to 127.0.0.1 sends that
    name, and so gets nothing.
    """

    def __init__(self, port: int) -> None:
        """Guard the endpoint on `port`."""
        self._port = port
        # The usual ones without parsing; `_is_ours` judges them in the same way.
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
