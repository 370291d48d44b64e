"""The administrator's policy: valid, no wider than the setup, as wide as its calls.

That it covers every call that setup makes is in `tests/journeys/`.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from cfnlint.api import lint
from wanted_setups import FULL, PLAIN, SETUPS, TARGET

from boto_rolesanywhere.account.emit.administrator_policy import administrator_policy
from boto_rolesanywhere.account.emit.in_code import Target

ROLE: Final = "arn:aws:iam::123456789012:role/apps/App.1=x@y"


def policy(name: str, *, detaches: bool = False, target: Target = TARGET) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        administrator_policy(SETUPS[name], target, detaches=detaches)
    )
    return found


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def template(document: dict[str, Any]) -> str:
    """The policy where cfn-lint looks at it: names of elements, actions, resources."""
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"P": managed}})


@pytest.mark.parametrize("name", SETUPS)
def test_the_policy_is_valid(name: str) -> None:
    assert [str(found) for found in lint(template(policy(name, detaches=True)))] == []


def test_the_linter_knows_the_actions() -> None:
    wrong = administrator_policy(PLAIN, TARGET, detaches=False).replace("ListProfiles", "ListAll")

    assert lint(template(json.loads(wrong)))


def test_a_plain_setup_needs_no_more_than_its_calls() -> None:
    further = {
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePolicy",
        "iam:UpdateRole",
        "rolesanywhere:DeleteAttributeMapping",
        "rolesanywhere:PutAttributeMapping",
        "rolesanywhere:PutNotificationSettings",
    }
    assert actions(policy("full", detaches=True)) - actions(policy("plain")) == further


def test_only_this_role_is_touched_and_passed_to_this_service_alone() -> None:
    statements = {statement["Sid"]: statement for statement in policy("full")["Statement"]}

    for name in ("Role", "Attach", "GiveTheRoleToTheProfile"):
        assert statements[name]["Resource"] == ROLE
    assert statements["GiveTheRoleToTheProfile"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "rolesanywhere.amazonaws.com"}
    }
    assert statements["Attach"]["Condition"] == {
        "ArnEquals": {"iam:PolicyARN": list(FULL.role.policy_arns)}
    }
    assert [name for name, statement in statements.items() if statement["Resource"] == "*"] == [
        "FindAndMake"
    ]


def test_what_is_not_known_is_any() -> None:
    text = administrator_policy(PLAIN, Target(config="", partition="aws-cn"), detaches=False)

    assert '"arn:aws-cn:rolesanywhere:*:*:profile/*"' in text
    assert '"arn:aws-cn:iam::*:role/app1"' in text
