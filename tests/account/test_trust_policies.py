"""The trust policy lets in what was asked for, and nothing else."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from boto_rolesanywhere.account.trust_policies import certificates_with, trust_policy
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import SessionFacts, TrustPolicy, evaluate

ANCHOR = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0d5a3c58-7f1e-4d0c-9d5b-3c1e6a0c2f11"
)
OTHER = ANCHOR.replace("0d5a", "1d5a")


def lets_in(policy: dict[str, object], tags: dict[str, str], anchor: str = ANCHOR) -> bool:
    facts = SessionFacts(
        tags=tags,
        source_identity="CN=x",
        session_name="01",
        now=datetime(2026, 1, 1, tzinfo=timezone.utc),
        trust_anchor_arn=anchor,
    )
    evaluation = evaluate(TrustPolicy.parse(json.dumps(policy)), facts)
    return all(action.decision == "allowed" for action in evaluation.actions)


APP1 = {"x509Subject/CN": "app1"}
APP2_IT = {"x509Subject/CN": "app2", "x509Subject/OU": "it"}


@pytest.mark.parametrize(
    ("subjects", "names", "let_in", "kept_out"),
    [
        (["CN=app1"], [], [APP1, APP1 | {"x509Subject/OU": "it"}], [APP2_IT, {}]),
        (["CN=app1", "CN=app2"], [], [APP1, APP2_IT], [{"x509Subject/CN": "app3"}]),
        # No mixture of two subjects gets in.
        (
            ["CN=app1,OU=a", "CN=app2,OU=it"],
            [],
            [APP2_IT, {"x509Subject/CN": "app1", "x509Subject/OU": "a"}],
            [APP1, APP2_IT | {"x509Subject/OU": "a"}],
        ),
        (["CN=app1", "OU=it"], [], [APP1, APP2_IT], [{"x509Subject/CN": "app3"}]),
        (["OU=a,OU=b"], [], [{"x509Subject/OU": "b/a"}], [{"x509Subject/OU": "a/b"}]),
        (
            ["CN=app1"],
            ["DNS:app1.example.com", "URI:spiffe://example/app1", "dirName:CN=x"],
            [
                APP1
                | {
                    "x509SAN/DNS": "app1.example.com",
                    "x509SAN/URI": "spiffe://example/app1",
                    "x509SAN/Name/CN": "x",
                }
            ],
            [APP1],
        ),
        ([], ["DNS:a.example"], [{"x509SAN/DNS": "a.example"}], [APP1]),
        ([], [], [APP1, {}], []),
    ],
)
def test_it_lets_in_what_was_asked_for_from_one_anchor(
    subjects: list[str],
    names: list[str],
    let_in: list[dict[str, str]],
    kept_out: list[dict[str, str]],
) -> None:
    policy = trust_policy(ANCHOR, certificates_with(subjects, names))

    assert [tags for tags in let_in if not lets_in(policy, tags)] == []
    assert [tags for tags in kept_out if lets_in(policy, tags)] == []
    assert [tags for tags in let_in if lets_in(policy, tags, OTHER)] == []


@pytest.mark.parametrize(
    ("subjects", "names"),
    [
        (["CN=a&b"], []),
        ([",".join([f"OU={'a' * 64}"] * 4)], []),
        ([], ["URI:https://example.com/?a=b"]),
        ([], ["IP:10.0.0.1"]),
        ([], ["email:a@example.com"]),
        ([], ["DNS:a.example", "DNS:b.example"]),
    ],
)
def test_a_condition_that_could_never_be_true_is_refused(
    subjects: list[str], names: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        certificates_with(subjects, names)

    assert refused.value.code == "trust-condition-unusable"
