"""What can go wrong, as values to hand to `Emulator.inject`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "EmptyBody",
    "ErrorStatus",
    "Fault",
    "Hang",
    "HtmlBody",
    "MalformedJson",
    "MissingFields",
    "Reset",
    "SlowBody",
    "TruncatedBody",
]


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """An error of the service instead of its answer.

    Attributes:
        status: the HTTP status.
        code: the error type; the service model's 503 is ``ServiceUnavailableException``.
        message: its words.
        retry_after_seconds: what a ``ServiceUnavailableException`` may carry beside them.
    """

    status: int = 503
    code: str = "ServiceUnavailableException"
    message: str = "The service is temporarily unavailable."
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class HtmlBody:
    """A page of HTML instead of an answer, as a proxy in between sends it."""

    status: int = 502
    html: str = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class EmptyBody:
    """No body at all."""

    status: int = 201


@dataclass(frozen=True, slots=True)
class MalformedJson:
    """A session is created, but the JSON of the answer is cut in the middle, its length right."""


@dataclass(frozen=True, slots=True)
class MissingFields:
    """A session is created, but fields of the answer are left out.

    Attributes:
        names: dotted paths, such as ``credentialSet`` or ``credentialSet.credentials.expiration``;
            lists are stepped into.
    """

    names: tuple[str, ...] = ("credentialSet",)


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (TCP RST) when the request is complete."""


@dataclass(frozen=True, slots=True)
class Hang:
    """A session is created, but nothing is answered until `Emulator.release`, or for a while.

    Attributes:
        seconds: after which it is answered all the same; None: never.
    """

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TruncatedBody:
    """A session is created; the connection closes after the first bytes of the body.

    Attributes:
        keep: how many bytes of the body are sent.
    """

    keep: int = 20


@dataclass(frozen=True, slots=True)
class SlowBody:
    """A session is created; the body comes in pieces.

    Attributes:
        seconds: from the first piece to the last.
        pieces: how many.
    """

    seconds: float = 1.0
    pieces: int = 10


Fault: TypeAlias = (
    ErrorStatus
    | HtmlBody
    | EmptyBody
    | MalformedJson
    | MissingFields
    | Reset
    | Hang
    | TruncatedBody
    | SlowBody
)
