"""Sending an answer over ASGI, and the faults that need the connection itself."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from .faults import Hang, Reset, SlowBody, TruncatedBody

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Message, Receive, Scope, Send

    from .service import Reply


class Gate:
    """Holds hanging requests until it is opened. It is shut again at once for those that come."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Wait until `open` is called."""
        await self._event.wait()

    def open(self) -> None:
        """Let those go that wait now. Called in the event loop's thread."""
        self._event.set()
        self._event = asyncio.Event()


class Delivery:
    """One answer on its way out; an ASGI application, as Starlette's responses are."""

    def __init__(self, reply: Reply, gate: Gate) -> None:
        self._reply = reply
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or do what the fault says."""
        fault = self._reply.fault
        transport: asyncio.Transport = scope["state"]["transport"]
        if isinstance(fault, Reset):
            reset(transport)
            await _closed(receive)
        elif isinstance(fault, TruncatedBody):
            await send(self._start())
            await send(_piece(self._reply.answer.body[: fault.keep], more=True))
            transport.close()
            await _closed(receive)
        elif isinstance(fault, SlowBody):
            await _unless_closed(self._send_slowly(fault, send), receive)
        elif isinstance(fault, Hang):
            if await _unless_closed(self._hold(fault), receive):
                await self._send(send)
        else:
            await self._send(send)

    async def _send(self, send: Send) -> None:
        await send(self._start())
        await send(_piece(self._reply.answer.body, more=False))

    async def _hold(self, fault: Hang) -> None:
        try:
            await asyncio.wait_for(self._gate.wait(), fault.seconds)
        except asyncio.TimeoutError:
            return

    async def _send_slowly(self, fault: SlowBody, send: Send) -> None:
        body, pieces = self._reply.answer.body, max(fault.pieces, 2)
        size = -(-len(body) // pieces)
        await send(self._start())
        for start in range(0, len(body), size):
            if start:
                await asyncio.sleep(fault.seconds / (pieces - 1))
            await send(_piece(body[start : start + size], more=True))
        await send(_piece(b"", more=False))

    def _start(self) -> Message:
        answer = self._reply.answer
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        return {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def reset(transport: asyncio.Transport) -> None:
    """Close the connection with an RST instead of a FIN."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        # Lingering for no time at all makes the kernel send an RST on close.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _closed(receive: Receive) -> None:
    """Wait until the client is gone, so that the server does not miss an answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless_closed(work: Coroutine[None, None, None], receive: Receive) -> bool:
    """Do the work, but give up when the client goes away; whether it was done."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(_closed(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].done()
    finally:
        for task in tasks:
            task.cancel()
