"""From a request to its answer: first the guard, then the route. No sockets.

One dictionary does what a framework's routing would: there are a handful of fixed paths and no
bodies.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.redaction import logger_of

from .exchange import NOT_FOUND, Route, answer, json_answer, wrong_method

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from boto_rolesanywhere.credentials.keeper import Keeper

    from .exchange import Answer, Request

logger = logger_of(__name__)

HEALTH_PATH: Final = "/healthz"
# A proxy adds one of these. IMDS refuses the first on its token route; here nobody needs a proxy on
# any route. RFC 7239 gives the standard's name.
_PASSED_ON: Final = (b"x-forwarded-for", b"forwarded")
_HOST: Final = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?")
_SLASHES: Final = re.compile("/{2,}")
_HIGHEST_PORT: Final = 65535

_BROKEN: Final = answer(500, b"The endpoint failed; its log says where.\n")
_FORWARDED: Final = answer(400, b"Requests that a proxy passed on are refused.\n")
_FOREIGN_HOST: Final = answer(
    400, b"The Host header must be an address, localhost or a name of --allowed-host.\n"
)


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
        path = request.path
        # Clients join a path to an endpoint that ends with a slash.
        route = self._routes.get(_SLASHES.sub("/", path) if "//" in path else path)
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

    A page in a browser that rebinds its own name to an address of this machine sends that name as
    Host, and so gets nothing. An address as Host, or ``localhost``, is no name that anybody could
    rebind; its port plays no part, since connections are redirected (iptables, port forwards).
    """

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        """Let in addresses, ``localhost`` and the names `allowed_hosts`, in any case."""
        self._names = {"localhost", *(name.lower() for name in allowed_hosts)}

    def refusal(self, request: Request) -> Answer | None:
        """The answer to a request that must not be served; None if it may be."""
        headers = request.headers
        for name in _PASSED_ON:
            if name in headers:
                return _FORWARDED
        host = _name(headers.get(b"host", b""))
        return None if host in self._names or _is_address(host) else _FOREIGN_HOST


@lru_cache(maxsize=64)  # a client sends the same one each time
def _name(host: bytes) -> str:
    """The name in a Host header (RFC 9110, 7.2), or "" if it is none; an IPv6 address in brackets.

    Brackets stay: an address without them is an IPv4 address, or none at all.
    """
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return found[1] if found and int(found[2] or 0) <= _HIGHEST_PORT else ""


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    bracketed = name.startswith("[")
    try:
        return ip_address(name[1:-1] if bracketed else name).version == (6 if bracketed else 4)
    except ValueError:
        return False
