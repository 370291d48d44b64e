"""Does a role's trust policy let IAM Roles Anywhere in, for this certificate?

For roles that come from an IAM of their own (moto, say): without IAM, `Role` says in plain fields
what it asks for. It knows the conditions that such policies use; one with any other is not met, and
the record of the request says so.
"""

from __future__ import annotations

import re
from operator import eq
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Statement: TypeAlias = "Mapping[str, Any]"

_SERVICE: Final = "rolesanywhere.amazonaws.com"
_ACTIONS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def trust_problem(policy: Mapping[str, Any], context: Mapping[str, str]) -> str | None:
    """Why a trust policy does not let the service in; None if it does.

    Args:
        policy: the document, decoded.
        context: values of condition keys, such as ``aws:SourceArn`` or
            ``aws:PrincipalTag/x509Subject/CN``. A key that is not in it is not in the request.
    """
    statements = _listed(policy.get("Statement", ()))
    concerned = [each for each in statements if _names_service(each.get("Principal"))]
    if not concerned:
        return f"no statement of its trust policy names {_SERVICE}"
    for action in _ACTIONS:
        about = [each for each in concerned if _names_action(each, action)]
        unmet = {id(each): _unmet(each, context) for each in about}
        if any(each.get("Effect") == "Deny" and unmet[id(each)] is None for each in about):
            return f"its trust policy denies {action}"
        allowing = [each for each in about if each.get("Effect") == "Allow"]
        if not any(unmet[id(each)] is None for each in allowing):
            reasons = [str(unmet[id(each)]) for each in allowing]
            return f"its trust policy does not allow {action}{': ' if reasons else ''}" + "; ".join(
                reasons
            )
    return None


def _listed(value: Any) -> Sequence[Any]:  # noqa: ANN401  # JSON
    return value if isinstance(value, (list, tuple)) else [value]


def _names_service(principal: object) -> bool:
    if isinstance(principal, dict):
        return _SERVICE in _listed(principal.get("Service", ()))
    return principal == "*"


def _names_action(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_like(action, each) for each in _listed(statement["NotAction"]))
    return any(_like(action, each) for each in _listed(statement.get("Action", ())))


def _unmet(statement: Statement, context: Mapping[str, str]) -> str | None:
    """The first condition of a statement that is not met; None if all are."""
    lower = {key.lower(): value for key, value in context.items()}  # keys have no case, says IAM
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            value = lower.get(key.lower())
            met = _is_met(operator, value, [str(each) for each in _listed(wanted)])
            if met is None:
                return f"the emulator does not know the condition {operator}"
            if not met:
                return f"{operator} asks {key} for {wanted}, and it is {value!r}"
    return None


def _is_met(operator: str, value: str | None, wanted: Sequence[str]) -> bool | None:
    """Whether a value is as a condition wants it; None if the operator is not known here.

    Args:
        operator: such as ``StringNotLikeIfExists`` or ``ForAnyValue:ArnEquals``.
        value: None if the key is not in the request.
        wanted: values of which one must (or, of a negated operator, none may) match.
    """
    quantified = re.sub(r"\A(ForAnyValue|ForAllValues):", "", operator)  # every value is single
    name = quantified.removesuffix("IfExists")
    if name == "Null":
        return ("true" in map(str.lower, wanted)) is (value is None)
    negated = name.startswith(("StringNot", "ArnNot"))
    matches = _MATCHERS.get(name.replace("Not", "", 1) if negated else name)
    if matches is None:
        return None
    if value is None:  # which ForAllValues and a negated operator take, says IAM
        return negated or name != quantified or operator.startswith("ForAllValues:")
    return any(matches(value, each) for each in wanted) is not negated


def _like(value: str, pattern: str) -> bool:
    """Whether it matches a pattern with ``*`` and ``?``, whatever the case (of actions)."""
    return _matches(value.lower(), pattern.lower())


def _matches(value: str, pattern: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _arn_matches(value: str, pattern: str) -> bool:
    """As text, but no wildcard reaches over one of the first five colons."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(_matches, parts, patterns))


def _same_in_any_case(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


# The operators on texts and ARNs, and Bool; of each of the first two also the negated one.
_MATCHERS: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": eq,
    "StringLike": _matches,
    "StringEqualsIgnoreCase": _same_in_any_case,
    "ArnEquals": _arn_matches,
    "ArnLike": _arn_matches,
    "Bool": _same_in_any_case,
}
