"""A request and an answer, as values, and the answers that are the same everywhere. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    Handler = Callable[["Request"], Awaitable["Answer"]]

TEXT: Final = b"text/plain; charset=utf-8"
JSON: Final = b"application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """What the protocols look at of a request. None of them has a body.

    Attributes:
        method: as sent.
        path: percent-decoded, without the query.
        headers: by lower-case name. A repeated one is joined by a comma (RFC 9110, 5.3), so that
            a second Host or token never passes for a right one.
        local_address: the address of this machine that the connection came to.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    local_address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        status: the HTTP status.
        body: all of it.
        headers: all but Date and Connection; names in lower case.
    """

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """What a path does.

    Attributes:
        method: the only one it takes.
        handle: gives the answer.
    """

    method: str
    handle: Handler


def answer(
    status: int,
    body: bytes,
    kind: bytes = TEXT,
    extra: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """An answer with its length, which no cache may keep.

    Args:
        status: the HTTP status.
        body: all of it.
        kind: the content type.
        extra: more headers, names in lower case.
    """
    headers = (
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *extra,
    )
    return Answer(status, body, headers)


def json_answer(
    status: int, content: Mapping[str, object], extra: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """An answer in JSON."""
    return answer(status, json.dumps(content).encode(), JSON, extra)


NOT_FOUND: Final = answer(404, b"There is nothing at this path.\n")


def wrong_method(allowed: str) -> Answer:
    """405, with what is allowed (RFC 9110, 15.5.6)."""
    text = f"This path takes {allowed} only.\n".encode()
    return answer(405, text, extra=((b"allow", allowed.encode()),))
