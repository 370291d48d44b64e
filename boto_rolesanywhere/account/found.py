"""What is in the account already: read, and told apart by tag. Nothing is changed here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boto_rolesanywhere.errors import ConfigurationError, ServiceError

from .tags import REGION, SETUP, from_iam, from_rolesanywhere
from .wanted import INLINE_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .administrator import Administrator

    Detail = Mapping[str, Any]  # as the service lists it


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAnchor:
    """A trust anchor that exists.

    Attributes:
        notifications: by event, whether it is on and its threshold in days.
    """

    id: str
    arn: str
    name: str
    alias: str | None
    source: Detail
    enabled: bool
    crl_distribution_points: bool
    notifications: Mapping[str, tuple[bool, int | None]]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProfile:
    """A profile that exists."""

    id: str
    arn: str
    name: str
    alias: str | None
    role_arns: tuple[str, ...]
    duration: int | None
    session_policy: str | None
    managed_policy_arns: tuple[str, ...]
    accept_session_name: bool
    mappings: Mapping[str, tuple[str, ...]]
    trusted_identity: Detail
    enabled: bool
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRole:
    """A role that exists.

    Attributes:
        policy_arns: the managed policies that are attached.
        inline_policy: the document of the inline policy `INLINE_POLICY`.
        inline_names: the names of all inline policies.
    """

    name: str
    arn: str
    path: str
    trust_policy: Detail
    max_session_duration: int
    policy_arns: tuple[str, ...]
    inline_policy: Detail | None
    inline_names: tuple[str, ...]
    tags: Mapping[str, str]


def anchor_from(detail: Detail, tags: Mapping[str, str]) -> FoundAnchor:
    """A trust anchor from the service's answer."""
    return FoundAnchor(
        id=detail["trustAnchorId"],
        arn=detail["trustAnchorArn"],
        name=detail["name"],
        alias=detail.get("aliasName"),
        source=detail["source"],
        enabled=detail.get("enabled", False),
        crl_distribution_points=detail.get("crlDpRevocationEnabled", False),
        notifications={
            setting["event"]: (setting["enabled"], setting.get("threshold"))
            for setting in detail.get("notificationSettings", ())
        },
        tags=tags,
    )


def profile_from(detail: Detail, tags: Mapping[str, str]) -> FoundProfile:
    """A profile from the service's answer."""
    return FoundProfile(
        id=detail["profileId"],
        arn=detail["profileArn"],
        name=detail["name"],
        alias=detail.get("aliasName"),
        role_arns=tuple(detail.get("roleArns", ())),
        duration=detail.get("durationSeconds"),
        session_policy=detail.get("sessionPolicy") or None,
        managed_policy_arns=tuple(detail.get("managedPolicyArns") or ()),
        accept_session_name=detail.get("acceptRoleSessionName") or False,
        mappings={
            mapping["certificateField"]: tuple(
                rule["specifier"] for rule in mapping["mappingRules"]
            )
            for mapping in detail.get("attributeMappings") or ()
        },
        trusted_identity=detail.get("tipConfiguration") or {"status": "DISABLED"},
        enabled=detail.get("enabled", False),
        tags=tags,
    )


def list_anchors(administrator: Administrator) -> list[Detail]:
    """All trust anchors of account and Region, without their tags."""
    return list(administrator.pages("rolesanywhere", "ListTrustAnchors", "trustAnchors"))


def list_profiles(administrator: Administrator) -> list[Detail]:
    """All profiles of account and Region, without their tags."""
    return list(administrator.pages("rolesanywhere", "ListProfiles", "profiles"))


def tags_of(administrator: Administrator, arn: str) -> dict[str, str]:
    """The tags of a trust anchor, a profile or a revocation list."""
    answer = administrator.call("rolesanywhere", "ListTagsForResource", resourceArn=arn)
    return from_rolesanywhere(answer["tags"])


