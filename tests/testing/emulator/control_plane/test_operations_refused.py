"""What the control plane refuses: limits, quotas, signatures, the pace of calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import boto3
import pytest
from control_plane_calls import (
    INVALID,
    MISSING,
    NOBODY,
    ROLE,
    Administrator,
    bundle,
    client,
    refusal,
)

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults


def test_tags_are_added_removed_and_limited(emulator: Emulator, admin: Administrator) -> None:
    arn = emulator.profile_arn
    admin.tag_resource(resourceArn=arn, tags=[{"key": f"k{n}", "value": "v"} for n in range(200)])
    one_more = [{"key": "one", "value": "more"}]
    assert refusal(admin.tag_resource, resourceArn=arn, tags=one_more) == (
        400,
        "TooManyTagsException",
    )
    admin.untag_resource(resourceArn=arn, tagKeys=["k0"])
    admin.tag_resource(resourceArn=arn, tags=one_more)
    tags = admin.list_tags_for_resource(resourceArn=arn)["tags"]
    assert len(tags) == 200
    assert one_more[0] in tags
    elsewhere = arn.rpartition("/")[0] + "/" + NOBODY
    assert refusal(admin.list_tags_for_resource, resourceArn=elsewhere) == MISSING


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_profile", {"name": "", "roleArns": []}),
        ("create_profile", {"name": "a/b", "roleArns": []}),
        ("create_profile", {"name": "a", "roleArns": ["no ARN"]}),
        ("create_profile", {"name": "a", "roleArns": [ROLE] * 251}),
        ("create_profile", {"name": "a", "roleArns": [], "durationSeconds": 899}),
        ("create_profile", {"name": "a", "roleArns": [], "durationSeconds": 43201}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "1a"}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "a//b"}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "AWS/x"}),
        ("create_profile", {"name": "a", "roleArns": [], "managedPolicyArns": ["x"] * 51}),
        ("create_profile", {"name": "a", "roleArns": [], "tags": [{"key": "", "value": ""}]}),
        ("create_profile", {"name": "a", "roleArns": [], "tipConfiguration": {"status": "X"}}),
        ("create_trust_anchor", {"name": "a", "source": {"sourceType": "X", "sourceData": {}}}),
        (
            "create_trust_anchor",
            {
                "name": "a",
                "source": {
                    "sourceType": "CERTIFICATE_BUNDLE",
                    "sourceData": {"x509CertificateData": "x" * 204_801},
                },
            },
        ),
    ],
)
def test_values_out_of_their_limits_are_refused(
    operation: str, parameters: dict[str, object], emulator: Emulator
) -> None:
    unchecked = client(emulator, parameter_validation=False)
    assert refusal(getattr(unchecked, operation), **parameters) == INVALID


def test_there_are_as_many_of_a_kind_as_the_quota_allows(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    for number in range(49):
        emulator.add(
            replace(emulator.trust_anchor, arn=f"{emulator.trust_anchor_arn}{number}", about={})
        )
    assert refusal(admin.create_trust_anchor, name="51st", source=bundle(ca)) == INVALID
    admin.delete_trust_anchor(trustAnchorId=emulator.trust_anchor_arn)
    assert admin.create_trust_anchor(name="50th", source=bundle(ca))

    for number in range(249):
        emulator.add(replace(emulator.profile, arn=f"{emulator.profile_arn}{number}", about={}))
    assert refusal(admin.create_profile, name="251st", roleArns=[]) == INVALID
    admin.delete_profile(profileId=emulator.profile_arn)
    assert admin.create_profile(name="250th", roleArns=[])
    pages = admin.get_paginator("list_profiles").paginate()
    assert sum(len(page["profiles"]) for page in pages) == 250


def test_what_is_not_there_is_not_found(admin: Administrator) -> None:
    for operation, parameter in (
        ("get_trust_anchor", "trustAnchorId"),
        ("delete_profile", "profileId"),
        ("enable_crl", "crlId"),
        ("update_profile", "profileId"),
    ):
        assert refusal(getattr(admin, operation), **{parameter: NOBODY}) == MISSING


def test_a_signature_is_asked_for_where_administrators_are_named(ca: CertificateAuthority) -> None:
    with Emulator(ca, administrators={"AKIDADMIN": "the secret"}) as emulator:
        admin = client(emulator, "the secret")
        arn = emulator.trust_anchor_arn
        assert admin.get_trust_anchor(trustAnchorId=arn)  # slashes and colons in the path
        assert admin.list_tags_for_resource(resourceArn=arn)
        assert admin.create_profile(name="a", roleArns=[])
        wrong = client(emulator, "another").list_profiles
        assert refusal(wrong) == (403, "InvalidSignatureException")
        stranger = boto3.client(
            "rolesanywhere",
            endpoint_url=emulator.endpoint_url,
            region_name=emulator.region,
            aws_access_key_id="AKIDOTHER",
            aws_secret_access_key="the secret",
        )
        assert refusal(stranger.list_profiles) == (403, "UnrecognizedClientException")


def test_one_call_a_second_and_group(ca: CertificateAuthority) -> None:
    now = datetime(2026, 11, 28, tzinfo=timezone.utc)
    with Emulator(ca, control_plane_rate=1, clock=lambda: now) as emulator:
        admin = client(emulator)
        admin.list_profiles()
        admin.list_trust_anchors()
        assert refusal(admin.list_profiles) == (429, "ThrottlingException")


def test_a_fault_can_wait_for_one_operation(emulator: Emulator, admin: Administrator) -> None:
    fault = faults.ErrorStatus(503, retry_after_seconds=7)
    emulator.inject(fault, operation="CreateProfile", times=2)
    assert admin.list_profiles()
    for _ in range(2):
        with pytest.raises(admin.exceptions.ServiceUnavailableException) as caught:
            admin.create_profile(name="a", roleArns=[])
        assert caught.value.response["retryAfterSeconds"] == 7
    assert admin.create_profile(name="a", roleArns=[])
