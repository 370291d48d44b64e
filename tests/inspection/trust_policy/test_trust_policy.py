"""Trust policies, evaluated for a session whose facts are known: a table of IAM's rules.

Where a row names a source, it is the rule of AWS's documentation that the row holds to.
"""

from __future__ import annotations

import json

import pytest
from policy_cases import ABSENT, ANCHOR, CN, OU, decisions, facts, one, policy, statement

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import (
    ACTIONS,
    evaluate,
)

OPERATORS = [
    # operator, key, wanted, holds
    ("StringEquals", CN, "web-1", True),
    ("StringEquals", CN, "WEB-1", False),
    ("StringEquals", CN, "web-*", False),
    ("StringEquals", CN, ["db-1", "web-1"], True),
    ("StringEquals", CN, [], False),
    ("StringNotEquals", CN, "db-1", True),
    ("StringNotEquals", CN, ["db-1", "web-1"], False),
    ("StringNotEquals", CN, [], True),
    ("StringEqualsIgnoreCase", CN, "WEB-1", True),
    ("StringNotEqualsIgnoreCase", CN, "WEB-1", False),
    ("StringLike", CN, "web-?", True),
    ("StringLike", CN, "*-*", True),
    ("StringLike", CN, "w*b*2", False),
    ("StringLike", CN, "web-1?", False),
    ("StringLike", "aws:PrincipalTag/x509SAN/URI", "spiffe://example.com/ns/*", True),
    ("StringNotLike", CN, "web-*", False),
    ("StringEquals", "AWS:principaltag/X509subject/cn", "web-1", True),  # keys ignore case
    ("StringEquals", OU, "Security", False),  # repeated RDNs are one value
    ("StringLike", OU, "Security/*", True),
    ("ArnEquals", "aws:SourceArn", ANCHOR, True),
    ("ArnEquals", "aws:SourceArn", "arn:aws:rolesanywhere:*:123456789012:trust-anchor/*", True),
    ("ArnLike", "aws:SourceArn", "arn:aws:rolesanywhere:*:trust-anchor/0aa0-1", None),
    ("ArnLike", "aws:SourceArn", "arn:aws:rolesanywhere:*:999999999999:*", False),
    ("StringLike", "aws:SourceArn", "arn:aws:rolesanywhere:*:trust-anchor/0aa0-1", True),
    ("ArnLike", CN, "*:*:*:*:*:*", False),  # not an ARN at all
    # A value that decides does so wherever it stands among those that cannot.
    ("ArnEquals", "aws:SourceArn", ["junk", ANCHOR], True),
    ("ArnEquals", "aws:SourceArn", [ANCHOR, "junk"], True),
    ("ArnNotEquals", "aws:SourceArn", ["junk", ANCHOR], False),
    ("StringEquals", CN, ["web-1", "${aws:SourceVpc}"], True),
    ("StringEquals", CN, ["db-1", "${aws:SourceVpc}"], None),
    ("StringNotEquals", CN, ["${aws:SourceVpc}", "web-1"], False),
    ("ForAnyValue:StringEquals", CN, ["${aws:SourceVpc}", "web-1"], True),
    ("ForAllValues:StringEquals", CN, ["${aws:SourceVpc}", "web-1"], True),
    ("ArnNotEquals", "aws:SourceArn", ANCHOR, False),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:rolesanywhere:us-*:*:*", True),
    ("StringEquals", "aws:SourceAccount", "123456789012", True),
    ("StringEquals", "aws:SourceAccount", 123456789012, True),
    ("StringEquals", "sts:SourceIdentity", "CN=web-1", True),
    ("StringLike", "sts:RoleSessionName", "00*", True),
    ("StringEquals", "aws:RequestTag/x509Subject/CN", "web-1", True),
    ("Bool", "aws:PrincipalIsAWSService", True, True),
    ("Bool", "aws:PrincipalIsAWSService", "FALSE", False),
    ("Bool", "aws:PrincipalIsAWSService", "yes", None),
    ("NumericEquals", "aws:PrincipalTag/x509Subject/L", "7.0", True),
    ("NumericNotEquals", "aws:PrincipalTag/x509Subject/L", 7, False),
    ("NumericLessThan", "aws:PrincipalTag/x509Subject/L", 8, True),
    ("NumericLessThanEquals", "aws:PrincipalTag/x509Subject/L", 6, False),
    ("NumericGreaterThan", "aws:PrincipalTag/x509Subject/L", 7, False),
    ("NumericGreaterThanEquals", "aws:PrincipalTag/x509Subject/L", 7, True),
    ("NumericEquals", CN, 7, None),  # a name is not a number
    ("DateLessThan", "aws:CurrentTime", "2026-03-02T00:00:00Z", True),
    ("DateGreaterThan", "aws:CurrentTime", "2026-03-02", False),
    ("DateLessThanEquals", "aws:EpochTime", "1772366400", True),
    ("DateGreaterThanEquals", "aws:CurrentTime", "2026-03-01T12:00:00Z", True),
    ("DateEquals", "aws:CurrentTime", "2026-03-01T13:00:00+01:00", True),
    ("DateNotEquals", "aws:CurrentTime", "2026-03-01T12:00:00Z", False),
    ("DateLessThan", "aws:CurrentTime", "soon", None),
    # absent keys (User Guide, "Condition operators", the note at the top)
    ("StringEquals", ABSENT, "x", False),
    ("StringNotEquals", ABSENT, "x", True),
    ("StringLike", ABSENT, "*", False),
    ("StringNotLike", ABSENT, "*", True),
    ("ArnNotLike", ABSENT, "*:*:*:*:*:*", True),
    ("Bool", ABSENT, "false", False),
    ("StringEqualsIfExists", ABSENT, "x", True),
    ("StringEqualsIfExists", CN, "x", False),
    ("StringNotEqualsIfExists", ABSENT, "x", True),
    ("Null", ABSENT, "true", True),
    ("Null", ABSENT, False, False),
    ("Null", CN, "false", True),
    ("Null", CN, ["true", "false"], True),
    ("Null", CN, "no", None),
    # sets of values
    ("ForAllValues:StringEquals", ABSENT, "x", True),
    ("ForAnyValue:StringEquals", ABSENT, "x", False),
    ("ForAnyValue:StringNotEquals", ABSENT, "x", False),
    ("ForAnyValue:StringEqualsIfExists", ABSENT, "x", True),
    ("ForAllValues:StringLike", "aws:TagKeys", ["x509Subject/*", "x509SAN/*"], True),
    ("ForAllValues:StringLike", "aws:TagKeys", "x509Subject/*", False),
    ("ForAnyValue:StringEquals", "aws:TagKeys", "x509Subject/CN", True),
    ("ForAnyValue:StringEquals", "aws:TagKeys", "x509Subject/ST", False),
    ("ForAllValues:StringNotEquals", "aws:TagKeys", "x509Subject/CN", False),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", "x509Subject/CN", True),
    ("StringEquals", "aws:TagKeys", "x509Subject/CN", None),
    # policy variables (User Guide, "Variables and tags")
    ("StringEquals", "sts:SourceIdentity", "CN=${aws:PrincipalTag/x509Subject/CN}", True),
    ("StringEquals", "sts:SourceIdentity", "CN=${aws:PrincipalTag/x509Subject/ST}", False),
    ("StringNotEquals", "sts:SourceIdentity", "CN=${aws:PrincipalTag/x509Subject/ST}", True),
    ("StringEquals", CN, "${aws:PrincipalTag/x509Subject/ST, 'web-1'}", True),
    ("StringEquals", "sts:SourceIdentity", "CN=${aws:username}", None),
    ("StringEquals", CN, "${aws:TagKeys}", None),
    ("StringEquals", CN, "web-1${aws:PrincipalTag/x509Subject/ST}", False),  # not as if empty
    ("StringLike", CN, "web${*}", False),
    ("StringLike", CN, "web${?}1", False),
    ("StringEquals", CN, "web-1${$}", False),
    ("NumericEquals", "aws:PrincipalTag/x509Subject/L", "${aws:EpochTime}", None),
    # what is not known here
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24", None),
    ("IpAddressIfExists", "aws:SourceIp", "203.0.113.0/24", None),
    ("StringMatches", CN, "web-1", None),
    ("NullIfExists", CN, "true", None),
    ("StringEquals", "aws:SourceIdentity", "CN=web-1", False),
    ("StringEquals", "sts:ExternalId", "x", False),
]


