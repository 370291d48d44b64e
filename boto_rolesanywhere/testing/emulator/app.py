"""The Starlette application: requests in, the service's replies out. All routes lead to it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from .answers import INTERNAL, refusal_answer
from .delivery import Delivery
from .service import Reply
from .wire import Received

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from .delivery import Gate
    from .service import Service

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_log = logging.getLogger(__name__)


def make_app(service: Service, gate: Gate) -> ASGIApp:
    """An ASGI application that answers for `service`."""

    async def answer(request: Request) -> Delivery:
        received = Received(
            method=request.method,
            path=request.scope["raw_path"].decode("latin-1"),
            query=request.scope["query_string"].decode("latin-1"),
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in request.scope["headers"]
            ),
            body=await request.body(),
        )
        try:
            reply = service.handle(received)
        except Exception:  # noqa: BLE001  # a fault of ours must not look like the client's
            _log.exception("the emulator itself failed")
            reply = Reply(refusal_answer(INTERNAL, service.now()), None)
        return Delivery(reply, gate)

    # A Delivery is what Starlette asks of a response: an ASGI application.
    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])
