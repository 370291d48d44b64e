"""What differs becomes calls, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from boto_rolesanywhere.account.differences import (
    Change,
    anchor_changes,
    anchor_creation,
    attribute_mappings,
    profile_changes,
    profile_creation,
    role_changes,
    role_creation,
)
from boto_rolesanywhere.account.found import PROFILE as PROFILES
from boto_rolesanywhere.account.found import TRUST_ANCHOR, Found, FoundRole
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import (
    Notification,
    TrustedIdentity,
    WantedAnchor,
    WantedProfile,
    WantedRole,
)
from boto_rolesanywhere.testing import CertificateAuthority

ID = "0d5a3c58-7f1e-4d0c-9d5b-3c1e6a0c2f11"
PREFIX = "arn:aws:rolesanywhere:eu-west-1:123456789012"
ROLE_ARN = "arn:aws:iam::123456789012:role/app1"
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
}
SAME_POLICY = """{"Statement": {"Action": ["s3:ListBucket"], "Effect": "Allow", "Resource": "*"},
  "Version": "2012-10-17"}"""

CA_NOTIFICATION = {"event": "CA_CERTIFICATE_EXPIRY", "enabled": True, "threshold": 90}

Calls = list[tuple[str, set[str]]]


def calls(changes: Iterable[Change]) -> Calls:
    """Each operation with the parameters that are not its subject."""
    subjects = {"trustAnchorId", "profileId", "resourceArn", "RoleName"}
    return [(change.operation, set(change.parameters) - subjects) for change in changes]


@pytest.fixture(scope="module")
def anchor(ca: CertificateAuthority) -> WantedAnchor:
    return WantedAnchor(
        name="example-ca",
        alias="example-ca",
        bundle=ca.certificate_pem.decode(),
        crl_distribution_points=True,
        notifications=(Notification("CA_CERTIFICATE_EXPIRY", 90),),
        tags={"boto-rolesanywhere:setup": "example-ca", "team": "a"},
    )


def as_made(creation: Change, subject: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What the service lists after such a call."""
    return {f"{subject}Id": ID, f"{subject}Arn": f"{PREFIX}:x/{ID}", **defaults} | {
        key: value for key, value in creation.parameters.items() if key != "tags"
    }


def anchor_as_made(wanted: WantedAnchor) -> Found:
    detail = as_made(anchor_creation(wanted, aliases=True), "trustAnchor", {})
    return Found(TRUST_ANCHOR, detail, {**wanted.tags, "of": "somebody else's"})


def but(found: Found, *, tags: Mapping[str, str] | None = None, **detail: object) -> Found:
    """The same, but for what is named."""
    changed = {**found.detail, **detail}
    return found._replace(detail=changed, tags=found.tags if tags is None else tags)


def test_a_trust_anchor_as_it_was_made_is_left(anchor: WantedAnchor) -> None:
    assert calls(anchor_changes(anchor, anchor_as_made(anchor), aliases=True)) == []


def test_the_certificates_count_and_not_how_they_are_written(anchor: WantedAnchor) -> None:
    found = anchor_as_made(anchor)
    text = "# CA\n" + str(anchor.bundle).replace("\n", "\r\n") + "\n\n"
    found = but(found, source={"sourceData": {"x509CertificateData": text}})

    assert calls(anchor_changes(anchor, found, aliases=True)) == []


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"name": "renamed"}, [("UpdateTrustAnchor", {"name"})]),
        ({"aliasName": None}, [("UpdateTrustAnchor", {"aliasName"})]),
        ({"aliasName": "another", "name": "x"}, [("UpdateTrustAnchor", {"aliasName", "name"})]),
        (
            {"crlDpRevocationEnabled": False},
            [("UpdateTrustAnchor", {"crlDpRevocationEnabled"})],
        ),
        (
            {"source": {"sourceData": {"x509CertificateData": "x"}}},
            [("UpdateTrustAnchor", {"source"})],
        ),
        (
            {"source": {"sourceData": {"acmPcaArn": "arn:aws:acm-pca:x"}}},
            [("UpdateTrustAnchor", {"source"})],
        ),
        ({"notificationSettings": []}, [("PutNotificationSettings", {"notificationSettings"})]),
        (
            {"notificationSettings": [{**CA_NOTIFICATION, "threshold": 45}]},
            [("PutNotificationSettings", {"notificationSettings"})],
        ),
        (
            {"notificationSettings": [{**CA_NOTIFICATION, "enabled": False}]},
            [("PutNotificationSettings", {"notificationSettings"})],
        ),
        ({"tags": {"team": "b", "other": "c"}}, [("TagResource", {"tags"})]),
        ({"enabled": False}, []),
    ],
)
def test_what_differs_of_a_trust_anchor_is_changed(
    anchor: WantedAnchor, there: dict[str, Any], expected: Calls
) -> None:
    found = but(anchor_as_made(anchor), **there)

    assert calls(anchor_changes(anchor, found, aliases=True)) == expected


