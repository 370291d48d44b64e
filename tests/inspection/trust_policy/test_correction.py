"""Trust policies with one mistake each, and what they are corrected to."""

from __future__ import annotations

import json
from typing import Final

import pytest
from trust_policies import (
    ALIAS,
    ANCHOR,
    CN,
    FACTS,
    OTHER,
    PROFILE,
    SERVICE,
    TIGHT,
    Json,
    policy,
    statement,
)

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import (
    ACTIONS,
    TrustPolicy,
    correct,
    evaluate,
)


def corrected(*statements: Json, version: str = "2012-10-17") -> tuple[list[Json], str]:
    """The statements after the correction, of which the certificate passes, and what is told."""
    found = correct(json.dumps(policy(*statements, version=version)), FACTS, TIGHT, where="p.json")
    again = evaluate(TrustPolicy.parse(json.dumps(found.document)), FACTS)
    assert again.allowed
    assert again == found.evaluation
    return found.document["Statement"], "\n".join(found.changes)


def named(**condition: Json) -> Json:
    """A condition beside the one that names the trust anchor."""
    return {"ArnEquals": {"aws:SourceArn": ANCHOR}, **condition}


# Each condition, what it is corrected to, and what is told of it.
CONDITIONS: Final = {
    "an alias": (
        {"ArnEquals": {"aws:SourceArn": ALIAS}},
        {"ArnEquals": {"aws:SourceArn": ANCHOR}},
        "an alias, which no condition of IAM ever matches",
    ),
    "a profile": (
        {"ArnLike": {"aws:SourceArn": [PROFILE]}},
        {"ArnLike": {"aws:SourceArn": ANCHOR}},
        "a profile, and never the source of a session",
    ),
    "another anchor": (
        {"StringEquals": {"aws:SourceArn": OTHER}},
        {"StringEquals": {"aws:SourceArn": ANCHOR}},
        f"was {OTHER}; it is {ANCHOR} now",
    ),
    "a wrong kind of operator for an ARN": (
        {"IpAddress": {"aws:SourceArn": ANCHOR}},
        {"ArnEquals": {"aws:SourceArn": ANCHOR}},
        "aws:SourceArn",
    ),
    "another account": (
        named(StringEquals={"aws:SourceAccount": "210987654321"}),
        named(StringEquals={"aws:SourceAccount": "123456789012"}),
        "aws:SourceAccount was 210987654321",
    ),
    "a wildcard without an operator for it": (
        named(StringEquals={CN: "web-*"}),
        named(StringLike={CN: "web-*"}),
        "StringLike does",
    ),
    "an operator for ARNs on a tag": (
        named(ArnLike={CN: "web-1"}),
        named(StringEquals={CN: "web-1"}),
        "ArnLike cannot match",
    ),
    "an operator's ending is kept": (
        named(StringEqualsIfExists={CN: "web-*"}),
        named(StringLikeIfExists={CN: "web-*"}),
        "StringLikeIfExists does",
    ),
    "an operator that is misspelt": (
        named(StringEqual={CN: "web-1"}),
        named(StringEquals={CN: "web-1"}),
        "the operator StringEqual is StringEquals",
    ),
    "an operator and a value": (
        named(stringequals={CN: "WEB-1"}),
        named(StringEquals={CN: "web-1"}),
        "and not 'WEB-1'",
    ),
    "a set operator that is misspelt": (
        named(**{"foranyvalue:StringEqual": {CN: "web-1"}}),
        named(**{"ForAnyValue:StringEquals": {CN: "web-1"}}),
        "ForAnyValue:StringEquals",
    ),
    "the attribute's long name": (
        named(StringEquals={"aws:PrincipalTag/x509Subject/CommonName": "web-1"}),
        named(StringEquals={CN: "web-1"}),
        f"should be {CN}",
    ),
    "a key without its prefix": (
        named(StringEquals={"x509Subject/OU": "Security/Operations"}),
        named(StringEquals={"aws:PrincipalTag/x509Subject/OU": "Security/Operations"}),
        "should be aws:PrincipalTag/x509Subject/OU",
    ),
    "a key without its field": (
        named(StringEquals={"aws:PrincipalTag/DNS": "web.example.com"}),
        named(StringEquals={"aws:PrincipalTag/x509SAN/DNS": "web.example.com"}),
        "x509SAN/DNS",
    ),
    "a field that is misspelt": (
        named(StringEquals={"aws:PrincipalTags/x509Subjet/CN": "web-1"}),
        named(StringEquals={CN: "web-1"}),
        f"should be {CN}",
    ),
    "a request's tag": (
        named(StringEquals={"aws:RequestTag/x509SAN:dNSName": "web.example.com"}),
        named(StringEquals={"aws:RequestTag/x509SAN/DNS": "web.example.com"}),
        "should be aws:RequestTag/x509SAN/DNS",
    ),
    "the SourceIdentity of later requests": (
        named(StringEquals={"aws:SourceIdentity": "CN=web-1"}),
        named(StringEquals={"sts:SourceIdentity": "CN=web-1"}),
        "aws:SourceIdentity should be sts:SourceIdentity",
    ),
    "a SourceIdentity without its prefix": (
        named(StringEquals={"sts:SourceIdentity": ["web-1", "CN=db-1"]}),
        named(StringEquals={"sts:SourceIdentity": ["CN=web-1", "CN=db-1"]}),
        "is 'CN=web-1', and not 'web-1'",
    ),
    "blanks": (
        named(StringEquals={CN: " web-1"}),
        named(StringEquals={CN: "web-1"}),
        "is 'web-1', and not ' web-1'",
    ),
    "an external id": (
        named(StringEquals={"sts:ExternalId": "42"}),
        named(),
        "no request of IAM Roles Anywhere has an external id",
    ),
    "no condition": ({}, {"ArnEquals": {"aws:SourceArn": ANCHOR}}, "no trust anchor was named"),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_condition_says_what_was_meant(case: str) -> None:
    wrong, right, told = CONDITIONS[case]

    found, changes = corrected(statement(wrong))

    assert found == [statement(right)]
    assert told in changes
    assert changes.startswith("statement 1: ")


def test_a_variable_needs_the_version_that_has_it() -> None:
    condition = named(StringLike={"sts:SourceIdentity": "CN=${aws:PrincipalTag/x509Subject/CN}"})

    found = correct(
        json.dumps(policy(statement(condition), version="2008-10-17")), FACTS, TIGHT, where="p"
    )

    assert found.document == policy(statement(condition))
    assert list(found.document) == ["Version", "Statement"]
    assert found.evaluation.allowed


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"Service": "roleanywhere.amazonaws.com"}, {"Service": SERVICE}),
        ({"Service": "rolesanywhere.amazonaws.com.cn"}, {"Service": SERVICE}),
        ({"AWS": SERVICE}, {"Service": SERVICE}),
        (
            {"Service": ["ec2.amazonaws.com", "rolesanywhere.aws.com"]},
            {"Service": ["ec2.amazonaws.com", SERVICE]},
        ),
        # Only a certificate's session can meet the statement's condition.
        (
            {"Service": "ec2.amazonaws.com"},
            {"Service": ["ec2.amazonaws.com", SERVICE]},
        ),
    ],
)
def test_a_principal_is_the_service(wrong: Json, right: Json) -> None:
    found, changes = corrected(statement(named(StringEquals={CN: "web-1"}), Principal=wrong))

    assert found == [statement(named(StringEquals={CN: "web-1"}), Principal=right)]
    assert f"the Principal is the Service {SERVICE}" in changes


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("sts:AssumeRole", list(ACTIONS)),
        (["sts:AssumeRole", "sts:SetSourceIdentity"], [*ACTIONS[::2], "sts:TagSession"]),
        (["sts:AssumeRole", "sts:TagSessions", "sts:SetSourceIdentiy"], list(ACTIONS)),
        (["sts:tagsession", "sts:Assume*"], ["sts:tagsession", "sts:Assume*", ACTIONS[2]]),
    ],
)
def test_missing_actions_are_added(wrong: object, right: object) -> None:
    found, changes = corrected(statement(Action=wrong))

    assert found == [statement(Action=right)]
    assert "was missing: CreateSession needs it" in changes


