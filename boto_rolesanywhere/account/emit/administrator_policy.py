"""The least that an administrator must be allowed, to run `setup` for exactly this setup.

Actions, resources and dependent actions are those of the Service Authorization Reference. What AWS
Private CA asks of whoever names it in a trust anchor is not published, and not in here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.account.trust_policies import policy_of
from boto_rolesanywhere.inspection.trust_policy.facts import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boto_rolesanywhere.account.wanted import Wanted, WantedRole

    from .in_code import Target

_SERVICE_ROLE: Final = f"role/aws-service-role/{SERVICE}/AWSServiceRoleForRolesAnywhere"
_Json = dict[str, Any]


def administrator_policy(wanted: Wanted, target: Target, *, detaches: bool) -> str:
    """The policy as JSON, for a first run and for those that change something.

    Args:
        wanted: the setup.
        target: where; what it does not say is a ``*``, in which this policy's own account is meant.
        detaches: whether managed policies that `wanted` does not name are detached.
    """
    statements = [*_rolesanywhere(wanted, target), *_iam(wanted.role, target, detaches=detaches)]
    return json.dumps(policy_of(statements), indent=2) + "\n"


def _rolesanywhere(wanted: Wanted, target: Target) -> Iterator[_Json]:
    prefix = f"arn:{target.partition}:rolesanywhere:{target.region or '*'}:{target.account or '*'}"
    anchors, profiles = f"{prefix}:trust-anchor/*", f"{prefix}:profile/*"
    # These four know no resource.
    yield _allow(
        "FindAndMake",
        ["ListTrustAnchors", "ListProfiles", "CreateTrustAnchor", "CreateProfile"],
        "*",
    )
    yield _allow("Tags", ["ListTagsForResource", "TagResource"], [anchors, profiles])
    of_anchors = ["UpdateTrustAnchor"]
    of_anchors += ["PutNotificationSettings"] if wanted.anchor.notifications else []
    yield _allow("ChangeTrustAnchors", of_anchors, anchors)
    of_profiles = ["UpdateProfile"]
    mapping = ["PutAttributeMapping", "DeleteAttributeMapping"]
    of_profiles += mapping if wanted.profile.mappings else []
    yield _allow("ChangeProfiles", of_profiles, profiles)


def _iam(role: WantedRole, target: Target, *, detaches: bool) -> Iterator[_Json]:
    prefix = f"arn:{target.partition}:iam::{target.account or '*'}"
    arn = f"{prefix}:role{role.path}{role.name}"
    actions = ["GetRole", "CreateRole", "TagRole", "UpdateAssumeRolePolicy"]
    actions += ["ListAttachedRolePolicies", "ListRolePolicies"]
    # Whether an inline policy of setup's is there, is known only when it has been read.
    actions += ["GetRolePolicy", *(["PutRolePolicy"] if role.inline_policy is not None else [])]
    actions += ["UpdateRole"] if role.max_session_duration is not None else []
    yield _allow("Role", actions, arn, service="iam")
    if role.policy_arns:
        only = {"ArnEquals": {"iam:PolicyARN": list(role.policy_arns)}}
        yield _allow("Attach", ["AttachRolePolicy"], arn, only, service="iam")
    if detaches:
        yield _allow("Detach", ["DetachRolePolicy"], arn, service="iam")
    to_us = {"StringEquals": {"iam:PassedToService": SERVICE}}
    yield _allow("GiveTheRoleToTheProfile", ["PassRole"], arn, to_us, service="iam")
    named = {"StringEquals": {"iam:AWSServiceName": SERVICE}}
    yield _allow(
        "FirstTrustAnchorOfTheAccount",
        ["CreateServiceLinkedRole"],
        f"{prefix}:{_SERVICE_ROLE}",
        named,
        service="iam",
    )


def _allow(
    sid: str,
    actions: Sequence[str],
    resource: str | list[str],
    condition: _Json | None = None,
    *,
    service: str = "rolesanywhere",
) -> _Json:
    statement: _Json = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": resource,
    }
    return {**statement, "Condition": condition} if condition else statement
