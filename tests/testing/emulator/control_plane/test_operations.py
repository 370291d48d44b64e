"""The control plane, asked by boto3's own client as an administrator asks the service."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from control_plane_calls import INVALID, MISSING, ROLE, Administrator, bundle, client, refusal
from sessions import keys_from

from boto_rolesanywhere.errors import ServiceError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.emulator.control_plane.operations import OPERATIONS


def test_every_operation_of_botocores_model_is_there() -> None:
    model = botocore.session.Session().get_service_model("rolesanywhere")
    assert set(OPERATIONS) == set(model.operation_names)


def test_what_was_made_gives_sessions(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    own = CertificateAuthority("Own CA")
    anchor = admin.create_trust_anchor(name="own", source=bundle(own))["trustAnchor"]
    profile = admin.create_profile(name="app", roleArns=[ROLE], durationSeconds=900)["profile"]

    def session(authority: CertificateAuthority = own) -> object:
        issued = authority.issue("app1")
        arns = {"anchor": anchor["trustAnchorArn"], "profile": profile["profileArn"]}
        return keys_from(emulator, issued, role=ROLE, **arns)

    assert session()
    with pytest.raises(ServiceError, match="Untrusted signing certificate"):
        session(ca)
    admin.disable_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    with pytest.raises(ServiceError, match="disabled"):
        session()
    admin.enable_trust_anchor(trustAnchorId=anchor["trustAnchorArn"])
    admin.disable_profile(profileId=profile["profileId"])
    with pytest.raises(ServiceError, match="Invalid or empty profile"):
        session()
    admin.enable_profile(profileId=profile["profileId"])
    assert session()
    admin.delete_profile(profileId=profile["profileId"])
    with pytest.raises(ServiceError, match="Invalid or empty profile"):
        session()


def test_a_trust_anchor_keeps_all_that_it_was_given(
    ca: CertificateAuthority, admin: Administrator
) -> None:
    made = admin.create_trust_anchor(
        name="on premises",
        source=bundle(ca),
        enabled=False,
        crlDpRevocationEnabled=True,
        aliasName="onprem",
        tags=[{"key": "made-by", "value": "test"}],
        notificationSettings=[
            {"enabled": False, "event": "CA_CERTIFICATE_EXPIRY", "threshold": 10, "channel": "ALL"}
        ],
    )["trustAnchor"]
    assert made["enabled"] is False
    assert made["crlDpRevocationEnabled"] is True
    assert made["aliasArn"].endswith(":alias/trust-anchor/onprem")
    assert admin.get_trust_anchor(trustAnchorId=made["aliasArn"])["trustAnchor"] == made
    tags = admin.list_tags_for_resource(resourceArn=made["trustAnchorArn"])["tags"]
    assert tags == [{"key": "made-by", "value": "test"}]
    by_event = {each["event"]: each for each in made["notificationSettings"]}
    assert by_event["CA_CERTIFICATE_EXPIRY"]["threshold"] == 10
    assert by_event["CA_CERTIFICATE_EXPIRY"]["configuredBy"] == "123456789012"
    assert by_event["END_ENTITY_CERTIFICATE_EXPIRY"]["configuredBy"] == (
        "rolesanywhere.amazonaws.com"
    )
    changed = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="other")
    assert changed["trustAnchor"]["previousAliasName"] == "onprem"
    assert changed["trustAnchor"]["source"] == made["source"]
    held = admin.get_trust_anchor(trustAnchorId=made["trustAnchorId"])["trustAnchor"]
    assert "previousAliasName" not in held  # of the update's own answer alone
    gone = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="")
    assert "aliasName" not in gone["trustAnchor"]
    assert gone["trustAnchor"]["previousAliasName"] == "other"
    again = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], name="other")
    assert "previousAliasName" not in again["trustAnchor"]
    assert refusal(admin.get_trust_anchor, trustAnchorId=made["aliasArn"]) == MISSING


def test_notification_settings_are_put_and_reset(emulator: Emulator, admin: Administrator) -> None:
    anchor = emulator.trust_anchor_arn.rpartition("/")[2]
    setting = {"enabled": True, "event": "END_ENTITY_CERTIFICATE_EXPIRY", "threshold": 7}

    def threshold(answer: Any) -> int:  # noqa: ANN401  # boto3's
        settings = answer["trustAnchor"]["notificationSettings"]
        return next(each["threshold"] for each in settings if each["event"] == setting["event"])

    put = admin.put_notification_settings(trustAnchorId=anchor, notificationSettings=[setting])
    assert threshold(put) == 7
    key = {"event": setting["event"]}
    reset = admin.reset_notification_settings(trustAnchorId=anchor, notificationSettingKeys=[key])
    assert threshold(reset) == 45
    assert len(reset["trustAnchor"]["notificationSettings"]) == 2


def test_a_profile_keeps_all_that_it_was_given(admin: Administrator) -> None:
    given = {
        "name": "app",
        "roleArns": [ROLE],
        "sessionPolicy": '{"Version":"2012-10-17","Statement":[]}',
        "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "durationSeconds": 7200,
        "requireInstanceProperties": True,
        "acceptRoleSessionName": True,
        "aliasName": "apps/one",
        "tipConfiguration": {
            "status": "ENABLED",
            "subjectSource": "x509Subject/CN",
            "subjectType": "workload",
        },
    }
    made = admin.create_profile(**given)["profile"]
    assert given.items() <= made.items()
    identifier = made["profileId"]
    mapped = admin.put_attribute_mapping(
        profileId=identifier, certificateField="x509Subject", mappingRules=[{"specifier": "CN"}]
    )["profile"]["attributeMappings"]
    rules = {each["certificateField"]: each["mappingRules"] for each in mapped}
    assert rules["x509Subject"] == [{"specifier": "CN"}]
    left = admin.delete_attribute_mapping(
        profileId=identifier, certificateField="x509SAN", specifiers=["DNS", "URI"]
    )["profile"]["attributeMappings"]
    rules = {each["certificateField"]: each["mappingRules"] for each in left}
    assert rules["x509SAN"] == [{"specifier": "Name/*"}]
    changed = admin.update_profile(profileId=identifier, roleArns=[])["profile"]
    assert changed["roleArns"] == []
    assert changed["sessionPolicy"] == given["sessionPolicy"]


def test_without_a_duration_it_is_an_hour(admin: Administrator) -> None:
    made = admin.create_profile(name="app", roleArns=[])["profile"]
    assert made["durationSeconds"] == 3600


def test_lists_come_in_pages(admin: Administrator) -> None:
    for number in range(5):
        admin.create_profile(name=f"p{number}", roleArns=[])
    pages = list(admin.get_paginator("list_profiles").paginate(pageSize=2))
    assert [len(page["profiles"]) for page in pages] == [2, 2, 2]  # with the emulator's first
    names = [profile["name"] for page in pages for profile in page["profiles"]]
    assert names[1:] == [f"p{number}" for number in range(5)]
    for odd in ("!", "WzFd", "WzEsMl0="):  # no Base64, [1], [1,2]
        assert refusal(admin.list_profiles, nextToken=odd) == INVALID
    for size in (0, -1, 1001):
        assert refusal(admin.list_profiles, pageSize=size) == INVALID


def test_what_is_deleted_meanwhile_hides_nothing_from_the_next_page(admin: Administrator) -> None:
    made = [admin.create_profile(name=f"p{n}", roleArns=[])["profile"] for n in range(4)]
    first = admin.list_profiles(pageSize=3)
    admin.delete_profile(profileId=made[0]["profileId"])
    admin.delete_profile(profileId=made[1]["profileId"])  # the last one of the first page
    second = admin.list_profiles(pageSize=3, nextToken=first["nextToken"])
    assert [profile["name"] for profile in second["profiles"]] == ["p2", "p3"]
    assert "nextToken" not in second


def test_names_are_not_unique_and_aliases_are(admin: Administrator) -> None:
    first = admin.create_profile(name="app", roleArns=[], aliasName="app")["profile"]
    second = admin.create_profile(name="app", roleArns=[])["profile"]
    assert first["profileArn"] != second["profileArn"]
    assert refusal(admin.create_profile, name="b", roleArns=[], aliasName="app") == INVALID
    assert refusal(admin.update_profile, profileId=second["profileId"], aliasName="app") == INVALID


def test_an_anchor_of_a_private_ca(ca: CertificateAuthority) -> None:
    arn = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/1"
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": arn}}
    with Emulator(private_cas={arn: ca.certificate_pem.decode()}.get) as emulator:
        made = client(emulator).create_trust_anchor(name="pca", source=source)["trustAnchor"]
        assert made["source"] == source
    with Emulator() as emulator:
        assert refusal(client(emulator).create_trust_anchor, name="p", source=source) == INVALID


def test_what_the_emulator_started_with_shows_as_much(
    emulator: Emulator, admin: Administrator
) -> None:
    anchor = admin.get_trust_anchor(trustAnchorId=emulator.trust_anchor_arn)["trustAnchor"]
    profile = admin.get_profile(profileId=emulator.profile_arn)["profile"]
    made = admin.create_profile(name="a", roleArns=[])["profile"]
    assert set(profile) | {"requireInstanceProperties"} == set(made)
    assert profile["createdBy"] == made["createdBy"] == "123456789012"
    assert {"createdAt", "updatedAt", "name", "crlDpRevocationEnabled"} <= set(anchor)
