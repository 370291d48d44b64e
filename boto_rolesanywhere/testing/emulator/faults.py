"""The plan of which injected fault comes next, and what those do that change the answer.

Those that need the connection (reset, hang, slow or torn bodies) are played by `delivery`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, get_args

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.faults import (
    EmptyBody,
    ErrorStatus,
    Fault,
    HtmlBody,
    MalformedJson,
    MissingFields,
    Reset,
)

from .answers import Answer, json_answer

if TYPE_CHECKING:
    from datetime import datetime


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
