"""A trust policy that lets a certificate in, made of one that does not: its mistakes corrected.

What is no mistake stays: other statements, other principals, a Deny that is meant, a condition on
the time or the address. So a policy may still refuse the certificate afterwards.
"""

from __future__ import annotations

import copy
import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from .cautions import open_doors
from .document import Condition, Statement, TrustPolicy
from .editing import (
    Json,
    add_action,
    add_condition,
    add_principal,
    add_statement,
    replace_condition,
    set_version,
    statement_at,
)
from .evaluation import evaluate
from .facts import ACTIONS, PRINCIPAL_TAG, REQUEST_TAG, SERVICE
from .json_text import read_document
from .mistakes import Correction, correction_of
from .operators import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .facts import SessionFacts
    from .results import ActionResult, Evaluation, StatementResult

# Conditions that say whom a statement is for.
_ABOUT_WHOM: Final = frozenset(
    {
        "sts:sourceidentity",
        "sts:rolesessionname",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:tagkeys",
    }
)
_TAGS: Final = (PRINCIPAL_TAG.lower(), REQUEST_TAG.lower())
_LIKE_A_NAME: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedPolicy:
    """A trust policy after its correction.

    Attributes:
        document: the JSON, in the order of its author.
        evaluation: of the corrected policy.
        changes: what was changed, a sentence each; empty if the policy was right.
    """

    document: Json
    evaluation: Evaluation
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How a statement would come to let the session in.

    Attributes:
        misspelt: the principals that stand for IAM Roles Anywhere's; None if it is named.
        obstacles: conditions that keep the session out and are no mistakes.
    """

    result: StatementResult
    misspelt: tuple[tuple[str, str], ...] | None
    corrections: tuple[tuple[Condition, Correction], ...]
    obstacles: tuple[Condition, ...]

    @property
    def cost(self) -> int:
        """How much of the statement changes."""
        return len(self.corrections) + (self.misspelt is not None)


def correct(
    text: str | bytes, facts: SessionFacts, tight: Mapping[str, object], *, where: str
) -> CorrectedPolicy:
    """Correct the mistakes for which a trust policy refuses a session, or lets strangers in.

    Args:
        text: the policy's JSON.
        facts: of the session, with the trust anchor's canonical ARN.
        tight: the statement to add where no statement is meant for the certificate.
        where: the file it came from, for errors.

    Raises:
        ConfigurationError: it is not JSON, or not a trust policy; names the place in the JSON.
    """
    TrustPolicy.parse(text, where=where)
    work = _Work(cast("Json", read_document(text, where)), facts, tight)
    for action in ACTIONS:
        work.allow(action)
    work.name_the_anchor()
    return CorrectedPolicy(
        document=work.document, evaluation=work.evaluate(), changes=tuple(work.changes)
    )


class _Work:
    def __init__(self, document: Json, facts: SessionFacts, tight: Mapping[str, object]) -> None:
        self.document = document
        self.changes: list[str] = []
        self._facts = facts
        self._tight = tight

    def evaluate(self) -> Evaluation:
        return evaluate(TrustPolicy.parse(json.dumps(self.document)), self._facts)

    def allow(self, action: str) -> None:
        """Bring the policy to allow the action, as far as mistakes keep it from that."""
        evaluation = self.evaluate()
        if (verdict := _verdict(evaluation, action)).decision == "denied":
            self._open_guards(evaluation, verdict)
            evaluation = self.evaluate()
        if (verdict := _verdict(evaluation, action)).decision in ("denied", "allowed"):
            return
        plans = [
            plan
            for result in evaluation.statements
            if result.statement.effect == "Allow" and (plan := self._plan(result, evaluation))
        ]
        if any(
            not plan.cost and not plan.obstacles and action in plan.result.actions for plan in plans
        ):
            return  # undecided: by a condition that cannot be known here
        free = [plan for plan in plans if not plan.obstacles]
        # First one of the service's own, then one that has the action, then what changes least.
        free.sort(key=lambda p: (p.misspelt == (), action not in p.result.actions, p.cost))
        usable = [plan for plan in free if _can_take(plan, action)]
        if usable:
            self._carry_out(usable[0], action)
        elif all(_leaves_room(plan, action) for plan in plans):
            self._add_statement()

    def name_the_anchor(self) -> None:
        """Close the doors that stand open to every trust anchor of the account."""
        if self._facts.trust_anchor_arn is None:
            return
        named = Condition("ArnEquals", "aws:SourceArn", (self._facts.trust_anchor_arn,))
        for result in open_doors(self.evaluate().statements):
            statement = result.statement
            # Other principals of the statement have no such key, or another.
            if statement.principals.entries == (("Service", SERVICE),):
                add_condition(self._entry(statement), named)
                self._note(statement, "no trust anchor was named: aws:SourceArn is required now")

    def _plan(self, result: StatementResult, evaluation: Evaluation) -> _Plan | None:
        """How the statement would let the session in; None if it is not about Roles Anywhere."""
        misspelt = None
        if result.principal is not True:
            misspelt = _misspelt(result.statement)
            if misspelt is None:
                return None
        variables = evaluation.policy.has_variables
        corrections, obstacles = [], []
        for outcome in result.conditions:
            if outcome.holds is True:
                continue
            condition = outcome.condition
            meant = correction_of(condition, self._facts, variables=variables)
            if meant and _fits(meant, condition, result.statement, misspelt):
                corrections.append((condition, meant))
            elif outcome.holds is False:
                obstacles.append(condition)
        return _Plan(
            result=result,
            misspelt=misspelt,
            corrections=tuple(corrections),
            obstacles=tuple(obstacles),
        )

    def _carry_out(self, plan: _Plan, action: str) -> None:
        statement = plan.result.statement
        entry = self._entry(statement)
        if plan.misspelt is not None:
            add_principal(entry, plan.misspelt)
            names = " or ".join(repr(name) for _, name in plan.misspelt)
            self._note(
                statement,
                f"the Principal is the Service {SERVICE}" + (f", and not {names}" * bool(names)),
            )
        if action not in plan.result.actions:
            misspelt = difflib.get_close_matches(
                action, statement.actions.patterns, 1, _LIKE_A_NAME
            )
            add_action(entry, action, misspelt)
            instead = f", and {misspelt[0]} is no action" if misspelt else ""
            self._note(statement, f"{action} was missing: CreateSession needs it{instead}")
        for condition, meant in plan.corrections:
            self._replace(statement, condition, meant)

    def _replace(self, statement: Statement, condition: Condition, meant: Correction) -> None:
        replace_condition(self._entry(statement), condition, meant.condition)
        if meant.variables:
            set_version(self.document)
        for reason in meant.reasons:
            self._note(statement, reason)

    def _open_guards(self, evaluation: Evaluation, verdict: ActionResult) -> None:
        """Correct each Deny that would let the session pass, were its condition spelt right."""
        for result in evaluation.statements:
            if result.statement not in verdict.decided_by:
                continue
            for outcome in result.conditions:
                operator = Operator.parse(outcome.condition.operator)
                if operator is None or not operator.negated:
                    continue
                variables = evaluation.policy.has_variables
                meant = correction_of(
                    outcome.condition, self._facts, variables=variables, wanted=False
                )
                if meant:
                    self._replace(result.statement, outcome.condition, meant)
                    break

    def _add_statement(self) -> None:
        number = add_statement(self.document, copy.deepcopy(dict(self._tight)))
        self.changes.append(f"statement {number}: added, since no other is for this certificate")

    def _entry(self, statement: Statement) -> Json:
        return statement_at(self.document, statement.number)

    def _note(self, statement: Statement, clause: str) -> None:
        self.changes.append(f"{statement.name}: {clause}")


def _verdict(evaluation: Evaluation, action: str) -> ActionResult:
    return next(result for result in evaluation.actions if result.action == action)


def _can_take(plan: _Plan, action: str) -> bool:
    return action in plan.result.actions or not plan.result.statement.actions.negated


def _leaves_room(plan: _Plan, action: str) -> bool:
    """Whether another statement may stand beside it without undoing what it restricts.

    It may where the statement is for another certificate, or cannot be about the action; not where
    it keeps out this one, or asks for a time or an address.
    """
    if any(_is_for_others(condition) for condition in plan.obstacles):
        return True
    conditions = plan.result.statement.conditions
    return not _can_take(plan, action) and all(map(_is_for_others, conditions))


def _is_for_others(condition: Condition) -> bool:
    """Whether it says whom the statement is for, and not whom it keeps out."""
    key, operator = condition.key.lower(), Operator.parse(condition.operator)
    if operator is None or operator.negated:
        return False
    return key in _ABOUT_WHOM or key.startswith(_TAGS)


def _fits(
    correction: Correction,
    condition: Condition,
    statement: Statement,
    misspelt: Iterable[tuple[str, str]] | None,
) -> bool:
    """Whether the correction takes nothing away from what else the statement says."""
    meant = correction.condition
    if meant is None:
        others = set(statement.principals.entries) - set(misspelt or ()) - {("Service", SERVICE)}
        return not others
    return all(
        other is condition
        or (other.operator, other.key) != (meant.operator, meant.key)
        or set(meant.values) <= set(other.values)
        for other in statement.conditions
    )


def _misspelt(statement: Statement) -> tuple[tuple[str, str], ...] | None:
    """The names that stand for IAM Roles Anywhere's; None if the statement is not about it."""
    if statement.principals.negated:
        return None
    wrong = tuple(entry for entry in statement.principals.entries if _is_meant(entry[1]))
    about_certificates = any("x509" in condition.key.lower() for condition in statement.conditions)
    values = (value for condition in statement.conditions for value in condition.values)
    about_anchors = any(":rolesanywhere:" in value for value in values)
    return wrong if wrong or about_certificates or about_anchors else None


def _is_meant(name: str) -> bool:
    likeness = difflib.SequenceMatcher(None, name.strip().lower(), SERVICE).ratio()
    return "rolesanywhere" in name.lower() or likeness >= _LIKE_A_NAME
