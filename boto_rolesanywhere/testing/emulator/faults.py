"""Faults that can be injected: what goes wrong, as values, and the plan of which come next.

Those that change the answer are applied here. Those that need the connection (reset, hang, slow
or torn bodies) are played by `delivery`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias, get_args

from boto_rolesanywhere.errors import ConfigurationError

from .answers import Answer, json_answer

if TYPE_CHECKING:
    from datetime import datetime


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


def instead_of_answer(fault: Fault | None, now: datetime) -> Answer | None:
    """The answer of a fault that takes the service's place; None if the service shall answer."""
    if isinstance(fault, ErrorStatus):
        content: dict[str, object] = {"message": fault.message}
        if fault.retry_after_seconds is not None:
            content["retryAfterSeconds"] = fault.retry_after_seconds
        return json_answer(fault.status, content, now, fault.code)
    if isinstance(fault, HtmlBody):
        return Answer(fault.status, (("Content-Type", "text/html"),), fault.html.encode())
    if isinstance(fault, EmptyBody):
        return replace(json_answer(fault.status, {}, now), body=b"")
    if isinstance(fault, Reset):
        return Answer(0, (), b"")  # never sent
    return None


def applied(fault: Fault | None, answer: Answer) -> Answer:
    """The service's answer, changed as the fault says."""
    if isinstance(fault, MalformedJson):
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    if isinstance(fault, MissingFields):
        content = json.loads(answer.body)
        for name in fault.names:
            _drop(content, name.split("."))
        return replace(answer, body=json.dumps(content).encode())
    return answer


def _drop(content: object, path: list[str]) -> None:
    if isinstance(content, list):
        for item in content:
            _drop(item, path)
    elif isinstance(content, dict):
        if len(path) == 1:
            content.pop(path[0], None)
        else:
            _drop(content.get(path[0]), path[1:])


@dataclass(slots=True, eq=False)
class _Planned:
    fault: Fault
    times: int | None
    operation: str | None


class FaultPlan:
    """Which fault the next request meets. First injected, first played."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[_Planned] = []

    def add(self, fault: Fault, times: int | None, operation: str | None = None) -> None:
        """Plan a fault for so many requests; None: until `clear`.

        Only requests for `operation` meet it; if that is None, all do.

        Raises:
            ConfigurationError: a test would be green with a fault that never comes.
        """
        if not isinstance(fault, get_args(Fault)):
            raise ConfigurationError(
                f"{fault!r} is no fault",
                code="testing-value-unusable",
                where="argument fault",
                expected="one of boto_rolesanywhere.testing.faults, such as faults.Reset()",
            )
        if times is not None and not (isinstance(times, int) and times >= 1):
            raise ConfigurationError(
                f"{times!r} is no number of requests",
                code="testing-value-unusable",
                where="argument times",
                expected="1 or more, or None",
            )
        with self._lock:
            self._planned.append(_Planned(fault, times, operation))

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._planned.clear()

    def next(self, operation: str | None) -> Fault | None:
        """The fault for this request, if there is one."""
        with self._lock:
            for planned in self._planned:
                if planned.operation in (None, operation):
                    if planned.times is not None:
                        planned.times -= 1
                        if not planned.times:
                            self._planned.remove(planned)
                    return planned.fault
            return None
