"""A request and an answer, as values, and the answers that every path shares. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    Headers = tuple[tuple[bytes, bytes], ...]

TEXT: Final = b"text/plain; charset=utf-8"
JSON: Final = b"application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that decide its answer. No protocol served here reads a body.

    Attributes:
        method: as sent.
        path: percent-decoded, without the query.
        headers: by lower-case name. The values of a repeated header are joined by a comma
            (RFC 9110, 5.3), so that a second Host or token never passes for a right one.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes] = field(repr=False)  # a token may be among them


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request.

    Attributes:
        status: the HTTP status.
        body: the whole body.
        headers: every header but Date and Connection; names in lower case.
        head: the status line and `headers` as they are sent (RFC 9112, 4 and 5).
    """

    status: int
    body: bytes = field(repr=False)  # credentials may be in it
    headers: Headers
    head: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write the head once, however often the answer is sent."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [b"%b: %b" % header for header in self.headers]
        object.__setattr__(self, "head", b"\r\n".join(lines) + b"\r\n")


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at a path.

    Attributes:
        method: the only method that the path takes.
        handle: gives the answer at once.
        wait: if it is there, a 503 is not sent before this has ended and `handle` was asked again.
    """

    method: str
    handle: Callable[[Request], Answer]
    wait: Callable[[], Awaitable[object]] | None = None


def answer(
    status: int, body: bytes, kind: bytes = TEXT, more_headers: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """An answer that names its length and that no cache may keep."""
    headers = (
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *more_headers,
    )
    return Answer(status, body, headers)


def json_answer(
    status: int, content: Mapping[str, object], more_headers: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """An answer in JSON, without blanks: scripts cut it up as text."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return answer(status, body, JSON, more_headers)


NOT_FOUND: Final = answer(404, b"There is nothing at this path.\n")


def wrong_method(allowed: str) -> Answer:
    """405, with the method that the path takes (RFC 9110, 15.5.6)."""
    text = f"This path takes {allowed} only.\n".encode()
    return answer(405, text, more_headers=((b"allow", allowed.encode()),))
