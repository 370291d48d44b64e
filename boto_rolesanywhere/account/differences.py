"""From what is wanted and what is there to the calls that make up the difference. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.clock import in_words

from .found import PROFILE, Found
from .tags import iam_tags, rolesanywhere_tags
from .wanted import DEFAULT_MAPPINGS, INLINE_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .administrator import Service
    from .found import FoundRole, Kind
    from .wanted import TrustedIdentity, WantedAnchor, WantedProfile, WantedRole

    Parameters = Mapping[str, Any]  # of a call, as AWS names them

_DEFAULT_THRESHOLD: Final = 45  # days; User Guide, "Customize notification settings"
_ROLE_DURATION: Final = 3600  # seconds; IAM's default
# UpdateProfile takes no empty session policy: this one limits nothing.
_NO_LIMIT: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
_NO_TIP: Final = {"status": "DISABLED"}


def same_policy(left: object, right: object) -> bool:
    """Whether two policies, as JSON text or decoded, say the same in the same words.

    IAM's grammar lets one value stand for a list of one, and gives lists of values no order.
    """
    return bool(_plain(left) == _plain(right))


def _plain(value: object) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        try:
            return _normal(json.loads(value))
        except ValueError:
            return value
    return _normal(value)


def _normal(value: object) -> object:
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        items = sorted((_normal(item) for item in value), key=json.dumps)
        return items[0] if len(items) == 1 else items
    return value


def same_source(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two sources of a trust anchor trust the same: one Private CA, or certificates."""
    mine, theirs = left["sourceData"], right["sourceData"]
    if "acmPcaArn" in mine or "acmPcaArn" in theirs:
        return bool(mine.get("acmPcaArn") == theirs.get("acmPcaArn"))
    return certificates_in(mine) == certificates_in(theirs)


