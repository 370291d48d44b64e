"""The whole policy against a session: each statement, each of the three actions, the verdict.

IAM User Guide, "Policy evaluation logic": an explicit Deny wins, then an Allow, else it is denied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cautions import find_warnings
from .facts import ACTIONS, SERVICE
from .operators import evaluate_condition
from .results import ActionResult, Evaluation, StatementResult
from .variables import plain

if TYPE_CHECKING:
    from .document import Statement, TrustPolicy
    from .facts import SessionFacts
    from .results import Decision


def evaluate(policy: TrustPolicy, facts: SessionFacts) -> Evaluation:
    """Evaluate a trust policy for a session. Never raises."""
    statements = tuple(
        _evaluate_statement(statement, facts, variables=policy.has_variables)
        for statement in policy.statements
    )
    return Evaluation(
        policy=policy,
        statements=statements,
        actions=tuple(_decide(action, statements) for action in ACTIONS),
        warnings=tuple(find_warnings(policy, statements, facts)),
    )


def _evaluate_statement(
    statement: Statement, facts: SessionFacts, *, variables: bool
) -> StatementResult:
    return StatementResult(
        statement=statement,
        principal=_is_about_us(statement),
        actions=tuple(action for action in ACTIONS if _names(statement, action)),
        conditions=tuple(
            evaluate_condition(condition, facts, variables=variables)
            for condition in statement.conditions
        ),
    )


def _is_about_us(statement: Statement) -> bool | None:
    """Whether the Principal is the service: named in full, or by ``*`` alone.

    IAM does not document a ``*`` within a service's name.
    """
    principals = statement.principals
    named = {("AWS", "*"), ("Service", SERVICE)} & set(principals.entries)
    if not named and any("*" in name for kind, name in principals.entries if kind == "Service"):
        return None
    return bool(named) != principals.negated


def _names(statement: Statement, action: str) -> bool:
    # Action names are not case-sensitive, and take wildcards (User Guide, "Action").
    patterns = statement.actions.patterns
    named = any(plain(pattern.lower()).matches(action.lower()) for pattern in patterns)
    return named != statement.actions.negated


def _decide(action: str, results: tuple[StatementResult, ...]) -> ActionResult:
    about = [result for result in results if action in result.actions]

    def those(effect: str, *, applies: bool | None) -> tuple[Statement, ...]:
        return tuple(
            r.statement for r in about if r.statement.effect == effect and r.applies is applies
        )

    denies, allows = those("Deny", applies=True), those("Allow", applies=True)
    doubts = those("Deny" if allows else "Allow", applies=None)
    decision: Decision = "allowed" if allows else "implicitly denied"
    if doubts:
        decision = "undecided"
    if denies:
        decision = "denied"
    return ActionResult(action=action, decision=decision, decided_by=denies or doubts or allows)
