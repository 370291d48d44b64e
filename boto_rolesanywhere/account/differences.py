"""From what is wanted and what is there to the calls that make up the difference. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .sameness import same_policy, same_source
from .tags import iam_tags, rolesanywhere_tags
from .wanted import INLINE_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .administrator import Service
    from .found import FoundAnchor, FoundProfile, FoundRole
    from .wanted import Notification, TrustedIdentity, WantedAnchor, WantedProfile, WantedRole

_DEFAULT_THRESHOLD: Final = 45  # days; User Guide, "Customize notification settings"
_ROLE_DURATION: Final = 3600  # seconds; IAM's default


@dataclass(frozen=True, slots=True)
class Change:
    """One call that changes the account.

    Attributes:
        service: that is called.
        operation: as AWS names it.
        parameters: of the call.
        text: what it does, for people; as one tells somebody to do it.
    """

    service: Service
    operation: str
    parameters: Mapping[str, Any]
    text: str

    def to_json(self) -> dict[str, object]:
        """As JSON values, with keys that stay."""
        return {
            "service": self.service,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "text": self.text,
        }


def anchor_creation(wanted: WantedAnchor, *, aliases: bool) -> Change:
    """The call that makes the trust anchor, whole and with its tags."""
    parameters = {
        "name": wanted.name,
        "source": wanted.source,
        "enabled": True,
        "tags": rolesanywhere_tags(wanted.tags),
        "aliasName": wanted.alias if aliases else None,
        "crlDpRevocationEnabled": wanted.crl_distribution_points,
        "notificationSettings": [_setting(each) for each in wanted.notifications] or None,
    }
    return Change("rolesanywhere", "CreateTrustAnchor", _said(parameters), "make it")


def anchor_changes(wanted: WantedAnchor, found: FoundAnchor, *, aliases: bool) -> Iterator[Change]:
    """The calls for a trust anchor that exists."""
    parameters: dict[str, Any] = {}
    if found.name != wanted.name:
        parameters["name"] = wanted.name
    if aliases and found.alias != wanted.alias:
        parameters["aliasName"] = wanted.alias
    if not same_source(wanted.source, found.source):
        parameters["source"] = wanted.source
    points = wanted.crl_distribution_points
    if points is not None and points != found.crl_distribution_points:
        parameters["crlDpRevocationEnabled"] = points
    if parameters:
        text = _changed(parameters)
        yield Change(
            "rolesanywhere",
            "UpdateTrustAnchor",
            {"trustAnchorId": found.id, **parameters},
            text,
        )
    settings = [each for each in wanted.notifications if not _is_set(each, found)]
    if settings:
        yield Change(
            "rolesanywhere",
            "PutNotificationSettings",
            {
                "trustAnchorId": found.id,
                "notificationSettings": [_setting(each) for each in settings],
            },
            f"change notifications: {', '.join(each.event for each in settings)}",
        )
    yield from _tag_changes(found.arn, wanted.tags, found.tags)


def _is_set(wanted: Notification, found: FoundAnchor) -> bool:
    enabled, threshold = found.notifications.get(wanted.event, (None, None))
    if enabled != wanted.enabled:
        return False
    return wanted.threshold is None or wanted.threshold == (threshold or _DEFAULT_THRESHOLD)


def _setting(wanted: Notification) -> dict[str, Any]:
    return _said(
        {
            "enabled": wanted.enabled,
            "event": wanted.event,
            "threshold": wanted.threshold,
            "channel": "ALL",
        }
    )


def role_creation(wanted: WantedRole, trust_policy: Mapping[str, Any]) -> Change:
    """The call that makes the role with its tags; its permissions come after."""
    parameters = {
        "RoleName": wanted.name,
        "Path": wanted.path,
        "AssumeRolePolicyDocument": json.dumps(trust_policy),
        "Description": "For certificates, by IAM Roles Anywhere",
        "MaxSessionDuration": wanted.max_session_duration,
        "PermissionsBoundary": wanted.permissions_boundary,
        "Tags": iam_tags(wanted.tags),
    }
    return Change("iam", "CreateRole", _said(parameters), "make it")


def role_changes(
    wanted: WantedRole,
    found: FoundRole,
    trust_policy: Mapping[str, Any],
    *,
    detach_others: bool,
) -> Iterator[Change]:
    """The calls for a role that exists."""
    role = {"RoleName": wanted.name}
    missing = {key: text for key, text in wanted.tags.items() if found.tags.get(key) != text}
    if missing:
        yield Change("iam", "TagRole", {**role, "Tags": iam_tags(missing)}, _tagged(missing))
    if not same_policy(trust_policy, found.trust_policy):
        document = {"PolicyDocument": json.dumps(trust_policy)}
        yield Change(
            "iam", "UpdateAssumeRolePolicy", {**role, **document}, "replace its trust policy"
        )
    longest = wanted.max_session_duration
    if longest is not None and longest != found.max_session_duration:
        yield Change(
            "iam",
            "UpdateRole",
            {**role, "MaxSessionDuration": longest},
            f"set its longest session to {longest} seconds",
        )
    yield from _permission_changes(wanted, found, detach_others=detach_others)


def _permission_changes(
    wanted: WantedRole, found: FoundRole, *, detach_others: bool
) -> Iterator[Change]:
    role = {"RoleName": wanted.name}
    for arn in dict.fromkeys(wanted.policy_arns):
        if arn not in found.policy_arns:
            yield Change("iam", "AttachRolePolicy", {**role, "PolicyArn": arn}, f"attach {arn}")
    for arn in found.policy_arns:
        if detach_others and arn not in wanted.policy_arns:
            yield Change("iam", "DetachRolePolicy", {**role, "PolicyArn": arn}, f"detach {arn}")
    policy = wanted.inline_policy
    if policy is not None and not same_policy(policy, found.inline_policy):
        document = {"PolicyName": INLINE_POLICY, "PolicyDocument": json.dumps(policy)}
        yield Change(
            "iam", "PutRolePolicy", {**role, **document}, f"set its inline policy {INLINE_POLICY}"
        )


def profile_creation(wanted: WantedProfile, role_arn: str, *, aliases: bool) -> Change:
    """The call that makes the profile with its tags; attribute mappings come after."""
    policy = wanted.session_policy
    parameters = {
        "name": wanted.name,
        "roleArns": [role_arn],
        "enabled": True,
        "durationSeconds": wanted.duration,
        "sessionPolicy": None if policy is None else json.dumps(policy),
        "managedPolicyArns": wanted.managed_policy_arns,
        "acceptRoleSessionName": wanted.accept_session_name,
        "tipConfiguration": _tip(wanted.trusted_identity) if wanted.trusted_identity else None,
        "tags": rolesanywhere_tags(wanted.tags),
        "aliasName": wanted.alias if aliases else None,
    }
    return Change("rolesanywhere", "CreateProfile", _said(parameters), "make it")


def profile_changes(
    wanted: WantedProfile, found: FoundProfile, role_arn: str, *, aliases: bool
) -> Iterator[Change]:
    """The calls for a profile that exists."""
    parameters = _profile_parameters(wanted, found, role_arn)
    if aliases and found.alias != wanted.alias:
        parameters["aliasName"] = wanted.alias
    if parameters:
        yield Change(
            "rolesanywhere",
            "UpdateProfile",
            {"profileId": found.id, **parameters},
            _changed(parameters),
        )
    yield from _mapping_changes(wanted, found)
    yield from _tag_changes(found.arn, wanted.tags, found.tags)


def _mapping_changes(wanted: WantedProfile, found: FoundProfile) -> Iterator[Change]:
    """First what is too much, then what is missing: in between less is mapped, and nobody let in.

    AWS does not say whether PutAttributeMapping replaces a field's rules or adds to them; so both
    lead to what is wanted.
    """
    for field, specifiers in wanted.mappings.items():
        there = found.mappings.get(field, ())
        subject = {"profileId": found.id, "certificateField": field}
        if extra := [specifier for specifier in there if specifier not in specifiers]:
            yield Change(
                "rolesanywhere",
                "DeleteAttributeMapping",
                {**subject, "specifiers": extra},
                f"map of {field} no longer: {', '.join(extra)}",
            )
        if set(specifiers) - set(there):
            yield Change(
                "rolesanywhere",
                "PutAttributeMapping",
                {**subject, "mappingRules": [{"specifier": each} for each in specifiers]},
                f"map of {field}: {', '.join(specifiers)}",
            )


def _profile_parameters(
    wanted: WantedProfile, found: FoundProfile, role_arn: str
) -> dict[str, Any]:
    """The parameters of UpdateProfile that differ, but for the alias."""
    pairs: dict[str, tuple[Any, Any]] = {
        "name": (wanted.name, found.name),
        "durationSeconds": (wanted.duration, found.duration),
        "acceptRoleSessionName": (wanted.accept_session_name, found.accept_session_name),
    }
    parameters = {
        key: asked for key, (asked, there) in pairs.items() if asked is not None and asked != there
    }
    if role_arn not in found.role_arns:
        parameters["roleArns"] = [*found.role_arns, role_arn]
    policy = wanted.session_policy
    if policy is not None and not same_policy(policy, found.session_policy):
        parameters["sessionPolicy"] = json.dumps(policy)
    arns = wanted.managed_policy_arns
    if arns is not None and set(arns) != set(found.managed_policy_arns):
        parameters["managedPolicyArns"] = list(arns)
    trusted = wanted.trusted_identity
    if trusted is not None and _differs(_tip(trusted), found.trusted_identity):
        parameters["tipConfiguration"] = _tip(trusted)
    return parameters


def _tip(wanted: TrustedIdentity | Any) -> dict[str, str]:  # noqa: ANN401  # or False
    if not wanted:
        return {"status": "DISABLED"}
    return {
        "status": "ENABLED",
        "subjectSource": wanted.source,
        "subjectType": wanted.subject_type,
    }


def _differs(wanted: Mapping[str, str], found: Mapping[str, Any]) -> bool:
    return any(found.get(key) != text for key, text in wanted.items())


def _tag_changes(arn: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Change]:
    missing = {key: text for key, text in wanted.items() if found.get(key) != text}
    if missing:
        yield Change(
            "rolesanywhere",
            "TagResource",
            {"resourceArn": arn, "tags": rolesanywhere_tags(missing)},
            _tagged(missing),
        )


def _tagged(tags: Mapping[str, str]) -> str:
    return f"set tags {', '.join(tags)}"


def _changed(parameters: Mapping[str, Any]) -> str:
    return f"change {', '.join(parameters)}"


def _said(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not said."""
    return {key: value for key, value in parameters.items() if value is not None}