def certificates_in(data: Mapping[str, Any]) -> frozenset[bytes]:
    """The certificates of a source, in DER; none if they cannot be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    text = str(data.get("x509CertificateData") or "")
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return frozenset()
    return frozenset(certificate.public_bytes(Encoding.DER) for certificate in certificates)


# What an update can change: whether that which is there is what is asked for.
_SAME: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "name": eq,
    "durationSeconds": eq,
    "acceptRoleSessionName": lambda asked, there: asked == bool(there),
    "roleArns": lambda asked, there: set(asked) <= set(there or ()),  # others may have added theirs
    "sessionPolicy": same_policy,
    "managedPolicyArns": lambda asked, there: set(asked) == set(there or ()),
    "tipConfiguration": lambda asked, there: asked.items() <= (there or _NO_TIP).items(),
    "aliasName": eq,
    "source": same_source,
    "crlDpRevocationEnabled": lambda asked, there: asked == bool(there),
}


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
    parameters: Parameters
    text: str


def anchor_creation(wanted: WantedAnchor, *, aliases: bool) -> Change:
    """The call that makes the trust anchor, whole and with its tags."""
    notifications = [
        _said(event=each.event, enabled=each.enabled, threshold=each.threshold, channel="ALL")
        for each in wanted.notifications
    ]
    parameters = _said(
        name=wanted.name,
        source=wanted.source,
        enabled=True,
        tags=rolesanywhere_tags(wanted.tags),
        aliasName=wanted.alias if aliases else None,
        crlDpRevocationEnabled=wanted.crl_distribution_points,
        notificationSettings=notifications or None,
    )
    return Change("rolesanywhere", "CreateTrustAnchor", parameters, "make it")


def anchor_changes(wanted: WantedAnchor, found: Found, *, aliases: bool) -> Iterator[Change]:
    """The calls for a trust anchor that exists."""
    asked = anchor_creation(wanted, aliases=aliases).parameters
    if wanted.refresh and same_source(wanted.source, found.detail["source"]):
        yield _of(found, "UpdateTrustAnchor", "read its CA anew", source=wanted.source)
    yield from _update(asked, found)
    notifications = asked.get("notificationSettings", ())
    if settings := [each for each in notifications if not _is_set(each, found.detail)]:
        text = f"change notifications: {', '.join(each['event'] for each in settings)}"
        yield _of(found, "PutNotificationSettings", text, notificationSettings=settings)
    yield from _tag_changes(wanted.tags, found)


def _is_set(asked: Parameters, anchor: Parameters) -> bool:
    return any(
        setting["event"] == asked["event"]
        and setting["enabled"] == asked["enabled"]
        and asked.get("threshold") in (None, setting.get("threshold") or _DEFAULT_THRESHOLD)
        for setting in anchor.get("notificationSettings", ())
    )


def role_creation(wanted: WantedRole, trust_policy: Parameters) -> Change:
    """The call that makes the role with its tags; its permissions come after."""
    parameters = _said(
        RoleName=wanted.name,
        Path=wanted.path,
        AssumeRolePolicyDocument=json.dumps(trust_policy),
        Description="For certificates, by IAM Roles Anywhere",
        MaxSessionDuration=wanted.max_session_duration,
        PermissionsBoundary=wanted.permissions_boundary,
        Tags=iam_tags(wanted.tags),
    )
    return Change("iam", "CreateRole", parameters, "make it")


def role_changes(
    wanted: WantedRole, found: FoundRole, trust_policy: Parameters, *, detach_others: bool
) -> Iterator[Change]:
    """The calls for a role that exists."""
    change = partial(role_change, wanted.name)
    if missing := _missing(wanted.tags, found.tags):
        yield change("TagRole", _tagged(missing), Tags=iam_tags(missing))
    if not same_policy(trust_policy, found.detail.get("AssumeRolePolicyDocument")):
        document = json.dumps(trust_policy)
        yield change("UpdateAssumeRolePolicy", "replace its trust policy", PolicyDocument=document)
    longest = wanted.max_session_duration
    if longest not in (None, found.detail.get("MaxSessionDuration", _ROLE_DURATION)):
        text = f"set its longest session to {in_words(longest or 0)}"
        yield change("UpdateRole", text, MaxSessionDuration=longest)
    for arn in dict.fromkeys(wanted.policy_arns):
        if arn not in found.policy_arns:
            yield change("AttachRolePolicy", f"attach {arn}", PolicyArn=arn)
    for arn in found.policy_arns:
        if detach_others and arn not in wanted.policy_arns:
            yield change("DetachRolePolicy", f"detach {arn}", PolicyArn=arn)
    policy = wanted.inline_policy
    if policy is not None and not same_policy(policy, found.inline_policy):
        yield change(
            "PutRolePolicy",
            f"set its inline policy {INLINE_POLICY}",
            PolicyName=INLINE_POLICY,
            PolicyDocument=json.dumps(policy),
        )


def role_change(name: str, operation: str, text: str, **parameters: object) -> Change:
    """A call that changes a role which exists."""
    return Change("iam", operation, {"RoleName": name, **parameters}, text)


def profile_creation(wanted: WantedProfile, role_arn: str, *, aliases: bool) -> Change:
    """The call that makes the profile with its tags; attribute mappings come after."""
    policy, arns = wanted.session_policy, wanted.managed_policy_arns
    parameters = _said(
        name=wanted.name,
        roleArns=[role_arn],
        enabled=True,
        durationSeconds=wanted.duration,
        sessionPolicy=json.dumps(policy) if policy else None,
        managedPolicyArns=None if arns is None else list(arns),
        acceptRoleSessionName=wanted.accept_session_name,
        tipConfiguration=_tip(wanted.trusted_identity) if wanted.trusted_identity else None,
        tags=rolesanywhere_tags(wanted.tags),
        aliasName=wanted.alias if aliases else None,
    )
    return Change("rolesanywhere", "CreateProfile", parameters, "make it")


def as_made(
    kind: Kind, creation: Change, tags: Mapping[str, str], arn: str, resource_id: str
) -> Found:
    """The trust anchor or profile that such a call will have made; AWS maps by default."""
    mappings = attribute_mappings(DEFAULT_MAPPINGS) if kind is PROFILE else None
    made = {f"{kind.member}Arn": arn, f"{kind.member}Id": resource_id}
    return Found(kind, {**creation.parameters, **made, "attributeMappings": mappings}, tags)


def profile_changes(
    wanted: WantedProfile, found: Found, role_arn: str, *, aliases: bool
) -> Iterator[Change]:
    """The calls for a profile that exists."""
    asked = profile_creation(wanted, role_arn, aliases=aliases).parameters
    if wanted.trusted_identity is False:
        asked = {**asked, "tipConfiguration": _NO_TIP}
    if wanted.session_policy is False and found.detail.get("sessionPolicy"):
        asked = {**asked, "sessionPolicy": _NO_LIMIT}
    yield from _update(asked, found)
    yield from _mapping_changes(wanted, found)
    yield from _tag_changes(wanted.tags, found)


def attribute_mappings(mappings: Mapping[Any, Sequence[str]]) -> list[dict[str, Any]]:
    """Mappings in the shape that the service gives."""
    return [_mapping(field, specifiers) for field, specifiers in mappings.items()]


def _mapping(field: str, specifiers: Sequence[str]) -> dict[str, Any]:
    rules = [{"specifier": specifier} for specifier in specifiers]
    return {"certificateField": field, "mappingRules": rules}


def _mapping_changes(wanted: WantedProfile, found: Found) -> Iterator[Change]:
    """First what is too much, then what is missing: in between less is mapped, and nobody let in.

    AWS does not say whether PutAttributeMapping replaces a field's rules or adds to them; so both
    lead to what is wanted.
    """
    mapped = {
        mapping["certificateField"]: [rule["specifier"] for rule in mapping["mappingRules"]]
        for mapping in found.detail.get("attributeMappings") or ()
    }
    for field, specifiers in wanted.mappings.items():
        there = mapped.get(field, [])
        if superfluous := [specifier for specifier in there if specifier not in specifiers]:
            text = f"map of {field} no longer: {', '.join(superfluous)}"
            parameters = {"certificateField": field, "specifiers": superfluous}
            yield _of(found, "DeleteAttributeMapping", text, **parameters)
        if set(specifiers) - set(there):
            text = f"map of {field}: {', '.join(specifiers)}"
            yield _of(found, "PutAttributeMapping", text, **_mapping(field, specifiers))


def _tip(wanted: TrustedIdentity) -> dict[str, str]:
    source, subject_type = wanted.source, wanted.subject_type
    return {"status": "ENABLED", "subjectSource": source, "subjectType": subject_type}


def _update(asked: Parameters, found: Found) -> Iterator[Change]:
    """The call for those parameters of a creation that differ from what is there."""
    differing = {
        name: value
        for name, value in asked.items()
        if name in _SAME and not _SAME[name](value, found.detail.get(name))
    }
    if "roleArns" in differing:
        differing["roleArns"] = [*found.detail.get("roleArns", ()), *differing["roleArns"]]
    if differing:
        text = f"change {', '.join(differing)}"
        yield _of(found, f"Update{found.kind.noun}", text, **differing)


def _tag_changes(wanted: Mapping[str, str], found: Found) -> Iterator[Change]:
    if missing := _missing(wanted, found.tags):
        parameters = {"resourceArn": found.arn, "tags": rolesanywhere_tags(missing)}
        yield Change("rolesanywhere", "TagResource", parameters, _tagged(missing))


def _of(found: Found, operation: str, text: str, **parameters: object) -> Change:
    return Change("rolesanywhere", operation, {**found.subject, **parameters}, text)


def _missing(wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in wanted.items() if found.get(key) != text}


def _tagged(tags: Mapping[str, str]) -> str:
    return f"set tags {', '.join(tags)}"


def _said(**parameters: object) -> dict[str, Any]:
    """Without what is not said."""
    return {key: value for key, value in parameters.items() if value is not None}
