"""The CloudFormation template: cfn-lint accepts it, and it says what is wanted."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from cfnlint.api import lint
from wanted_setups import FULL, PCA, PLAIN, READ_ONLY, SETUPS, TARGET

from boto_rolesanywhere.account.emit.cloudformation import cloudformation

ANCHOR: Final = {"Fn::GetAtt": ["TrustAnchor", "TrustAnchorArn"]}


def properties(name: str) -> dict[str, dict[str, Any]]:
    resources = json.loads(cloudformation(SETUPS[name], TARGET))["Resources"]
    return {name: resource["Properties"] for name, resource in resources.items()}


@pytest.mark.parametrize("name", SETUPS)
def test_the_template_is_accepted(name: str) -> None:
    assert [str(found) for found in lint(cloudformation(SETUPS[name], TARGET))] == []


def test_the_linter_would_object() -> None:
    wrong = cloudformation(PLAIN, TARGET).replace('"TrustAnchorArn"', '"Arn"')

    assert lint(wrong)


def test_the_trust_policy_names_the_anchor_of_the_stack() -> None:
    statements = properties("private CA")["Role"]["AssumeRolePolicyDocument"]["Statement"]

    assert [statement["Condition"] for statement in statements] == [
        {
            "ArnEquals": {"aws:SourceArn": ANCHOR},
            "StringEquals": {"aws:PrincipalTag/x509Subject/CN": ["app1", "app2"]},
        }
    ]
    assert properties("private CA")["TrustAnchor"]["Source"]["SourceData"] == {"AcmPcaArn": PCA}


def test_all_that_can_be_said_is_said() -> None:
    found = properties("full")
    anchor, role, profile = found["TrustAnchor"], found["Role"], found["Profile"]

    assert anchor["Source"]["SourceData"] == {"X509CertificateData": FULL.anchor.bundle}
    assert [setting.get("Threshold") for setting in anchor["NotificationSettings"]] == [90, None]
    tags = [{"Key": "team", "Value": "payments @ example"}]
    assert anchor["Tags"] == role["Tags"] == profile["Tags"] == tags
    assert (role["RoleName"], role["Path"]) == ("App.1=x@y", "/apps/")
    assert role["MaxSessionDuration"] == profile["DurationSeconds"] == 7200
    assert role["Policies"][0]["PolicyDocument"] == FULL.role.inline_policy
    assert role["ManagedPolicyArns"] == list(FULL.role.policy_arns)
    assert json.loads(profile["SessionPolicy"]) == FULL.profile.session_policy
    assert profile["ManagedPolicyArns"] == [READ_ONLY]
    assert profile["AcceptRoleSessionName"] is True
    assert [mapping["CertificateField"] for mapping in profile["AttributeMappings"]] == [
        "x509Subject",
        "x509Issuer",
        "x509SAN",
    ]


def test_the_outputs_are_the_arns_and_the_profile() -> None:
    template = json.loads(cloudformation(FULL, TARGET))

    assert template["Outputs"]["TrustAnchorArn"] == {"Value": ANCHOR}
    parts = template["Outputs"]["AwsConfig"]["Value"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else part["Fn::GetAtt"][0] for part in parts)
    assert text.splitlines() == [
        "[profile onprem]",
        "rolesanywhere_certificate = /etc/pki/$app `1`.pem",
        "rolesanywhere_trust_anchor_arn = TrustAnchor",
        "rolesanywhere_profile_arn = Profile",
        "rolesanywhere_role_arn = Role",
    ]
    notes = template["Metadata"]["Notes"]
    assert [note.partition(" cannot ")[0] for note in notes] == ["CloudFormation"] * 3
