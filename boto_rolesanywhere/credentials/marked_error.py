"""From an error to the mark that processes share, and back.

A mark is hostile input: of its text an error of one of the classes below is made, or none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import (
    EndpointError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)

from .failure_mark import FailureMark

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the service, or the network on the way there, is to blame for. The rest (a passphrase, a
# missing file, a token) fails without a call, and counts no longer once somebody has mended it.
SHARED: Final = (EndpointError, InvalidResponseError, ServiceError)
_CLASSES: Final[dict[str, type[RolesAnywhereError]]] = {
    cls.__name__: cls for cls in (RolesAnywhereError, *SHARED, SessionDeniedError, ThrottledError)
}
_TEXTS: Final = ("problem", "where", "expected", "remedy")


def to_mark(
    key: str, error: RolesAnywhereError, times: tuple[float, float], row: int
) -> FailureMark:
    """The mark of a call that raised `error`.

    Args:
        key: of the inputs of the call.
        error: its message holds no secret, as no error of ours does.
        times: when the call failed, and until when nobody calls again.
        row: how many calls have failed in a row.
    """
    details: dict[str, Any] = {name: getattr(error, name) for name in _TEXTS}
    details["class"] = next(cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _CLASSES)
    if isinstance(error, ServiceError):
        details["response"] = {
            "Error": {"Code": error.service_code, "Message": error.service_message},
            "ResponseMetadata": {"HTTPStatusCode": error.status},
        }
        details["operation"] = error.operation_name
        details["causes"], details["findings"] = error.causes, error.findings
    return FailureMark(
        key,
        times,
        row,
        code=error.code,
        message=_on_one_line(str(error)),
        details=json.dumps(details),
    )


def to_error(mark: FailureMark, now: float) -> RolesAnywhereError:
    """The error that `mark` stands for; it says that another call failed so.

    Args:
        mark: as it was read.
        now: seconds since the epoch.
    """
    note = mark.note(now)
    try:
        details = json.loads(mark.details)
        cls = _CLASSES[_text(details, "class")]
        remedy = _text(details, "remedy") if details["remedy"] is not None else ""
        remedy = f"{remedy} {note}".strip()
        if issubclass(cls, ServiceError):
            return _service_error(cls, details, mark.code, remedy)
        return cls(
            _text(details, "problem"),
            code=mark.code,
            where=_optional(details, "where"),
            expected=_optional(details, "expected"),
            remedy=remedy,
        )
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        return RolesAnywhereError(mark.message, code=mark.code, remedy=note)


def _service_error(
    cls: type[ServiceError], details: Mapping[str, Any], code: str, remedy: str
) -> ServiceError:
    response = details["response"]
    words = {name: _text(response["Error"], name) for name in ("Code", "Message")}
    status = int(response["ResponseMetadata"]["HTTPStatusCode"])
    return cls(
        {"Error": words, "ResponseMetadata": {"HTTPStatusCode": status}},
        _text(details, "operation"),
        code=code,
        causes=_texts(details, "causes"),
        findings=_texts(details, "findings"),
        remedy=remedy,
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _optional(values: Mapping[str, Any], name: str) -> str | None:
    return None if values[name] is None else _text(values, name)


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    listed = values[name]
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise TypeError(name)
    return tuple(listed)


def _on_one_line(text: str) -> str:
    """`text` without what could steer a terminal or end a line."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