def test_actions_in_statements_of_their_own_stay_there() -> None:
    condition = {"ArnEquals": {"aws:SourceArn": ALIAS}}
    first = statement(condition, Action="sts:AssumeRole")
    second = statement(condition, Action=["sts:TagSession", "sts:SetSourceIdentity"])

    found, _ = corrected(first, second)

    right = {"Condition": {"ArnEquals": {"aws:SourceArn": ANCHOR}}}
    assert found == [first | right, second | right]


def test_a_policy_for_other_certificates_gets_a_statement_more() -> None:
    of_another = statement(named(StringEquals={CN: "db-1"}), Sid="Database")
    of_lambda = statement({}, Principal={"Service": "lambda.amazonaws.com"})

    found, changes = corrected(of_another, of_lambda)

    assert found == [of_another, of_lambda, TIGHT]
    assert changes == "statement 3: added, since no other is for this certificate"


def test_of_two_statements_the_one_that_is_nearly_right_is_corrected() -> None:
    of_another_anchor = statement({"ArnEquals": {"aws:SourceArn": OTHER}}, Action="sts:AssumeRole")
    nearly = statement(named(StringEquals={CN: "web-1"}), Action="sts:AssumeRole")

    found, _ = corrected(of_another_anchor, nearly)

    assert found == [of_another_anchor, nearly | {"Action": list(ACTIONS)}]


