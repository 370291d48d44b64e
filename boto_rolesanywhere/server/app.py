"""The endpoint as an ASGI application: guard, then route, then the answer. No protocol in here.

Bare ASGI and one dictionary instead of a framework's routing: there are a handful of fixed paths,
no bodies, and the routing would cost more than the answer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, TypedDict, cast

from .exchange import NOT_FOUND, Request, Route, answer, json_answer, wrong_method

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from boto_rolesanywhere.credentials.keeper import Keeper

    from .exchange import Answer
    from .guard import Guard

logger = logging.getLogger(__name__)

HEALTH_PATH: Final = "/healthz"
_BROKEN: Final = answer(500, b"The endpoint failed; its log says where.\n")


class Scope(TypedDict):
    """What is used of ASGI's connection scope (ASGI specification, "HTTP")."""

    type: str
    method: str
    path: str
    headers: Iterable[tuple[bytes, bytes]]
    server: tuple[str, int | None] | None


class CredentialApp:
    """Answers requests."""

    def __init__(self, guard: Guard, *route_tables: Mapping[str, Route]) -> None:
        """Put the routes of all protocols together.

        Args:
            guard: looks at every request first, whatever its path.
            route_tables: by path.
        """
        self._guard = guard
        self._routes = {path: route for table in route_tables for path, route in table.items()}

    async def __call__(
        self,
        scope: Mapping[str, object],
        receive: Callable[[], Awaitable[object]],  # noqa: ARG002  # no request of ours has a body
        send: Callable[[dict[str, object]], Awaitable[None]],
    ) -> None:
        """Serve one request, as ASGI wants it."""
        given = await self.answer(_request(cast("Scope", scope)))
        await send(
            {"type": "http.response.start", "status": given.status, "headers": given.headers}
        )
        await send({"type": "http.response.body", "body": given.body})

    async def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        refusal = self._guard.refusal(request)
        if refusal is not None:
            return refusal
        route = self._routes.get(request.path)
        if route is None:
            return NOT_FOUND
        if request.method != route.method:
            return wrong_method(route.method)
        try:
            return await route.handle(request)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next request is served
            # Only the type: its text, and so a traceback, could hold anything.
            logger.error("A request failed (%s)", type(error).__name__)  # noqa: TRY400  # see above
            return _BROKEN


def health_routes(keepers: Sequence[Keeper]) -> dict[str, Route]:
    """``/healthz``: whether all roles have good credentials. Needs no token and tells nothing else.

    200 ``ok``; 200 ``degraded`` when the last try to renew failed but the credentials are good;
    503 ``unavailable`` when a role has none.
    """

    async def health(_request: Request) -> Answer:
        if any(keeper.current() is None for keeper in keepers):
            return json_answer(503, {"status": "unavailable"})
        failing = any(keeper.failing for keeper in keepers)
        return json_answer(200, {"status": "degraded" if failing else "ok"})

    return {HEALTH_PATH: Route("GET", health)}


def _request(scope: Scope) -> Request:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    server = scope["server"]
    return Request(scope["method"], scope["path"], headers, server[0] if server else "")
