"""The whole policy against a session: each statement, each of the three actions, the verdict.

IAM User Guide, "Policy evaluation logic": an explicit Deny wins, then an Allow, else it is denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .cautions import find_warnings
from .facts import ACTIONS, SERVICE
from .operators import ConditionResult, evaluate_condition
from .variables import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .document import Statement, TrustPolicy
    from .facts import SessionFacts

Decision = Literal["allowed", "denied", "implicitly denied", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementResult:
    """One statement against the session.

    Attributes:
        principal: whether it is about IAM Roles Anywhere; None if that cannot be told.
        actions: those of `ACTIONS` that it is about.
        conditions: every one of them, also those after a failed one.
    """

    statement: Statement
    principal: bool | None
    actions: tuple[str, ...]
    conditions: tuple[ConditionResult, ...]

    @property
    def applies(self) -> bool | None:
        """Whether it takes effect for its actions; None if that cannot be told."""
        return _all([self.principal, bool(self.actions), *(c.holds for c in self.conditions)])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """The verdict for one action.

    Attributes:
        decided_by: the statements that decided it, or on which it hangs.
    """

    action: str
    decision: Decision
    decided_by: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a trust policy makes of a session.

    Attributes:
        warnings: what is dangerous or likely a mistake, whatever the verdict.
    """

    policy: TrustPolicy
    statements: tuple[StatementResult, ...]
    actions: tuple[ActionResult, ...]
    warnings: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether every action is allowed, so that CreateSession can succeed."""
        return all(action.decision == "allowed" for action in self.actions)

    def to_json(self) -> dict[str, object]:
        """The evaluation as JSON values, with keys that stay."""
        return {
            "allowed": self.allowed,
            "actions": [
                {
                    "action": action.action,
                    "decision": action.decision,
                    "decidedBy": [statement.number for statement in action.decided_by],
                }
                for action in self.actions
            ],
            "statements": [_statement_to_json(result) for result in self.statements],
            "warnings": list(self.warnings),
        }


def evaluate(policy: TrustPolicy, facts: SessionFacts) -> Evaluation:
    """Evaluate a trust policy for a session. Never raises.

    Args:
        policy: as parsed.
        facts: the session's.
    """
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

    What a ``*`` within a service's name means is not documented.
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

    if denies := those("Deny", applies=True):
        return ActionResult(action=action, decision="denied", decided_by=denies)
    allows = those("Allow", applies=True)
    doubts = those("Deny", applies=None)
    if not allows:
        doubts = those("Allow", applies=None)
        if not doubts:
            return ActionResult(action=action, decision="implicitly denied", decided_by=())
    if doubts:
        return ActionResult(action=action, decision="undecided", decided_by=doubts)
    return ActionResult(action=action, decision="allowed", decided_by=allows)


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    """As `all`, with None for "cannot be told": one False decides it all the same."""
    collected = list(verdicts)
    if any(verdict is False for verdict in collected):
        return False
    return None if None in collected else True


def _statement_to_json(result: StatementResult) -> dict[str, object]:
    return {
        "statement": result.statement.number,
        "sid": result.statement.sid,
        "effect": result.statement.effect,
        "applies": result.applies,
        "principal": result.principal,
        "actions": list(result.actions),
        "conditions": [
            {
                "operator": condition.condition.operator,
                "key": condition.condition.key,
                "holds": condition.holds,
                "seen": list(condition.seen),
                "wanted": list(condition.wanted),
                "reason": condition.reason,
            }
            for condition in result.conditions
        ],
    }