def test_a_deny_that_lets_the_anchor_pass_names_it_rightly() -> None:
    guard = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:*",
        "Condition": {"ArnNotEquals": {"aws:SourceArn": ALIAS}},
    }

    found, _ = corrected(statement(), guard)

    assert found[1]["Condition"] == {"ArnNotEquals": {"aws:SourceArn": ANCHOR}}


DENY: Final = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}
MEANT: Final = {
    "a deny": [statement(), DENY],
    "a deny of all but others": [
        statement(),
        DENY | {"Condition": {"StringNotEquals": {CN: "db-1"}}},
    ],
    "an exclusion": [statement(named(StringNotEquals={CN: "web-1"}), Action="sts:*")],
    "a time that is over": [statement(named(DateLessThan={"aws:CurrentTime": "2025-01-01"}))],
    "an address that is not known": [statement(named(IpAddress={"aws:SourceIp": "10.0.0.0/8"}))],
}


@pytest.mark.parametrize("case", MEANT)
def test_what_is_meant_stays_and_is_not_gone_around(case: str) -> None:
    found = correct(json.dumps(policy(*MEANT[case])), FACTS, TIGHT, where="p")

    assert found.document == policy(*MEANT[case])
    assert found.changes == ()
    assert not found.evaluation.allowed


def test_a_door_of_others_is_not_narrowed() -> None:
    shared = statement({}, Principal={"Service": ["ec2.amazonaws.com", SERVICE]})

    found, changes = corrected(shared)

    assert found == [shared]
    assert changes == ""


def test_a_right_policy_is_as_it_was() -> None:
    right = policy(
        statement(
            named(
                StringLike={CN: ["web-*", "db-*"]},
            ),
            Sid="",
        ),
        statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Condition=None),
    )

    found = correct(json.dumps(right).encode(), FACTS, TIGHT, where="p")

    assert found.document == right
    assert found.changes == ()


def test_a_single_statement_without_a_list_is_read() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statement(Action="sts:AssumeRole")})

    found = correct("\ufeff" + text, FACTS, TIGHT, where="p")

    assert found.document["Statement"] == statement()


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^p\.json: there is no Statement"):
        correct("{}", FACTS, TIGHT, where="p.json")
