"""Ending sessions that a certificate has got: a deny on the role for those that began before.

Revocation keeps a certificate from new sessions; what it has got before goes on. IAM knows when a
session began (``aws:TokenIssueTime``) and on whose behalf (``aws:SourceIdentity``, which IAM Roles
Anywhere sets from the certificate, and which stays with further roles of a chain).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.account.trust_policies import policy_of
from boto_rolesanywhere.errors import ServiceError

if TYPE_CHECKING:
    from boto_rolesanywhere.account.administrator import Administrator

POLICY_NAME: Final = "boto-rolesanywhere-ended-sessions"
# AWS refuses a certificate within about a second of a new list (seen by users; not documented).
MARGIN: Final = timedelta(seconds=5)
_LONGEST_SESSION: Final = timedelta(hours=12)
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def ending_statement(source_identity: str, before: datetime) -> dict[str, Any]:
    """A statement that denies everything to sessions of a SourceIdentity that began before."""
    return {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceIdentity": source_identity},
            "DateLessThan": {"aws:TokenIssueTime": before.astimezone(timezone.utc).strftime(_TIME)},
        },
    }


def end_sessions(
    administrator: Administrator, role: str, source_identity: str, before: datetime
) -> dict[str, Any]:
    """Deny everything to the sessions of a SourceIdentity that began before.

    The role keeps one inline policy of ours. Statements about sessions that have ended by
    themselves, after 12 hours, leave it.

    Args:
        administrator: may change the role.
        role: its name, or its ARN.
        source_identity: of the certificate.
        before: sessions that began earlier are ended.

    Returns:
        The policy that the role has now.

    Raises:
        RolesAnywhereError: IAM refused a call.
    """
    name = role.rpartition("/")[2]
    kept = [
        statement
        for statement in _present(administrator, name)
        if not _is_ours(statement)
        or (not _is_over(statement, before) and _identity(statement) != source_identity)
    ]
    policy = policy_of([*kept, ending_statement(source_identity, before)])
    administrator.call(
        "iam",
        "PutRolePolicy",
        RoleName=name,
        PolicyName=POLICY_NAME,
        PolicyDocument=json.dumps(policy),
    )
    return policy


def _present(administrator: Administrator, role: str) -> list[dict[str, Any]]:
    try:
        answer = administrator.call("iam", "GetRolePolicy", RoleName=role, PolicyName=POLICY_NAME)
    except ServiceError as error:
        if error.service_code != "NoSuchEntity" or "policy" not in error.service_message.lower():
            raise
        return []
    statements = answer["PolicyDocument"]["Statement"]
    return list(statements) if isinstance(statements, list) else [statements]


def _is_ours(statement: dict[str, Any]) -> bool:
    """Whether it has the form of `ending_statement`. Statements that others wrote stay."""
    condition = statement.get("Condition", {})
    try:
        datetime.strptime(condition["DateLessThan"]["aws:TokenIssueTime"], _TIME)  # noqa: DTZ007  # its form alone
        return isinstance(condition["StringEquals"]["aws:SourceIdentity"], str)
    except (KeyError, TypeError, ValueError):
        return False


def _identity(statement: dict[str, Any]) -> str:
    return str(statement["Condition"]["StringEquals"]["aws:SourceIdentity"])


def _is_over(statement: dict[str, Any], now: datetime) -> bool:
    text = statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    ended = datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
    return ended + _LONGEST_SESSION < now
