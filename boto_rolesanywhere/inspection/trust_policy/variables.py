"""Policy variables and wildcards: a value of the policy becomes a pattern. No operators here.

IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .facts import SessionFacts

# ${key} or ${key, 'default'}; and ${*}, ${?}, ${$}, which stand for the character itself.
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT: Final = re.compile(r"(?P<key>[^,]*?)\s*,\s*'(?P<default>[^']*)'")
_LITERALS: Final = ("*", "?", "$")


class UnknownVariableError(Exception):
    """A variable's value is unknown; stays within this package."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A wanted value with its variables filled in.

    Attributes:
        text: the value.
        wild: where in `text` a ``*`` or ``?`` stands that was not written as a literal.
    """

    text: str
    wild: frozenset[int]

    def equals(self, value: str) -> bool:
        """Compare as text: a wildcard is a plain character."""
        return self.text == value

    def equals_in_any_case(self, value: str) -> bool:
        """Compare as `equals` does, whatever the case."""
        return self.text.casefold() == value.casefold()

    def matches(self, value: str) -> bool:
        """Compare with wildcards, in time that grows with the product of the two lengths."""
        place, at, star, mark = 0, 0, -1, 0
        while at < len(value):
            if place < len(self.text) and self._takes(place, value[at]):
                place, at = place + 1, at + 1
            elif place < len(self.text) and self._is(place, "*"):
                star, mark, place = place, at, place + 1
            elif star >= 0:
                # Let the last asterisk swallow one character more, and try again from there.
                mark += 1
                place, at = star + 1, mark
            else:
                return False
        return all(self._is(rest, "*") for rest in range(place, len(self.text)))

    def parts(self, separator: str, count: int) -> tuple[Pattern, ...]:
        """Split as `str.split` with a limit would, each part keeping its wildcards."""
        found, start = [], 0
        for piece in self.text.split(separator, count - 1):
            end = start + len(piece)
            found.append(
                Pattern(piece, frozenset(n - start for n in self.wild if start <= n < end))
            )
            start = end + len(separator)
        return tuple(found)

    def _is(self, place: int, wildcard: str) -> bool:
        return place in self.wild and self.text[place] == wildcard

    def _takes(self, place: int, character: str) -> bool:
        if place in self.wild:
            return self.text[place] == "?"
        return self.text[place] == character


def plain(text: str) -> Pattern:
    """A pattern without variables."""
    return Pattern(text, frozenset(n for n, char in enumerate(text) if char in "*?"))


def fill_in(text: str, facts: SessionFacts) -> Pattern | None:
    """Fill the variables of a wanted value in from the facts.

    Returns:
        The pattern, or None if a variable has no value: then nothing is equal to or like it.

    Raises:
        UnknownVariableError: a variable's value is unknown.
    """
    filled, wild, done = "", set(), 0
    for found in _VARIABLE.finditer(text):
        before = text[done : found.start()]
        wild |= {len(filled) + n for n, char in enumerate(before) if char in "*?"}
        value = _value(found[1], facts)
        if value is None:
            return None
        filled += before + value
        done = found.end()
    rest = text[done:]
    wild |= {len(filled) + n for n, char in enumerate(rest) if char in "*?"}
    return Pattern(filled + rest, frozenset(wild))


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
