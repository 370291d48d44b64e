"""Warnings: what in a trust policy is dangerous or likely a mistake, whatever its verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .facts import ACTIONS, PRINCIPAL_TAG, REQUEST_TAG
from .operators import Operator
from .variables import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .document import Condition, TrustPolicy
    from .facts import SessionFacts
    from .operators import ConditionResult
    from .results import StatementResult

_ANY_ANCHOR: Final = re.compile(r"[*?:]*|.*:(trust-anchor/)?\*+")
_PROFILE_ARN: Final = re.compile(r"arn:[^:]*:rolesanywhere:[^:]*:[^:]*:(alias/)?profile/")


# The same for all of an account's certificates, unless the second names one trust anchor.
_OF_THE_ACCOUNT: Final = ("aws:sourceaccount", "aws:sourcearn")


def find_warnings(
    policy: TrustPolicy, results: tuple[StatementResult, ...], facts: SessionFacts
) -> Iterator[str]:
    """Yield one sentence for each thing worth knowing."""
    yield from _missing_actions(results)
    guards = [guard for result in results for guard in _guards(result)]
    for result in results:
        if result.principal is not False and result.actions:
            yield from _open_door(result, guards)
            for condition in result.conditions:
                for text in _condition_warnings(policy, result, condition, facts):
                    yield f"{result.statement.name}: {text}"


def _missing_actions(results: tuple[StatementResult, ...]) -> Iterator[str]:
    """User Guide, "Trust policy": the policy must grant all three."""
    granted = {
        action
        for result in results
        if result.statement.effect == "Allow" and result.principal is not False
        for action in result.actions
    }
    missing = [action for action in ACTIONS if action not in granted]
    if missing and granted:
        yield (
            f"no statement allows IAM Roles Anywhere {' and '.join(missing)}: "
            f"CreateSession needs all of {', '.join(ACTIONS)}"
        )


def _guards(result: StatementResult) -> Iterator[Condition]:
    """The single negated condition of a Deny, if it has one: all that the Deny lets through."""
    statement = result.statement
    parsed = [Operator.parse(condition.operator) for condition in statement.conditions]
    denies = statement.effect == "Deny" and "sts:AssumeRole" in result.actions
    if denies and result.principal and len(parsed) == 1 and parsed[0] and parsed[0].negated:
        yield statement.conditions[0]


def open_doors(results: tuple[StatementResult, ...]) -> tuple[StatementResult, ...]:
    """The statements that let in certificates of every trust anchor of the account."""
    guards = [guard for result in results for guard in _guards(result)]
    return tuple(
        result
        for result in results
        if result.principal is not False and any(_open_door(result, guards))
    )


def _open_door(result: StatementResult, guards: list[Condition]) -> Iterator[str]:
    statement = result.statement
    if statement.effect != "Allow" or "sts:AssumeRole" not in result.actions:
        return
    if any(_is_of_anchor(guard) for guard in guards):
        return
    guarded = any(guard.key.lower() not in _OF_THE_ACCOUNT for guard in guards)
    if not guarded and not any(map(_tells_apart, statement.conditions)):
        lack = " that tells certificates apart" if statement.conditions else ""
        yield (
            f"{statement.name} has no Condition{lack}: every certificate of every trust anchor in "
            "the account reaches the role. Add ArnEquals on aws:SourceArn, and a condition on the "
            "certificate's values"
        )
        return
    if not any(map(_names_anchor, statement.conditions)):
        yield (
            f"{statement.name} names no trust anchor: certificates of every trust anchor in the "
            "account that have these values reach the role. Add ArnEquals on aws:SourceArn"
        )


def _tells_apart(condition: Condition) -> bool:
    """Whether the condition could keep out a certificate of the same account."""
    key = condition.key.lower()
    return _names_anchor(condition) if key == "aws:sourcearn" else key != "aws:sourceaccount"


def _names_anchor(condition: Condition) -> bool:
    parsed = Operator.parse(condition.operator)
    return parsed is not None and not parsed.negated and _is_of_anchor(condition)


def _is_of_anchor(condition: Condition) -> bool:
    parsed = Operator.parse(condition.operator)
    return (
        condition.key.lower() == "aws:sourcearn"
        and parsed is not None
        and parsed.base.startswith(("Arn", "String"))
        and not any(_ANY_ANCHOR.fullmatch(value) for value in condition.values)
    )


def _condition_warnings(
    policy: TrustPolicy, result: StatementResult, outcome: ConditionResult, facts: SessionFacts
) -> Iterator[str]:
    condition = outcome.condition
    key, values = condition.key, condition.values
    parsed = Operator.parse(condition.operator)
    if parsed is None:
        return
    absent = not outcome.seen and outcome.holds is not None
    if absent and outcome.holds and parsed.base != "Null":
        sense = "lets such a session in" if result.statement.effect == "Allow" else "denies it"
        yield (
            f"{condition.operator} on {key} holds because the session has no such key, and so "
            f"{sense}. A profile's attribute mapping or a character that STS refuses can remove it"
        )
    if parsed.quantifier == "ForAllValues" and not absent:
        yield f"{condition.operator} on {key} would also hold for a session that has no such key"
    if key.lower() == "aws:sourcearn" and any(_PROFILE_ARN.match(value) for value in values):
        yield "aws:SourceArn is the trust anchor's ARN, never a profile's: this cannot match"
    if key.lower() == "aws:sourceidentity":
        yield "aws:SourceIdentity is of later requests; that of CreateSession is sts:SourceIdentity"
    takes_none = parsed.base.startswith("String") and "Like" not in parsed.base
    if takes_none and any(re.search(r"[*?]", VARIABLE.sub("", value)) for value in values):
        yield f"{condition.operator} takes * and ? as plain characters; StringLike has wildcards"
    if not policy.has_variables and any("${" in value for value in values):
        yield "without Version 2012-10-17 a ${…} is plain text, not a variable"
    if _tag(key) in {tag.lower() for tag in facts.undocumented_tags}:
        yield f"AWS does not document the name of {key}; try it before you rely on it"


def _tag(key: str) -> str:
    for prefix in (PRINCIPAL_TAG.lower(), REQUEST_TAG.lower()):
        key = key.lower().removeprefix(prefix)
    return key
