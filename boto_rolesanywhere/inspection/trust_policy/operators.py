"""One condition of a statement, evaluated: operator, set operator, IfExists, absent keys.

The answer is True, False or None (undecided).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from . import comparisons as compare
from .comparisons import Comparison, NotComparableError
from .variables import Pattern, UnknownVariableError, fill_in, plain

if TYPE_CHECKING:
    from .document import Condition
    from .facts import Fact, SessionFacts

Quantifier = Literal["ForAnyValue", "ForAllValues"]
# A value of the policy: None if a variable in it has no value, the error if that is not known.
_Wanted: TypeAlias = Pattern | UnknownVariableError | None

_QUANTIFIERS: Final[tuple[Quantifier, ...]] = get_args(Quantifier)
# Operator → (comparison, negated, whether policy variables are filled in).
OPERATORS: Final[dict[str, tuple[Comparison, bool, bool]]] = {
    "StringEquals": (Pattern.equals, False, True),
    "StringNotEquals": (Pattern.equals, True, True),
    "StringEqualsIgnoreCase": (Pattern.equals_in_any_case, False, True),
    "StringNotEqualsIgnoreCase": (Pattern.equals_in_any_case, True, True),
    "StringLike": (Pattern.matches, False, True),
    "StringNotLike": (Pattern.matches, True, True),
    "ArnEquals": (compare.arn_like, False, True),
    "ArnLike": (compare.arn_like, False, True),
    "ArnNotEquals": (compare.arn_like, True, True),
    "ArnNotLike": (compare.arn_like, True, True),
    "Bool": (compare.boolean, False, True),
    "BinaryEquals": (compare.binary_equals, False, False),
    "IpAddress": (compare.ip_address, False, False),
    "NotIpAddress": (compare.ip_address, True, False),
    "NumericEquals": (compare.numeric(operator.eq), False, False),
    "NumericNotEquals": (compare.numeric(operator.eq), True, False),
    "NumericLessThan": (compare.numeric(operator.lt), False, False),
    "NumericLessThanEquals": (compare.numeric(operator.le), False, False),
    "NumericGreaterThan": (compare.numeric(operator.gt), False, False),
    "NumericGreaterThanEquals": (compare.numeric(operator.ge), False, False),
    "DateEquals": (compare.date(operator.eq), False, False),
    "DateNotEquals": (compare.date(operator.eq), True, False),
    "DateLessThan": (compare.date(operator.lt), False, False),
    "DateLessThanEquals": (compare.date(operator.le), False, False),
    "DateGreaterThan": (compare.date(operator.gt), False, False),
    "DateGreaterThanEquals": (compare.date(operator.ge), False, False),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator taken apart: ``ForAnyValue:StringLikeIfExists`` has all three parts."""

    base: str
    quantifier: Quantifier | None
    if_exists: bool

    @property
    def negated(self) -> bool:
        """Whether it holds when the values do not match."""
        return self.base in OPERATORS and OPERATORS[self.base][1]

    @classmethod
    def parse(cls, text: str) -> Operator | None:
        """Take `text` apart; None if it is no operator of IAM."""
        if text == "Null":
            return cls(text, None, if_exists=False)
        quantifier = next((each for each in _QUANTIFIERS if text.startswith(f"{each}:")), None)
        text = text.removeprefix(f"{quantifier}:")
        base = text.removesuffix("IfExists")
        return cls(base, quantifier, base != text) if base in OPERATORS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """The result of one condition.

    Attributes:
        condition: as it stands in the policy.
        holds: True or False; None if undecided.
        seen: the key's values in the request; empty if the key is absent (or unknown).
        wanted: the policy's values with their variables filled in, where that could be done.
        reason: why it holds for an absent key, fails oddly or is undecided; None if the values
            speak for themselves.
    """

    condition: Condition
    holds: bool | None
    seen: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    reason: str | None = None


