"""A setup as a CloudFormation template, in JSON.

Properties as in the schemas of `AWS::RolesAnywhere` and `AWS::IAM::Role`. The tags by which `setup`
knows what it made are left out: what a stack made is the stack's to change and to remove.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.account.differences import (
    anchor_creation,
    attribute_mappings,
    profile_creation,
)
from boto_rolesanywhere.account.tags import iam_tags
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import INLINE_POLICY

from .in_code import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, in_code, notes, parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto_rolesanywhere.account.wanted import Wanted, WantedRole

    from .in_code import Target

_Json = dict[str, Any]

_DESCRIPTION: Final = "IAM Roles Anywhere: trust anchor, role and profile"
_REFERENCES: Final = {
    ANCHOR_ARN: {"Fn::GetAtt": ["TrustAnchor", "TrustAnchorArn"]},
    PROFILE_ARN: {"Fn::GetAtt": ["Profile", "ProfileArn"]},
    ROLE_ARN: {"Fn::GetAtt": ["Role", "Arn"]},
}


def cloudformation(wanted: Wanted, target: Target) -> str:
    """The text of a template. Its stack needs the capability ``CAPABILITY_NAMED_IAM``."""
    said = in_code(wanted)
    anchor = anchor_creation(said.anchor, aliases=False).parameters
    profile = {
        **profile_creation(said.profile, ROLE_ARN, aliases=False).parameters,
        "attributeMappings": attribute_mappings(said.profile.mappings),
    }
    config = [_REFERENCES.get(part, part) for part in parts(target.config)]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _DESCRIPTION,
        "Metadata": {"Notes": list(notes(wanted, "CloudFormation"))},
        "Resources": {
            "TrustAnchor": _resource("RolesAnywhere::TrustAnchor", _written(anchor, _capital)),
            "Role": _resource("IAM::Role", _role(said.role)),
            "Profile": _resource("RolesAnywhere::Profile", _written(profile, _capital)),
        },
        "Outputs": {
            "TrustAnchorArn": {"Value": _REFERENCES[ANCHOR_ARN]},
            "ProfileArn": {"Value": _REFERENCES[PROFILE_ARN]},
            "RoleArn": {"Value": _REFERENCES[ROLE_ARN]},
            "AwsConfig": {
                "Description": "For ~/.aws/config on the workload's machine",
                "Value": {"Fn::Join": ["", config]},
            },
        },
    }
    return json.dumps(template, indent=2) + "\n"


def _resource(kind: str, properties: _Json) -> _Json:
    said = {name: value for name, value in properties.items() if value not in (None, [])}
    return {"Type": f"AWS::{kind}", "Properties": said}


def _role(role: WantedRole) -> _Json:
    inline = []
    if role.inline_policy is not None:
        inline = [{"PolicyName": INLINE_POLICY, "PolicyDocument": dict(role.inline_policy)}]
    policy = trust_policy(ANCHOR_ARN, role.certificates)
    return {
        "RoleName": role.name,
        "Path": role.path,
        "AssumeRolePolicyDocument": _written(policy),
        "ManagedPolicyArns": list(role.policy_arns),
        "Policies": inline,
        "MaxSessionDuration": role.max_session_duration,
        "PermissionsBoundary": role.permissions_boundary,
        "Tags": iam_tags(role.tags),
    }


def _capital(name: str) -> str:
    """A member's name of the service's, as CloudFormation writes it."""
    return name[0].upper() + name[1:]


def _written(value: object, named: Callable[[str], str] = str) -> Any:  # noqa: ANN401  # JSON
    """JSON with references in the place of ARNs."""
    if isinstance(value, Mapping):
        return {named(key): _written(inner, named) for key, inner in value.items()}
    if isinstance(value, list):
        return [_written(inner, named) for inner in value]
    return _REFERENCES.get(value, value) if isinstance(value, str) else value
