"""Any input to the trust policy parser gives a policy or our error, and every verdict adds up."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from fnmatch import fnmatchcase

from hypothesis import example, given
from hypothesis import strategies as st
from trust_policies import KEYS, OPERATORS, SCALARS, STATEMENTS, WORKING_VALUES

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import SessionFacts, TrustPolicy, evaluate
from boto_rolesanywhere.inspection.trust_policy.variables import plain

FACTS = SessionFacts(
    tags={"x509Subject/CN": "web-1", "x509SAN/DNS": "web.example.com"},
    source_identity="CN=web-1",
    session_name="01",
    now=datetime(2026, 3, 1, tzinfo=timezone.utc),
    trust_anchor_arn="arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/1",
)

JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Principal", "Action", "Condition"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def parse_and_evaluate(text: str | bytes) -> None:
    try:
        policy = TrustPolicy.parse(text)
    except ConfigurationError:
        return
    result = evaluate(policy, FACTS)
    printed = json.loads(json.dumps(result.to_json()))
    applying = {
        effect: {
            action
            for found in result.statements
            if found.statement.effect == effect and found.applies
            for action in found.actions
        }
        for effect in ("Allow", "Deny")
    }
    for verdict in result.actions:
        # IAM: what a Deny is about is denied, and nothing is allowed but by an Allow.
        assert (verdict.decision == "denied") == (verdict.action in applying["Deny"])
        assert verdict.decision != "allowed" or verdict.action in applying["Allow"]
    # How JSON is laid out changes nothing.
    laid_out = json.dumps(json.loads(text), indent=3, sort_keys=True)
    again = json.loads(json.dumps(evaluate(TrustPolicy.parse(laid_out), FACTS).to_json()))
    assert [again[name] for name in ("allowed", "actions")] == [
        printed[name] for name in ("allowed", "actions")
    ]


@given(st.one_of(st.binary(), st.text()))
@example("9" * 5000)
@example(b'{"Version": "\\ud800"}')
def test_any_text_gives_a_policy_or_our_error(text: str | bytes) -> None:
    parse_and_evaluate(text)


@given(JSON)
def test_any_json_gives_a_policy_or_our_error(value: object) -> None:
    parse_and_evaluate(json.dumps(value))


@given(st.lists(STATEMENTS, min_size=1, max_size=3), st.sampled_from(["2012-10-17", "2008-10-17"]))
def test_any_policy_of_the_right_shape_is_evaluated(
    statements: list[dict[str, object]], version: str
) -> None:
    parse_and_evaluate(json.dumps({"Version": version, "Statement": statements}))


@given(STATEMENTS)
def test_an_unconditional_deny_wins_over_anything(statement: dict[str, object]) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement, deny]})
    try:
        evaluation = evaluate(TrustPolicy.parse(text), FACTS)
    except ConfigurationError:
        return
    assert {action.decision for action in evaluation.actions} == {"denied"}


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
@example("a*" * 200, "a" * 400)
def test_wildcards_match_as_shell_patterns_of_star_and_question_mark_do(
    pattern: str, value: str
) -> None:
    if len(pattern) <= 12:  # the standard library's own matcher would not end on the long one
        assert plain(pattern).matches(value) == fnmatchcase(value, pattern)
    else:
        assert plain(pattern).matches(value)


@given(KEYS, OPERATORS, WORKING_VALUES)
def test_a_negated_operator_is_the_opposite_for_a_key_that_is_there(
    key: str, operator: str, wanted: object
) -> None:
    opposite = operator.replace("Equals", "NotEquals", 1).replace("NotNotEquals", "Equals")
    if opposite == operator or ":" in operator:
        return
    found = []
    for name in (operator, opposite):
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "*",
            "Condition": {name: {key: wanted}},
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        try:
            policy = TrustPolicy.parse(text)
        except ConfigurationError:
            return
        found.append(evaluate(policy, FACTS).statements[0].conditions[0])
    if found[0].seen and None not in (found[0].holds, found[1].holds):
        assert found[0].holds is not found[1].holds
