"""Policy variables and wildcards: a value of the policy becomes a pattern. No operators here.

IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .facts import SessionFacts

# ${key} or ${key, 'default'}; and ${*}, ${?}, ${$}, which stand for the character itself.
VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT: Final = re.compile(r"(?P<key>[^,]*?)\s*,\s*'(?P<default>[^']*)'")
_WILD: Final = re.compile(r"[*?[]")
_LITERALS: Final = ("*", "?", "$")


class UnknownVariableError(Exception):
    """A variable's value is unknown; stays within this package."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A wanted value with its variables filled in.

    Attributes:
        text: the value.
        glob: the same as `fnmatch` takes it: in it, a ``*`` or ``?`` that was written as a literal
            stands in square brackets.
    """

    text: str
    glob: str

    def equals(self, value: str) -> bool:
        """Compare as text: a wildcard is a plain character."""
        return self.text == value

    def equals_in_any_case(self, value: str) -> bool:
        """Compare as `equals` does, whatever the case."""
        return self.text.casefold() == value.casefold()

    def matches(self, value: str) -> bool:
        """Compare with wildcards, in time that grows with the product of the two lengths."""
        return fnmatchcase(value, self.glob)

    def parts(self, separator: str, count: int) -> tuple[Pattern, ...]:
        """Split as `str.split` with a limit would, each part keeping its wildcards."""
        pieces = (whole.split(separator, count - 1) for whole in (self.text, self.glob))
        return tuple(map(Pattern, *pieces))


def plain(text: str) -> Pattern:
    """A pattern without variables."""
    return Pattern(text, text.replace("[", "[[]"))


def fill_in(text: str, facts: SessionFacts) -> Pattern | None:
    """Fill the variables of a wanted value in from the facts.

    Returns:
        The pattern, or None if a variable has no value: then nothing is equal to or like it.

    Raises:
        UnknownVariableError: a variable's value is unknown.
    """
    filled = glob = ""
    # Text and, between two of them, the name of a variable.
    for number, part in enumerate(VARIABLE.split(text)):
        if number % 2 == 0:
            filled += part
            glob += plain(part).glob
        elif (value := _value(part, facts)) is None:
            return None
        else:
            filled += value
            glob += _WILD.sub(r"[\g<0>]", value)
    return Pattern(filled, glob)


def _value(expression: str, facts: SessionFacts) -> str | None:
    if expression in _LITERALS:
        return expression
    with_default = _WITH_DEFAULT.fullmatch(expression)
    key = with_default["key"] if with_default else expression.strip()
    fact = facts.look_up(key)
    if fact.unknown:
        raise UnknownVariableError(f"the variable ${{{key}}}: {fact.unknown}")
    if fact.several:
        # "You cannot use multivalued context keys as policy variables", says the User Guide.
        raise UnknownVariableError(f"the variable ${{{key}}} has several values")
    if fact.values:
        return fact.values[0]
    return with_default["default"] if with_default else None