@pytest.mark.parametrize(("operator", "key", "wanted", "holds"), OPERATORS)
def test_a_condition_holds_fails_or_cannot_be_told(
    operator: str, key: str, wanted: object, holds: bool | None
) -> None:
    result = one(operator, key, wanted)
    assert result.holds is holds, result.reason
    assert holds is not None or result.reason


@pytest.mark.parametrize(
    ("operator", "seen", "wanted", "holds"),
    [
        ("IpAddress", "203.0.113.7", "203.0.113.0/24", True),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("NotIpAddress", "203.0.113.7", ["10.0.0.0/8", "203.0.113.0/24"], False),
        ("IpAddress", "2001:db8::7", ["203.0.113.0/24", "2001:DB8::/64"], True),
        ("IpAddress", "203.0.113.7", "203.0.113.9/24", True),
        ("IpAddress", "203.0.113.7", "203.0.113.0/99", None),
        ("StringEquals", "*?$", "${*}${?}${$}", True),
        ("StringLike", "a*b", "?${*}?", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
        ("BinaryEquals", "QmluYXJ5", "not base64!", None),
    ],
)
def test_a_key_that_is_given_is_evaluated(
    operator: str, seen: str, wanted: object, holds: bool | None
) -> None:
    result = one(operator, "aws:SourceIp", wanted, context={"AWS:SourceIP": (seen,)})
    assert result.holds is holds
    assert result.seen == (seen,)


def test_without_a_trust_anchor_its_keys_cannot_be_told() -> None:
    for key in ("aws:SourceArn", "aws:SourceAccount"):
        result = one("StringEquals", key, "x", trust_anchor_arn=None)
        assert result.holds is None
        assert "--trust-anchor-arn" in result.reason
    alias = "arn:aws:rolesanywhere:eu-west-1:123456789012:alias/trust-anchor/main"
    assert one("ArnEquals", "aws:SourceArn", alias, trust_anchor_arn=alias).holds is None


def test_a_result_shows_what_was_seen_and_what_was_wanted() -> None:
    result = one("StringEquals", CN, ["db-1", "${aws:PrincipalTag/x509Subject/L}", "WEB-1"])
    assert (result.seen, result.wanted) == (("web-1",), ("db-1", "7", "WEB-1"))
    assert result.reason == "they differ in case only"


def test_a_variable_without_a_value_is_named_as_the_reason() -> None:
    result = one("StringEquals", CN, "${aws:PrincipalTag/x509Subject/ST}")
    assert result.wanted == ("(no value)",)
    assert result.reason == "a policy variable has no value in this session"


def test_a_key_that_was_dropped_says_why() -> None:
    why = "STS refuses ',' in a value"
    result = one("StringEquals", ABSENT, "x", dropped_tags={"x509Subject/ST": why})
    assert result.holds is False
    assert result.reason == f"the session has no such key ({why})"


def test_variables_are_plain_text_in_the_old_version() -> None:
    old = policy(statement({"StringEquals": {CN: "${*}"}}), version="2008-10-17")
    evaluation = evaluate(old, facts(tags={"x509Subject/CN": "${*}"}))
    assert evaluation.statements[0].conditions[0].holds is True
    assert any("plain text" in warning for warning in evaluation.warnings)


PRINCIPALS = [
    ({"Principal": {"Service": "rolesanywhere.amazonaws.com"}}, "allowed"),
    ({"Principal": {"Service": ["ec2.amazonaws.com", "rolesanywhere.amazonaws.com"]}}, "allowed"),
    ({"Principal": "*"}, "allowed"),
    ({"Principal": {"AWS": "*"}}, "allowed"),
    ({"Principal": {"Service": "ec2.amazonaws.com"}}, "implicitly denied"),
    ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, "implicitly denied"),
    ({"Principal": {"Service": "*.amazonaws.com"}}, "undecided"),
    ({"Principal": None, "NotPrincipal": {"Service": "ec2.amazonaws.com"}}, "allowed"),
    (
        {"Principal": None, "NotPrincipal": {"Service": ["rolesanywhere.amazonaws.com"]}},
        "implicitly denied",
    ),
    ({"Action": "*"}, "allowed"),
    ({"Action": "STS:*"}, "allowed"),
    ({"Action": None, "NotAction": "s3:*"}, "allowed"),
    ({"Action": None, "NotAction": ["sts:Assume*", "sts:Tag*"]}, "implicitly denied"),
]


