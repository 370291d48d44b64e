"""The container-credentials protocol: each role at a path of its own, with a token. No sockets.

AWS SDKs and Tools Reference Guide, "Container credential provider": GET of
AWS_CONTAINER_CREDENTIALS_FULL_URI with the token, as it is, in Authorization.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from .exchange import Answer, Route, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import Request
    from .role import ServedRole

_UNAUTHORIZED: Final = json_answer(
    401,
    {
        "code": "Unauthorized",
        "message": "Authorization must be the content of this role's token file.",
    },
)


def path_of(name: str) -> str:
    """Where the role of that name is served."""
    return f"/credentials/{name}"


def container_routes(tokens: Mapping[ServedRole, str]) -> dict[str, Route]:
    """A route for each role.

    Args:
        tokens: the token of each role.
    """
    return {
        path_of(role.name): Route("GET", _Door(role, token.encode()).answer)
        for role, token in tokens.items()
    }


class _Door:
    """One role behind its token."""

    def __init__(self, role: ServedRole, token: bytes) -> None:
        self._role = role
        self._token = token

    async def answer(self, request: Request) -> Answer:
        given = request.headers.get(b"authorization", b"")
        if not hmac.compare_digest(given, self._token):
            return _UNAUTHORIZED
        return await self._role.container_answer()
