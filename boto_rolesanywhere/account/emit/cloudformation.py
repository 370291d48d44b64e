"""A setup as a CloudFormation template, in JSON.

Properties as in the schemas of `AWS::RolesAnywhere` and `AWS::IAM::Role`. The tags by which `setup`
knows what it made are left out: what a stack made is the stack's to change and to remove.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import INLINE_POLICY

from .left_out import mappings_in_full, notes, own_tags, source_type
from .target import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, parts

if TYPE_CHECKING:
    from boto_rolesanywhere.account.wanted import Wanted, WantedAnchor, WantedProfile, WantedRole

    from .target import Target

_Json = dict[str, Any]

_DESCRIPTION: Final = "IAM Roles Anywhere: trust anchor, role and profile"
_REFERENCES: Final = {
    ANCHOR_ARN: {"Fn::GetAtt": ["TrustAnchor", "TrustAnchorArn"]},
    PROFILE_ARN: {"Fn::GetAtt": ["Profile", "ProfileArn"]},
    ROLE_ARN: {"Fn::GetAtt": ["Role", "Arn"]},
}


def cloudformation(wanted: Wanted, target: Target) -> str:
    """The text of a template. Its stack needs the capability ``CAPABILITY_NAMED_IAM``."""
    config = [_REFERENCES.get(part, part) for part in parts(target.config)]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _DESCRIPTION,
        "Metadata": {"Notes": list(notes(wanted, "CloudFormation"))},
        "Resources": {
            "TrustAnchor": _resource("AWS::RolesAnywhere::TrustAnchor", _anchor(wanted.anchor)),
            "Role": _resource("AWS::IAM::Role", _role(wanted.role)),
            "Profile": _resource("AWS::RolesAnywhere::Profile", _profile(wanted.profile)),
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
    return {"Type": kind, "Properties": _said(properties)}


def _anchor(anchor: WantedAnchor) -> _Json:
    data = {"AcmPcaArn": anchor.pca_arn}
    if anchor.pca_arn is None:
        data = {"X509CertificateData": anchor.bundle}
    return {
        "Name": anchor.name,
        "Enabled": True,
        "Source": {"SourceType": source_type(anchor), "SourceData": data},
        "NotificationSettings": [
            _said(
                {
                    "Event": notification.event,
                    "Enabled": notification.enabled,
                    "Threshold": notification.threshold,
                    "Channel": "ALL",
                }
            )
            for notification in anchor.notifications
        ],
        "Tags": _tags(anchor.tags),
    }


def _role(role: WantedRole) -> _Json:
    inline = []
    if role.inline_policy is not None:
        inline = [{"PolicyName": INLINE_POLICY, "PolicyDocument": dict(role.inline_policy)}]
    policy = trust_policy(ANCHOR_ARN, role.certificates)
    return {
        "RoleName": role.name,
        "Path": role.path,
        "AssumeRolePolicyDocument": _with_reference(policy),
        "ManagedPolicyArns": list(role.policy_arns),
        "Policies": inline,
        "MaxSessionDuration": role.max_session_duration,
        "PermissionsBoundary": role.permissions_boundary,
        "Tags": _tags(role.tags),
    }


def _profile(profile: WantedProfile) -> _Json:
    session_policy = profile.session_policy
    mappings = mappings_in_full(profile.mappings) if profile.mappings else {}
    return {
        "Name": profile.name,
        "Enabled": True,
        "RoleArns": [_REFERENCES[ROLE_ARN]],
        "DurationSeconds": profile.duration,
        "AcceptRoleSessionName": profile.accept_session_name,
        "ManagedPolicyArns": list(profile.managed_policy_arns or ()),
        "SessionPolicy": None if session_policy is None else json.dumps(session_policy),
        "AttributeMappings": [
            {
                "CertificateField": field,
                "MappingRules": [{"Specifier": specifier} for specifier in specifiers],
            }
            for field, specifiers in mappings.items()
        ],
        "Tags": _tags(profile.tags),
    }


def _tags(tags: Mapping[str, str]) -> list[_Json]:
    return [{"Key": key, "Value": value} for key, value in own_tags(tags).items()]


def _said(properties: _Json) -> _Json:
    return {name: value for name, value in properties.items() if value is not None and value != []}


def _with_reference(document: object) -> Any:  # noqa: ANN401  # JSON
    """A policy's document, with the reference in the place of the trust anchor's ARN."""
    if isinstance(document, Mapping):
        return {key: _with_reference(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_with_reference(value) for value in document]
    return _REFERENCES[ANCHOR_ARN] if document == ANCHOR_ARN else document
