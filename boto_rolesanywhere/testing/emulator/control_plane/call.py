"""One call of the control plane: its parameters, read with the limits that the service has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boto_rolesanywhere.testing.emulator.wire import Received

_NAME: Final = re.compile(r"[ a-zA-Z0-9\-_]{1,255}")
_ALIAS: Final = re.compile(r"(?!.*//)([A-Za-z]([A-Za-z0-9_/-]*[A-Za-z0-9_-])?)?")
_LONGEST_ALIAS: Final = 256
_RESERVED_ALIAS: Final = "aws/"
_ROLE_ARN: Final = re.compile(r"arn:aws(-[^:]+)?:iam(:.*){2}(:role/.*)")
_MOST_TAGS: Final = 200
_TAG: Final = re.compile(r"[ a-zA-Z0-9_.:/=+@-]*")
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def refuse(message: str) -> NoReturn:
    """Refuse a parameter. Code and status are documented, the words are a guess."""
    raise Refused(invalid(message), message)


def not_found(what: str) -> Refused:
    """The answer about what is not there. The code is documented, the words are a guess."""
    message = f"{what} not found"
    return Refused(Refusal(message, "ResourceNotFoundException", 404, guess=True), message)


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of one call.

    Attributes:
        identifier: what stands in the path: an id, an ARN or the ARN of an alias; "" for nothing.
        received: the request.
    """

    identifier: str
    received: Received

    @property
    def members(self) -> Mapping[str, object]:
        """What the body holds."""
        if self.received.members is None:
            refuse("Request body is not a JSON object")
        return self.received.members

    def required(self, name: str) -> object:
        """A member that must be there."""
        value = self.members.get(name)
        if value is None:
            refuse(f"Missing required parameter: {name}")
        return value

    def query(self, name: str) -> str | None:
        """A parameter of the query."""
        return next((value for key, value in self.received.query_pairs if key == name), None)

    def queries(self, name: str) -> tuple[str, ...]:
        """A list in the query."""
        return tuple(value for key, value in self.received.query_pairs if key == name)

    def flag(self, name: str, *, default: bool) -> bool:
        """A Boolean."""
        value = self.members.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            refuse(f"Invalid value for {name}")
        return value

    def text(self, name: str, longest: int) -> str | None:
        """A text."""
        value = self.members.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > longest):
            refuse(f"Invalid value for {name}")
        return value

    def number(self, name: str, allowed: range) -> int | None:
        """A whole number."""
        value = self.members.get(name)
        if value is not None and (type(value) is not int or value not in allowed):
            refuse(f"{name} must be between {allowed.start} and {allowed.stop - 1}")
        return value

    def name(self) -> str:
        """A resource's name."""
        value = self.required("name")
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            refuse("Invalid value for name")
        return value

    def alias(self) -> str | None:
        """``aliasName``: None if it is not given, "" to remove the alias."""
        value = self.text("aliasName", _LONGEST_ALIAS)
        if value is not None and not _ALIAS.fullmatch(value):
            refuse("Invalid value for aliasName")
        if value is not None and value.lower().startswith(_RESERVED_ALIAS):
            refuse("aliasName must not begin with aws/")
        return value

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...] | None:
        """A list of texts."""
        value = self.members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > most:
            refuse(f"{name} must hold at most {most}")
        if not all(isinstance(each, str) and 1 <= len(each) <= longest for each in value):
            refuse(f"Invalid value in {name}")
        return tuple(value)

    def role_arns(self) -> tuple[str, ...] | None:
        """``roleArns``, each of them the ARN of a role."""
        arns = self.texts("roleArns", 250, 1011)
        if arns is not None and not all(map(_ROLE_ARN.fullmatch, arns)):
            refuse("Invalid value in roleArns")
        return arns

    def tags(self) -> dict[str, str]:
        """``tags``; empty if none are given."""
        value = self.members.get("tags") or []
        if not isinstance(value, list) or len(value) > _MOST_TAGS:
            refuse(f"tags must hold at most {_MOST_TAGS}")
        return dict(map(_tag, value))

    def objects(self, name: str, most: int) -> Sequence[Mapping[str, object]]:
        """A list of structures."""
        value = self.members.get(name) or []
        if not isinstance(value, list) or len(value) > most:
            refuse(f"{name} must hold at most {most}")
        if not all(isinstance(each, dict) for each in value):
            refuse(f"Invalid value in {name}")
        return value


def _tag(entry: object) -> tuple[str, str]:
    if isinstance(entry, dict):
        key, value = entry.get("key"), entry.get("value")
        if (
            isinstance(key, str)
            and isinstance(value, str)
            and 1 <= len(key) <= _LONGEST_KEY
            and len(value) <= _LONGEST_VALUE
            and _TAG.fullmatch(key)
            and _TAG.fullmatch(value)
        ):
            return key, value
    refuse("Invalid value in tags")