def evaluate_condition(
    condition: Condition, facts: SessionFacts, *, variables: bool
) -> ConditionResult:
    """Evaluate one condition against the session."""
    parsed = Operator.parse(condition.operator)
    fact = facts.look_up(condition.key)
    holds: bool | None = None
    wanted, reason = condition.values, fact.unknown
    if parsed is None:
        reason = "IAM documents no such operator"
    elif reason is None and parsed.base == "Null":
        holds, reason = _null(condition.values, fact)
    elif reason is None and not fact.values:
        holds, reason = _absent(parsed, fact)
    elif reason is None and fact.several and parsed.quantifier is None:
        reason = "the key has several values: IAM wants ForAnyValue: or ForAllValues: before it"
    elif reason is None:
        patterns = _patterns(condition, facts, parsed, variables=variables)
        wanted = tuple(map(_text, condition.values, patterns))
        holds, reason = _compare(parsed, fact, patterns)
    return ConditionResult(
        condition=condition, holds=holds, seen=fact.values, wanted=wanted, reason=reason
    )


def _null(values: tuple[str, ...], fact: Fact) -> tuple[bool | None, str | None]:
    wanted = {value.lower() for value in values}
    if not wanted <= {"true", "false"}:
        return None, "Null takes 'true' or 'false'"
    return ("false" if fact.values else "true") in wanted, None


def _absent(operator: Operator, fact: Fact) -> tuple[bool, str]:
    """IAM User Guide: "If the key … is not present", and the same for IfExists and the sets."""
    missing = "the session has no such key"
    if fact.absent_because:
        missing += f" ({fact.absent_because})"
    if operator.if_exists:
        return True, f"{missing}, and IfExists then holds"
    if operator.quantifier == "ForAllValues":
        return True, f"{missing}, and ForAllValues then holds"
    if operator.negated and operator.quantifier is None:
        return True, f"{missing}, and a negated operator then holds"
    return False, missing


def _patterns(
    condition: Condition, facts: SessionFacts, operator: Operator, *, variables: bool
) -> list[_Wanted]:
    takes_variables = OPERATORS[operator.base][2]
    if not variables or not takes_variables:
        return [plain(value) for value in condition.values]
    return [_filled_in(value, facts) for value in condition.values]


def _filled_in(value: str, facts: SessionFacts) -> _Wanted:
    try:
        return fill_in(value, facts)
    except UnknownVariableError as error:  # another of the values may decide
        return error


def _text(written: str, wanted: _Wanted) -> str:
    if isinstance(wanted, UnknownVariableError):
        return written
    return "(no value)" if wanted is None else wanted.text


def _compare(
    operator: Operator, fact: Fact, patterns: list[_Wanted]
) -> tuple[bool | None, str | None]:
    comparison, negated, _ = OPERATORS[operator.base]
    doubts: list[str] = []

    def matches(value: str, pattern: _Wanted) -> bool | None:
        try:
            if isinstance(pattern, UnknownVariableError):
                raise pattern
            return pattern is not None and comparison(pattern, value)
        except (UnknownVariableError, NotComparableError) as error:
            doubts.append(str(error))
            return None

    def holds(value: str) -> bool | None:
        # Several values of the policy are alternatives; negated, none of them may match.
        found = _any_of([matches(value, pattern) for pattern in patterns])
        return None if found is None else found != negated

    each = [holds(value) for value in fact.values]
    result = _any_of(each) if operator.quantifier == "ForAnyValue" else all_hold(each)
    if result is None:
        return None, doubts[0]
    return result, None if result else _near_miss(fact, patterns)


def _any_of(found: list[bool | None]) -> bool | None:
    """Whether any is true; None if none is true and at least one is undecided."""
    return True if True in found else None if None in found else False


def all_hold(found: list[bool | None]) -> bool | None:
    """Whether all are true; None if none is false and at least one is undecided."""
    return False if False in found else None if None in found else True


def _near_miss(fact: Fact, patterns: list[_Wanted]) -> str | None:
    if None in patterns:
        return "a policy variable has no value in this session"
    for pattern in patterns:
        if not isinstance(pattern, Pattern):
            continue
        for value in fact.values:
            if value.casefold() == pattern.text.casefold():
                return "they differ in case only" if value != pattern.text else None
            if value.strip() == pattern.text.strip():
                return "they differ in blanks only"
    return None