def find_anchor(
    administrator: Administrator, details: Iterable[Detail], alias: str, name: str
) -> FoundAnchor | None:
    """The trust anchor that setup made under this alias.

    Raises:
        ConfigurationError: the alias is another's.
    """
    found = _own(administrator, details, ("trust anchor", "trustAnchorArn"), alias, name)
    return anchor_from(*found) if found else None


def find_profile(
    administrator: Administrator, details: Iterable[Detail], alias: str, name: str
) -> FoundProfile | None:
    """The profile that setup made under this alias.

    Raises:
        ConfigurationError: the alias is another's.
    """
    found = _own(administrator, details, ("profile", "profileArn"), alias, name)
    return profile_from(*found) if found else None


def _own(
    administrator: Administrator,
    details: Iterable[Detail],
    kind_and_key: tuple[str, str],
    alias: str,
    name: str,
) -> tuple[Detail, dict[str, str]] | None:
    """The one that has the tag, among those with the alias or, if somebody took it, the name.

    The tag decides; alias and name spare the reading of all tags, at one call a second.
    """
    listed = list(details)
    kind, key = kind_and_key
    for detail in listed:
        if detail.get("aliasName") != alias:
            continue
        tags = tags_of(administrator, detail[key])
        if tags.get(SETUP) != alias:
            raise ConfigurationError(
                f"the alias {alias!r} is that of a {kind} that setup did not make",
                code="name-taken",
                where=detail[key],
                remedy="Choose another name: --anchor for the trust anchor, --role-profile for the"
                " profile.",
            )
        return detail, tags
    for detail in listed:
        if detail["name"] == name:
            tags = tags_of(administrator, detail[key])
            if tags.get(SETUP) == alias:
                return detail, tags
    return None


def find_role(administrator: Administrator, name: str) -> FoundRole | None:
    """The role of that name, whoever made it."""
    try:
        detail = administrator.call("iam", "GetRole", RoleName=name)["Role"]
    except ServiceError as error:
        if error.service_code == "NoSuchEntity":
            return None
        raise
    role = role_from(detail)
    attached = tuple(
        policy["PolicyArn"]
        for policy in administrator.pages(
            "iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name
        )
    )
    inline = tuple(administrator.pages("iam", "ListRolePolicies", "PolicyNames", RoleName=name))
    document = None
    if INLINE_POLICY in inline:
        answer = administrator.call("iam", "GetRolePolicy", RoleName=name, PolicyName=INLINE_POLICY)
        document = _document(answer["PolicyDocument"])
    return replace(role, policy_arns=attached, inline_names=inline, inline_policy=document)


def role_from(detail: Detail) -> FoundRole:
    """A role from IAM's answer, without its permissions."""
    return FoundRole(
        name=detail["RoleName"],
        arn=detail["Arn"],
        path=detail["Path"],
        trust_policy=_document(detail.get("AssumeRolePolicyDocument") or {}),
        max_session_duration=detail.get("MaxSessionDuration", 3600),
        policy_arns=(),
        inline_policy=None,
        inline_names=(),
        tags=from_iam(detail.get("Tags", ())),
    )


def _document(value: str | Detail) -> Detail:
    """A policy, which botocore has decoded as a rule."""
    document: Detail = json.loads(value) if isinstance(value, str) else value
    return document


def require_own(role: FoundRole, region: str, *, adopt: bool) -> None:
    """Refuse a role that setup did not make here.

    Raises:
        ConfigurationError: it is another's, or of another Region's trust anchor.
    """
    if SETUP not in role.tags:
        if not adopt:
            raise ConfigurationError(
                f"there is a role {role.name!r} that setup did not make",
                code="name-taken",
                where=role.arn,
                remedy="Choose another name with --role; --adopt-role takes this one over and"
                " replaces its trust policy.",
            )
    elif role.tags.get(REGION, region) != region:
        raise ConfigurationError(
            f"the role {role.name!r} is for a trust anchor in {role.tags[REGION]}",
            code="name-taken",
            where=role.arn,
            remedy="Choose another name with --role for this Region: roles belong to all Regions"
            " of an account.",
        )
