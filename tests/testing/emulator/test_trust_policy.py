"""Which trust policies let the service in, and why the others do not."""

from __future__ import annotations

from typing import Any

import pytest

from boto_rolesanywhere.testing.emulator.trust_policy import trust_problem

SERVICE = {"Service": "rolesanywhere.amazonaws.com"}
ACTIONS = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/1"
CONTEXT = {
    "aws:SourceArn": ANCHOR,
    "aws:SourceAccount": "123456789012",
    "aws:PrincipalTag/x509Subject/CN": "app1",
}


def statement(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return {"Effect": "Allow", "Principal": SERVICE, "Action": ACTIONS, **changes}


def problem(*statements: dict[str, Any]) -> str | None:
    return trust_problem({"Version": "2012-10-17", "Statement": list(statements)}, CONTEXT)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"ArnEquals": {"aws:SourceArn": ANCHOR}},
        {"ArnLike": {"AWS:sourcearn": ["x", "arn:aws:rolesanywhere:*:123456789012:trust-*"]}},
        {"StringEquals": {"aws:PrincipalTag/x509Subject/CN": ["other", "app1"]}},
        {"StringLike": {"aws:PrincipalTag/x509Subject/CN": "app?"}},
        {"StringEqualsIgnoreCase": {"aws:PrincipalTag/x509Subject/CN": "APP1"}},
        {"StringNotEquals": {"aws:PrincipalTag/x509Subject/OU": "x"}},  # absent: true, says IAM
        {"StringNotLike": {"aws:PrincipalTag/x509Subject/CN": "web*"}},
        {"StringEqualsIfExists": {"aws:PrincipalTag/x509Subject/OU": "x"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalTag/x509Subject/OU": "x"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app1"}},
        {"Null": {"aws:PrincipalTag/x509Subject/OU": "true"}},
        {"Null": {"aws:SourceArn": False}, "StringEquals": {"aws:SourceAccount": 123456789012}},
    ],
)
def test_conditions_that_are_met(condition: dict[str, Any]) -> None:
    assert problem(statement(Condition=condition)) is None


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnEquals": {"aws:SourceArn": ANCHOR + "2"}},
        {"ArnLike": {"aws:SourceArn": "arn:*"}},  # a wildcard stays between its colons
        {"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "App1"}},
        {"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "x"}},
        {"StringLike": {"aws:PrincipalTag/x509Subject/CN": "app??"}},
        {"StringNotEquals": {"aws:PrincipalTag/x509Subject/CN": ["app1", "app2"]}},
        {"ArnNotLike": {"aws:SourceArn": ANCHOR}},
        {"StringEqualsIfExists": {"aws:PrincipalTag/x509Subject/CN": "x"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalTag/x509Subject/OU": "x"}},
        {"Null": {"aws:SourceArn": "true"}},
        {"StringEquals": {"aws:SourceAccount": "123456789012", "aws:SourceArn": "x"}},
    ],
)
def test_conditions_that_are_not_met(condition: dict[str, Any]) -> None:
    assert problem(statement(Condition=condition)).startswith(  # type: ignore[union-attr]  # see above
        "its trust policy does not allow sts:AssumeRole: "
    )


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ([], "no statement of its trust policy names rolesanywhere.amazonaws.com"),
        ([statement(Principal={"Service": "ec2.amazonaws.com"})], "no statement"),
        ([statement(Principal={"AWS": "*"})], "no statement"),
        ([statement(Action=ACTIONS[:2])], "does not allow sts:SetSourceIdentity"),
        ([statement(Action=ACTIONS[0])], "does not allow sts:TagSession"),
        ([statement(), statement(Effect="Deny", Action="sts:Tag*")], "denies sts:TagSession"),
        (
            [statement(Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01"}})],
            "the emulator does not know the condition DateLessThan",
        ),
    ],
)
def test_what_keeps_the_service_out(statements: list[dict[str, Any]], words: str) -> None:
    assert words in str(problem(*statements))


@pytest.mark.parametrize(
    "statements",
    [
        [statement(Principal={"Service": ["ec2.amazonaws.com", SERVICE["Service"]]})],
        [statement(Principal="*", Action="*")],
        [statement(Action="STS:*")],
        [statement(Action=action) for action in ACTIONS],
        [statement(), statement(Effect="Deny", Condition={"StringEquals": {"aws:SourceArn": "x"}})],
        [statement(), statement(Effect="Deny", Principal={"Service": "ec2.amazonaws.com"})],
    ],
)
def test_other_ways_to_let_it_in(statements: list[dict[str, Any]]) -> None:
    assert problem(*statements) is None


def test_a_single_statement_needs_no_list() -> None:
    assert trust_problem({"Statement": statement()}, CONTEXT) is None
