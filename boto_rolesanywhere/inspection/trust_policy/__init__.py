"""A role's trust policy, and whether it lets a certificate's session in. Nothing asks AWS.

`TrustPolicy.parse` reads the JSON, `SessionFacts` holds what IAM would know of the session, and
`evaluate` says which of the three actions are allowed and why each statement fails. Where IAM's
documentation leaves the result open, the result is undecided, never a guess. `correct` mends the
mistakes for which a policy refuses a session.
"""

from __future__ import annotations

from .correction import CorrectedPolicy, correct
from .document import Condition, Statement, TrustPolicy
from .evaluation import evaluate
from .facts import ACTIONS, SessionFacts
from .operators import ConditionResult
from .results import ActionResult, Evaluation, StatementResult

__all__ = [
    "ACTIONS",
    "ActionResult",
    "Condition",
    "ConditionResult",
    "CorrectedPolicy",
    "Evaluation",
    "SessionFacts",
    "Statement",
    "StatementResult",
    "TrustPolicy",
    "correct",
    "evaluate",
]
