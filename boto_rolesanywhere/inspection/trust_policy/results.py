"""What the evaluation of a policy found: for each statement, each action, and as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .operators import all_hold

if TYPE_CHECKING:
    from .document import Statement, TrustPolicy
    from .operators import ConditionResult

Decision = Literal["allowed", "denied", "implicitly denied", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementResult:
    """One statement against the session.

    Attributes:
        principal: whether the Principal is IAM Roles Anywhere; None if undecided.
        actions: the members of `ACTIONS` that the statement covers.
        conditions: every one of them, also those after a failed one.
    """

    statement: Statement
    principal: bool | None
    actions: tuple[str, ...]
    conditions: tuple[ConditionResult, ...]

    @property
    def applies(self) -> bool | None:
        """Whether the statement takes effect for its actions; None if undecided."""
        return all_hold([self.principal, bool(self.actions), *(c.holds for c in self.conditions)])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """The verdict for one action.

    Attributes:
        decided_by: the statements that decided the action, or whose result is undecided.
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
