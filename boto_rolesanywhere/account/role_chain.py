"""The trust policy of a role that sessions of another role go on to, say in another account.

IAM User Guide, "Monitor and control actions taken with assumed roles": a SourceIdentity stays for
the whole chain, each role of it must allow ``sts:SetSourceIdentity``, and so must the permissions
of the role before; later requests of a session carry the value as ``aws:SourceIdentity``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from boto_rolesanywhere.settings.arns import Arn

_VERSION: Final = "2012-10-17"
_TAGS: Final = "sts:TagSession"


def chained_trust_policy(
    first_role: Arn, source_identity: str, *, passes_tags: bool
) -> dict[str, Any]:
    """The trust policy of the second role, for one certificate's sessions of the first.

    Args:
        first_role: that IAM Roles Anywhere gives sessions of.
        source_identity: of those sessions, for example ``CN=app1``.
        passes_tags: whether the sessions hand on session tags of their own.
    """
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": str(first_role)},
                "Action": _actions(passes_tags),
                "Condition": {"StringEquals": {"aws:SourceIdentity": source_identity}},
            }
        ],
    }


def chaining_permissions(second_role: str, *, passes_tags: bool) -> dict[str, Any]:
    """The permissions policy of the first role, without which the second's does not suffice."""
    return {
        "Version": _VERSION,
        "Statement": [
            {"Effect": "Allow", "Action": _actions(passes_tags), "Resource": second_role}
        ],
    }


def _actions(passes_tags: bool) -> list[str]:
    return ["sts:AssumeRole", "sts:SetSourceIdentity", *([_TAGS] if passes_tags else [])]