@pytest.mark.parametrize(("changes", "decision"), PRINCIPALS)
def test_principals_and_actions(changes: object, decision: str) -> None:
    assert decisions(statement(**changes))[0] == decision


def test_each_of_the_three_actions_has_a_verdict_of_its_own() -> None:
    only = statement(Action="sts:AssumeRole")
    assert decisions(only) == ["allowed", "implicitly denied", "implicitly denied"]
    rest = statement({"StringEquals": {CN: "db-1"}}, Action=["sts:TagSession", "sts:Set*"])
    assert decisions(only, rest) == ["allowed", "implicitly denied", "implicitly denied"]
    rest = statement({"StringEquals": {CN: "web-1"}}, Action=["sts:TagSession", "sts:Set*"])
    assert decisions(only, rest) == ["allowed"] * 3


def test_a_deny_wins_whatever_its_place() -> None:
    deny = statement({"StringLike": {CN: "web-*"}}, Effect="Deny", Action="sts:TagSession")
    for statements in ([deny, statement()], [statement(), deny]):
        assert decisions(*statements) == ["allowed", "denied", "allowed"]


def test_what_cannot_be_told_decides_nothing_but_hides_nothing() -> None:
    unknown = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    assert decisions(statement(unknown)) == ["undecided"] * 3
    assert decisions(statement(unknown), statement()) == ["allowed"] * 3
    assert decisions(statement(unknown, Effect="Deny"), statement()) == ["undecided"] * 3
    # With nothing to allow it, a doubtful Deny changes nothing.
    assert decisions(statement(unknown, Effect="Deny")) == ["implicitly denied"] * 3
    # One condition that fails for certain settles a statement.
    assert decisions(statement(unknown | {"StringEquals": {CN: "x"}})) == ["implicitly denied"] * 3


