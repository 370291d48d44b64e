"""The JSON of a trust policy: what is read, and what is refused with its place."""

from __future__ import annotations

import json

import pytest
from policy_cases import CN, statement

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import (
    TrustPolicy,
)

GOOD = json.dumps(statement())


BROKEN = [
    ("", "it is empty"),
    ("{", "line 1"),
    ("[]", "it is a list; expected a policy"),
    ("null", "it is null"),
    (b'{"\xe4"}', "byte 2 is not UTF-8"),
    ("[" * 100_000, "nested too deeply"),
    ('{"Statement": [], "Statement": []}', "the key 'Statement' is in one object twice"),
    ('{"Version": 1e5, "Statement": []}', "Version is"),
    ('{"Version": "2012-10-18", "Statement": []}', "Version is '2012-10-18'"),
    ('{"Version": "2012-10-17"}', "there is no Statement"),
    ('{"version": "2012-10-17", "Statement": []}', "case-sensitive"),
    ('{"Statement": ["x"]}', "Statement[0]: it is 'x'"),
    (
        '{"Statement": [' + GOOD[:-1] + ', "Resource": "*"}]}',
        "'Resource', which a trust policy may",
    ),
    ('{"Statement": {"Effect": "allow"}}', "Effect is 'allow'"),
    ('{"Statement": {"Effect": "Allow", "Sid": 7}}', "Sid is 7"),
    ('{"Statement": {"Effect": "Allow"}}', "of Action and NotAction neither stands here"),
    (
        '{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}}',
        "of Action and NotAction both stand here",
    ),
    ('{"Statement": {"Effect": "Allow", "Action": "*"}}', "of Principal and NotPrincipal neither"),
    (
        '{"Statement": {"Effect": "Allow", "Action": [1], "Principal": "*"}}',
        "Statement[0].Action: it holds 1",
    ),
    (
        '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "x"}}',
        "Statement[0].Principal: it is 'x'",
    ),
    (
        '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"service": "x"}}}',
        "there is an element 'service'",
    ),
    (json.dumps({"Statement": statement([])}), "Statement[0].Condition: it is a list"),
    (
        json.dumps({"Statement": statement({"StringEquals": "x"})}),
        "Statement[0].Condition.StringEquals: it is 'x'",
    ),
    (
        json.dumps({"Statement": statement({"StringEquals": {CN: None}})}),
        f"Condition.StringEquals.{CN}: a value is null",
    ),
    (
        json.dumps({"Statement": statement({"StringEquals": {CN: [{}]}})}),
        "a value is an object",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_is_no_trust_policy_is_refused_with_its_place(text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        TrustPolicy.parse(text, where="policy.json")
    assert message in str(error.value)
    assert str(error.value).startswith("policy.json")


def test_bytes_with_a_byte_order_mark_and_a_single_statement_are_read() -> None:
    text = json.dumps({"Statement": statement(Sid="A")})
    assert TrustPolicy.parse(b"\xef\xbb\xbf" + text.encode()) == TrustPolicy.parse(text)
    assert TrustPolicy.parse("\ufeff" + text).statements[0].name == "statement 1 (A)"
    assert not TrustPolicy.parse(text).has_variables  # without a Version it is the old one
