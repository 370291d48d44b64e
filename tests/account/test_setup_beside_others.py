"""Setup where somebody else has made what it would make."""

from __future__ import annotations

import json

import pytest
from aws_account import Account
from setups import CA, POLICY, made, run, small

from boto_rolesanywhere.account.tags import ADOPTED
from boto_rolesanywhere.account.tags import REGION as REGION_TAG
from boto_rolesanywhere.account.teardown import removals_for_role, remove
from boto_rolesanywhere.errors import ConfigurationError


def test_a_name_alone_makes_nothing_ours(account: Account) -> None:
    client = account.client("rolesanywhere")
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": CA.certificate_pem.decode()},
    }
    client.create_trust_anchor(name="example-ca", source=source)
    client.create_profile(name="app1", roleArns=[])
    before = account.everything()
    _, setup = run(account, small())

    assert {key: text for key, text in account.everything().items() if key in before} == before
    (note,) = setup.notes
    assert "trusts the same CA, and setup did not make it" in note


def test_an_alias_of_anothers_is_refused_before_anything_is_made(account: Account) -> None:
    account.client("rolesanywhere").create_profile(name="x", aliasName="app1", roleArns=[])
    before = account.everything()

    with pytest.raises(ConfigurationError) as refused:
        run(account, small())

    assert refused.value.code == "name-taken"
    assert account.everything() == before


def test_a_role_of_anothers_is_refused_or_adopted(account: Account) -> None:
    iam = account.client("iam")
    iam.create_role(
        RoleName="app1",
        AssumeRolePolicyDocument="{}",
        Tags=[{"Key": "of", "Value": "somebody"}],
    )
    iam.attach_role_policy(RoleName="app1", PolicyArn=account.policy("theirs"))
    before = account.everything()
    with pytest.raises(ConfigurationError) as refused:
        run(account, small())
    assert refused.value.code == "name-taken"
    assert account.everything() == before

    watched, setup = run(account, small(), adopt_role=True)

    assert "TagRole" in watched.writes
    assert "UpdateAssumeRolePolicy" in watched.writes
    assert "theirs" in setup.parts[1].notes[0]
    role = account.roles()["app1"]
    tags = {one["Key"]: one["Value"] for one in role["Tags"]}
    assert tags["of"] == "somebody"
    assert tags[ADOPTED] == "true"
    assert len(role["AttachedManagedPolicies"]) == 1
    assert run(account, small())[0].writes == []  # from now on it is known

    administrator = account.watched().administrator
    removals = removals_for_role(administrator, "app1", lambda _: None)
    remove(administrator, removals, lambda _: None)
    kept = account.roles()["app1"]
    assert kept["Tags"] == [{"Key": "of", "Value": "somebody"}]
    assert len(kept["AttachedManagedPolicies"]) == 1


def test_a_role_of_another_region_is_refused(account: Account) -> None:
    wanted = small()
    run(account, wanted)
    tag = {"Key": REGION_TAG, "Value": "us-east-1"}
    account.client("iam").tag_role(RoleName="app1", Tags=[tag])

    with pytest.raises(ConfigurationError, match="us-east-1") as refused:
        run(account, wanted)
    assert refused.value.code == "name-taken"


def test_tags_and_policies_of_others_are_left(account: Account) -> None:
    wanted = small()
    run(account, wanted)
    anchor, profile, _ = made(account, wanted)
    client, iam = account.client("rolesanywhere"), account.client("iam")
    theirs = [{"key": "of", "value": "somebody"}]
    for arn in (anchor["trustAnchorArn"], profile["profileArn"]):
        client.tag_resource(resourceArn=arn, tags=theirs)
    policy = account.policy("theirs")
    iam.attach_role_policy(RoleName="app1", PolicyArn=policy)
    iam.put_role_policy(RoleName="app1", PolicyName="theirs", PolicyDocument=json.dumps(POLICY))
    tag = {"Key": "of", "Value": "somebody"}
    iam.tag_role(RoleName="app1", Tags=[tag])
    before = account.everything()

    run(account, wanted)
    assert account.everything() == before
    watched, _ = run(account, wanted, detach_others=True)
    assert watched.writes == ["DetachRolePolicy"]