def test_another_ca_certificate_is_another_source(anchor: WantedAnchor) -> None:
    wanted = replace(anchor, bundle=CertificateAuthority("New").certificate_pem.decode())

    (change,) = anchor_changes(wanted, anchor_as_made(anchor), aliases=True)

    assert change.parameters["source"] == wanted.source


def test_a_renewed_private_ca_is_read_anew_on_demand_alone() -> None:
    wanted = WantedAnchor(name="pca", alias="pca", pca_arn="arn:aws:acm-pca:x")
    found = anchor_as_made(wanted)
    assert calls(anchor_changes(wanted, found, aliases=True)) == []

    (change,) = anchor_changes(replace(wanted, refresh=True), found, aliases=True)

    assert (change.operation, change.parameters["source"]) == ("UpdateTrustAnchor", wanted.source)


def test_without_aliases_none_is_sent(anchor: WantedAnchor) -> None:
    assert "aliasName" not in anchor_creation(anchor, aliases=False).parameters
    found = but(anchor_as_made(anchor), aliasName=None)
    assert calls(anchor_changes(anchor, found, aliases=False)) == []


def test_what_is_not_said_is_not_sent(anchor: WantedAnchor) -> None:
    bare = replace(anchor, crl_distribution_points=None, notifications=())
    found = anchor_as_made(anchor)

    assert set(anchor_creation(bare, aliases=True).parameters) == {
        "name",
        "source",
        "enabled",
        "tags",
        "aliasName",
    }
    assert calls(anchor_changes(bare, found, aliases=True)) == []


TRUST = trust_policy(f"{PREFIX}:trust-anchor/{ID}", [{"x509Subject/CN": "app1"}])
ROLE = WantedRole(
    name="app1",
    certificates=[{"x509Subject/CN": "app1"}],
    policy_arns=("arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"),
    inline_policy=POLICY,
    max_session_duration=7200,
    tags={"boto-rolesanywhere:setup": "app1"},
)


def role_as_made(wanted: WantedRole) -> FoundRole:
    detail = {"Arn": ROLE_ARN, **role_creation(wanted, TRUST).parameters}
    detail["Tags"] = [*detail["Tags"], {"Key": "other", "Value": "tag"}]
    return FoundRole(
        detail,
        policy_arns=("arn:aws:iam::aws:policy/B", "arn:aws:iam::aws:policy/A"),
        inline_policy=json.loads(SAME_POLICY),
        inline_names=("boto-rolesanywhere", "of-somebody-else"),
    )


def test_a_role_as_it_was_made_is_left() -> None:
    assert calls(role_changes(ROLE, role_as_made(ROLE), TRUST, detach_others=True)) == []


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"AssumeRolePolicyDocument": {}}, [("UpdateAssumeRolePolicy", {"PolicyDocument"})]),
        ({"MaxSessionDuration": 3600}, [("UpdateRole", {"MaxSessionDuration"})]),
        ({"policy_arns": ("arn:aws:iam::aws:policy/A",)}, [("AttachRolePolicy", {"PolicyArn"})]),
        (
            {"inline_policy": None},
            [("PutRolePolicy", {"PolicyName", "PolicyDocument"})],
        ),
        (
            {"inline_policy": {**POLICY, "Id": "x"}},
            [("PutRolePolicy", {"PolicyName", "PolicyDocument"})],
        ),
        ({"Tags": []}, [("TagRole", {"Tags"})]),
    ],
)
def test_what_differs_of_a_role_is_changed(there: dict[str, Any], expected: Calls) -> None:
    found = role_as_made(ROLE)
    parts = {key: there[key] for key in there.keys() & set(FoundRole._fields)}
    detail = {**found.detail, **{key: there[key] for key in there.keys() - parts.keys()}}
    found = found._replace(detail=detail, **parts)

    assert calls(role_changes(ROLE, found, TRUST, detach_others=False)) == expected


def test_policies_of_others_stay_unless_one_asks() -> None:
    found = role_as_made(ROLE)
    wanted = replace(ROLE, policy_arns=("arn:aws:iam::aws:policy/A",))

    assert calls(role_changes(wanted, found, TRUST, detach_others=False)) == []
    (change,) = role_changes(wanted, found, TRUST, detach_others=True)
    assert change.operation == "DetachRolePolicy"
    assert change.parameters["PolicyArn"] == "arn:aws:iam::aws:policy/B"


PROFILE = WantedProfile(
    name="app1",
    alias="app1",
    duration=7200,
    session_policy=POLICY,
    managed_policy_arns=("arn:aws:iam::aws:policy/A",),
    accept_session_name=True,
    mappings={"x509Subject": ("CN", "OU")},
    trusted_identity=TrustedIdentity("x509Subject/CN"),
    tags={"boto-rolesanywhere:setup": "app1"},
)


