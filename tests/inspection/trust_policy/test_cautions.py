"""Warnings about trust policies that are dangerous or mistaken, whatever their verdict."""

from __future__ import annotations

import pytest
from policy_cases import ABSENT, ANCHOR, CN, facts, policy, statement

from boto_rolesanywhere.inspection.trust_policy import (
    evaluate,
)

WARNINGS = [
    (statement(), "has no Condition: every certificate of every trust anchor"),
    (statement({"StringEquals": {CN: "web-1"}}), "names no trust anchor"),
    (statement({"StringEquals": {"sts:SourceIdentity": "CN=web-1"}}), "names no trust anchor"),
    (
        statement({"ArnNotEquals": {"aws:SourceArn": ANCHOR}, "StringEquals": {CN: "web-1"}}),
        "names no trust anchor",
    ),
    (
        statement({"StringEquals": {"aws:SourceAccount": "123456789012"}}),
        "has no Condition that tells certificates apart: every certificate of every trust anchor",
    ),
    *(
        (
            statement({"ArnLike": {"aws:SourceArn": [ANCHOR, value]}}),
            "that tells certificates apart",
        )
        for value in ("*", "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/*")
    ),
    (statement(Action="sts:AssumeRole"), "sts:TagSession and sts:SetSourceIdentity"),
    (statement({"StringNotEquals": {ABSENT: "x"}}), "lets such a session in"),
    (statement({"StringNotEquals": {ABSENT: "x"}}, Effect="Deny"), "denies it"),
    (statement({"StringEqualsIfExists": {ABSENT: "x"}}), "holds because the session has no such"),
    (statement({"ForAllValues:StringEquals": {ABSENT: "x"}}), "holds because the session has no"),
    (statement({"ForAllValues:StringEquals": {CN: "web-1"}}), "would also hold for a session"),
    (statement({"StringEquals": {"aws:SourceArn": ANCHOR + "*"}}), "plain characters"),
    (
        statement({"StringEquals": {"aws:SourceIdentity": "x"}}),
        "that of CreateSession is sts:SourceIdentity",
    ),
    (
        statement({"ArnLike": {"aws:SourceArn": "arn:aws:rolesanywhere:*:*:profile/*"}}),
        "never a profile's",
    ),
    (statement({"StringEquals": {"aws:PrincipalTag/x509Subject/DC": "corp"}}), "does not document"),
]


@pytest.mark.parametrize(("given", "text"), WARNINGS)
def test_what_is_dangerous_or_mistaken_is_said(given: dict[str, object], text: str | bytes) -> None:
    warnings = evaluate(policy(given), facts()).warnings
    assert [warning for warning in warnings if text in warning], warnings


def test_a_sound_policy_has_no_warning() -> None:
    condition = {
        "ArnEquals": {"aws:SourceArn": ANCHOR},
        "StringEquals": {CN: ["web-1", "literally ${*}"]},
        "Null": {ABSENT: "true"},
    }
    evaluation = evaluate(policy(statement(condition)), facts())
    assert evaluation.allowed
    assert evaluation.warnings == ()


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ({"ArnNotEquals": {"aws:SourceArn": ANCHOR}}, []),
        ({"StringNotEquals": {CN: "web-1"}}, ["names no trust anchor"]),
        ({"ArnNotEquals": {"aws:SourceArn": "*"}}, ["has no Condition"]),
        ({"StringNotEquals": {"aws:SourceAccount": "123456789012"}}, ["has no Condition"]),
        ({"ArnEquals": {"aws:SourceArn": ANCHOR}}, ["has no Condition"]),
        (
            {"ArnNotEquals": {"aws:SourceArn": ANCHOR}, "StringEquals": {CN: "db-1"}},
            ["has no Condition"],
        ),
    ],
)
def test_a_deny_may_close_the_door(guard: dict[str, object], said: list[str]) -> None:
    evaluation = evaluate(policy(statement(), statement(guard, Effect="Deny")), facts())

    open_doors = [text for text in evaluation.warnings if "every trust anchor" in text]
    assert [one for one in said if one in " ".join(open_doors)] == said
    assert len(open_doors) == len(said)


def test_another_services_statement_is_not_warned_about() -> None:
    other = statement(Principal={"Service": "ec2.amazonaws.com"})
    assert evaluate(policy(other), facts()).warnings == ()