def test_operators_and_keys_are_all_needed() -> None:
    both = {"StringEquals": {CN: "web-1", OU: "x"}}
    evaluation = evaluate(policy(statement(both)), facts())
    assert [c.holds for c in evaluation.statements[0].conditions] == [True, False]
    assert not evaluation.allowed
    two = {"StringEquals": {CN: "web-1"}, "ArnEquals": {"aws:SourceArn": ANCHOR}}
    assert evaluate(policy(statement(two)), facts()).allowed


ARTICLES = {
    # The conditions of policies published in articles about the service, and what they come to.
    "profile as SourceArn, one action": (
        statement(
            {"StringEquals": {"aws:SourceArn": ANCHOR.replace("trust-anchor", "profile")}},
            Action="sts:AssumeRole",
        ),
        ["implicitly denied"] * 3,
        "never a profile's",
    ),
    "the role of an EC2 instance": (
        statement(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"),
        ["implicitly denied"] * 3,
        None,
    ),
    "organisational unit": (
        statement({"StringEquals": {OU: "Security Operations"}}),
        ["implicitly denied"] * 3,
        "names no trust anchor",
    ),
    "common name": (
        statement({"StringEquals": {CN: "MyOnpremVM"}}),
        ["implicitly denied"] * 3,
        "names no trust anchor",
    ),
    "no condition at all": (statement(), ["allowed"] * 3, "has no Condition"),
}


@pytest.mark.parametrize(("given", "expected", "warning"), ARTICLES.values(), ids=ARTICLES)
def test_policies_of_published_articles(
    given: dict[str, object], expected: list[str], warning: str | None
) -> None:
    evaluation = evaluate(policy(given), facts())
    assert [action.decision for action in evaluation.actions] == expected
    assert warning is None or any(warning in text for text in evaluation.warnings)


def test_the_articles_conditions_do_match_the_certificate_they_are_for() -> None:
    for tags, condition in (
        ({"x509Subject/OU": "Security Operations"}, {"StringEquals": {OU: "Security Operations"}}),
        ({"x509Subject/CN": "MyOnpremVM"}, {"StringEquals": {CN: "MyOnpremVM"}}),
    ):
        assert evaluate(policy(statement(condition)), facts(tags=tags)).allowed


def test_a_source_identity_that_aws_does_not_document_decides_nothing() -> None:
    wanted = {"StringEquals": {"sts:SourceIdentity": "CN=web-1"}}

    assert decisions(statement(wanted)) == ["allowed"] * 3
    assert decisions(statement(wanted), source_identity_doubt="of two CNs") == ["undecided"] * 3


def test_the_json_form_keeps_its_keys() -> None:
    found = evaluate(
        policy(statement({"StringEquals": {CN: "db-1"}}, Sid="Web")), facts()
    ).to_json()
    assert found["allowed"] is False
    assert found["actions"][0] == {
        "action": "sts:AssumeRole",
        "decision": "implicitly denied",
        "decidedBy": [],
    }
    assert found["statements"] == [
        {
            "statement": 1,
            "sid": "Web",
            "effect": "Allow",
            "applies": False,
            "principal": True,
            "actions": list(ACTIONS),
            "conditions": [
                {
                    "operator": "StringEquals",
                    "key": CN,
                    "holds": False,
                    "seen": ["web-1"],
                    "wanted": ["db-1"],
                    "reason": None,
                }
            ],
        }
    ]
    json.dumps(found)


def test_the_trust_anchor_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="trust anchor ARN"):
        facts(trust_anchor_arn=ANCHOR.replace("trust-anchor", "profile"))
