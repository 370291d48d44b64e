"""One call of the control plane: its parameters, which `model` has checked already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESERVED_ALIAS: Final = "aws/"


def refused(message: str) -> Refused:
    """The answer about a parameter. Code and status are documented, the words are a guess."""
    return Refused(invalid(message), message)


def not_found(kind: str) -> Refused:
    """The answer about what is not there. The code is documented, the words are a guess."""
    message = f"{kind} not found"
    return Refused(Refusal(message, "ResourceNotFoundException", 404, guess=True), message)


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of one call.

    Attributes:
        identifier: what stands in the path: an id, an ARN or the ARN of an alias; "" for nothing.
        parameters: by the model's names; those that were not sent are not in it.
    """

    identifier: str
    parameters: Mapping[str, Any]

    def alias(self) -> str | None:
        """``aliasName``: None if it is not given, "" to remove the alias.

        Raises:
            Refused: it is one that AWS keeps for itself.
        """
        value: str | None = self.parameters.get("aliasName")
        if value is not None and value.lower().startswith(_RESERVED_ALIAS):
            raise refused("aliasName must not begin with aws/")
        return value

    def tags(self) -> dict[str, str]:
        """``tags``, by key; empty if none are given."""
        return {tag["key"]: tag["value"] for tag in self.parameters.get("tags", ())}
