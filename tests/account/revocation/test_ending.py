"""Ending sessions: the policy on the role, against moto's IAM."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.revocation.ending import (
    POLICY_NAME,
    end_sessions,
    ending_statement,
)
from boto_rolesanywhere.errors import ServiceError

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=timezone.utc)
ROLE = "role-of-ended-sessions"


@pytest.fixture
def administrator(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Administrator:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    made = Administrator(region="eu-west-1")
    policy = '{"Version":"2012-10-17","Statement":[]}'
    try:
        made.call("iam", "CreateRole", RoleName=ROLE, AssumeRolePolicyDocument=policy)
    except ServiceError:
        made.call("iam", "DeleteRolePolicy", RoleName=ROLE, PolicyName=POLICY_NAME)
    return made


def held(administrator: Administrator) -> dict[str, str]:
    """The SourceIdentities of the role's policy, each with the time of its statement."""
    answer = administrator.call("iam", "GetRolePolicy", RoleName=ROLE, PolicyName=POLICY_NAME)
    found = {}
    for statement in answer["PolicyDocument"]["Statement"]:
        condition = statement.pop("Condition")
        assert statement == {"Effect": "Deny", "Action": "*", "Resource": "*"}
        assert set(condition) == {"StringEquals", "DateLessThan"}
        identity = condition["StringEquals"]["aws:SourceIdentity"]
        found[identity] = condition["DateLessThan"]["aws:TokenIssueTime"]
    return found


def test_one_policy_holds_all_that_is_not_over(administrator: Administrator) -> None:
    end_sessions(administrator, ROLE, "CN=old", NOW - timedelta(hours=13))
    end_sessions(administrator, f"arn:aws:iam::123456789012:role/path/{ROLE}", "CN=app2", NOW)
    end_sessions(administrator, ROLE, "CN=app1", NOW)
    end_sessions(administrator, ROLE, "CN=app2", NOW + timedelta(hours=1))

    assert held(administrator) == {
        "CN=app1": "2026-11-28T12:00:00Z",
        "CN=app2": "2026-11-28T13:00:00Z",
    }


def test_what_somebody_wrote_into_it_stays(administrator: Administrator) -> None:
    theirs = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": theirs})
    put = {"RoleName": ROLE, "PolicyName": POLICY_NAME, "PolicyDocument": document}
    administrator.call("iam", "PutRolePolicy", **put)

    policy = end_sessions(administrator, ROLE, "CN=app1", NOW)

    assert policy["Statement"] == [theirs, ending_statement("CN=app1", NOW)]


def test_a_role_that_is_not_there_is_said(administrator: Administrator) -> None:
    with pytest.raises(ServiceError, match="NoSuchEntity"):
        end_sessions(administrator, "missing", "CN=app1", NOW)