DELETE = ("DeleteAttributeMapping", {"certificateField", "specifiers"})
PUT = ("PutAttributeMapping", {"certificateField", "mappingRules"})


def profile_as_made(wanted: WantedProfile) -> Found:
    rules = [{"specifier": "OU"}, {"specifier": "CN"}]
    mappings = [
        {"certificateField": "x509Subject", "mappingRules": rules},
        {"certificateField": "x509SAN", "mappingRules": [{"specifier": "DNS"}]},
    ]
    creation = profile_creation(wanted, ROLE_ARN, aliases=True)
    detail = as_made(creation, "profile", {"attributeMappings": mappings})
    return Found(PROFILES, detail, {**wanted.tags, "other": "tag"})


def test_a_profile_as_it_was_made_is_left() -> None:
    assert calls(profile_changes(PROFILE, profile_as_made(PROFILE), ROLE_ARN, aliases=True)) == []


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"name": "x"}, [("UpdateProfile", {"name"})]),
        ({"aliasName": None}, [("UpdateProfile", {"aliasName"})]),
        ({"roleArns": []}, [("UpdateProfile", {"roleArns"})]),
        ({"durationSeconds": 3600, "name": "x"}, [("UpdateProfile", {"durationSeconds", "name"})]),
        ({"sessionPolicy": None}, [("UpdateProfile", {"sessionPolicy"})]),
        ({"sessionPolicy": SAME_POLICY}, []),
        ({"managedPolicyArns": []}, [("UpdateProfile", {"managedPolicyArns"})]),
        ({"acceptRoleSessionName": False}, [("UpdateProfile", {"acceptRoleSessionName"})]),
        (
            {"tipConfiguration": {"status": "DISABLED"}},
            [("UpdateProfile", {"tipConfiguration"})],
        ),
        ({"attributeMappings": attribute_mappings({"x509Subject": ("CN",)})}, [PUT]),
        ({"attributeMappings": []}, [PUT]),
        ({"attributeMappings": attribute_mappings({"x509Subject": ("CN", "OU", "O")})}, [DELETE]),
        ({"attributeMappings": attribute_mappings({"x509Subject": ("*",)})}, [DELETE, PUT]),
        ({"tags": {}}, [("TagResource", {"tags"})]),
        ({"enabled": False}, []),
    ],
)
def test_what_differs_of_a_profile_is_changed(there: dict[str, Any], expected: Calls) -> None:
    found = but(profile_as_made(PROFILE), **there)

    assert calls(profile_changes(PROFILE, found, ROLE_ARN, aliases=True)) == expected


def test_what_is_mapped_too_much_is_named() -> None:
    found = but(
        profile_as_made(PROFILE),
        attributeMappings=attribute_mappings({"x509Subject": ("*", "CN")}),
    )

    delete, put = profile_changes(PROFILE, found, ROLE_ARN, aliases=True)

    assert delete.parameters["specifiers"] == ["*"]
    assert put.parameters["mappingRules"] == [{"specifier": "CN"}, {"specifier": "OU"}]


def test_the_profile_keeps_the_roles_that_others_added() -> None:
    found = but(profile_as_made(PROFILE), roleArns=[f"{ROLE_ARN}-b"])

    (change,) = profile_changes(PROFILE, found, ROLE_ARN, aliases=True)

    assert change.parameters["roleArns"] == [f"{ROLE_ARN}-b", ROLE_ARN]


def test_trusted_identity_is_turned_off_on_demand_alone() -> None:
    found = profile_as_made(PROFILE)

    silent = replace(PROFILE, trusted_identity=None)
    assert calls(profile_changes(silent, found, ROLE_ARN, aliases=True)) == []
    (change,) = profile_changes(
        replace(PROFILE, trusted_identity=False), found, ROLE_ARN, aliases=True
    )
    assert change.parameters["tipConfiguration"] == {"status": "DISABLED"}
    assert "tipConfiguration" not in profile_creation(silent, ROLE_ARN, aliases=True).parameters


def test_session_policies_limit_no_longer_on_demand() -> None:
    found = profile_as_made(PROFILE)
    unlimited = replace(PROFILE, session_policy=False, managed_policy_arns=())

    (change,) = profile_changes(unlimited, found, ROLE_ARN, aliases=True)

    (statement,) = json.loads(change.parameters["sessionPolicy"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert change.parameters["managedPolicyArns"] == []
    bare = but(found, sessionPolicy=None, managedPolicyArns=None)
    assert calls(profile_changes(unlimited, bare, ROLE_ARN, aliases=True)) == []
    assert "sessionPolicy" not in profile_creation(unlimited, ROLE_ARN, aliases=True).parameters
