"""A session whose facts are known, and small trust policies about it."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from boto_rolesanywhere.inspection.trust_policy import (
    ACTIONS,
    ConditionResult,
    SessionFacts,
    TrustPolicy,
    evaluate,
)

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0-1"


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


CN = "aws:PrincipalTag/x509Subject/CN"


OU = "aws:PrincipalTag/x509Subject/OU"


ABSENT = "aws:PrincipalTag/x509Subject/ST"


def facts(**changes: object) -> SessionFacts:
    given = {
        "tags": {
            "x509Subject/CN": "web-1",
            "x509Subject/OU": "Security/Operations",
            "x509Subject/L": "7",
            "x509SAN/URI": "spiffe://example.com/ns/prod",
            "x509Subject/DC": "corp",
        },
        "source_identity": "CN=web-1",
        "session_name": "00ab12",
        "trust_anchor_arn": ANCHOR,
        "now": NOW,
        "undocumented_tags": frozenset({"x509Subject/DC"}),
    }
    return SessionFacts(**(given | changes))


def statement(condition: dict[str, object] | None = None, **changes: object) -> dict[str, object]:
    given = {
        "Effect": "Allow",
        "Principal": {"Service": "rolesanywhere.amazonaws.com"},
        "Action": list(ACTIONS),
    }
    if condition is not None:
        given["Condition"] = condition
    given |= changes
    return {key: value for key, value in given.items() if value is not None}


def policy(*statements: dict[str, object], version: str = "2012-10-17") -> TrustPolicy:
    return TrustPolicy.parse(json.dumps({"Version": version, "Statement": list(statements)}))


def one(operator: str, key: str, wanted: object, **changes: object) -> ConditionResult:
    """The result of one condition, alone in a policy."""
    evaluation = evaluate(policy(statement({operator: {key: wanted}})), facts(**changes))
    return evaluation.statements[0].conditions[0]


def decisions(*statements: dict[str, object], **changes: object) -> list[str]:
    evaluation = evaluate(policy(*statements), facts(**changes))
    return [action.decision for action in evaluation.actions]
