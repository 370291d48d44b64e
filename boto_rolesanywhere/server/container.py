"""The container-credentials protocol: each role has its own path and its own token. No sockets.

AWS SDKs and Tools Reference Guide, "Container credential provider": GET of
AWS_CONTAINER_CREDENTIALS_FULL_URI with the token, as it is, in Authorization.
"""

from __future__ import annotations

import hmac
from functools import partial
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
    """The path of the role with that name."""
    return f"/credentials/{name}"


def container_routes(tokens: Mapping[ServedRole, str]) -> dict[str, Route]:
    """A route for each role."""
    return {
        path_of(role.name): Route("GET", partial(_answer, role, token.encode()), role.wait)
        for role, token in tokens.items()
    }


def _answer(role: ServedRole, token: bytes, request: Request) -> Answer:
    if not hmac.compare_digest(request.headers.get(b"authorization", b""), token):
        return _UNAUTHORIZED
    return role.container_answer()
