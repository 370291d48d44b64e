"""Whatever mistakes a policy has, it is corrected; whatever else it says, it goes on saying."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Final

from hypothesis import assume, example, given
from hypothesis import strategies as st
from trust_policies import (
    ALIAS,
    ANCHOR,
    CN,
    FACTS,
    PROFILE,
    SERVICE,
    STATEMENTS,
    TIGHT,
    Json,
    policy,
    statement,
)

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy import (
    ACTIONS,
    CorrectedPolicy,
    TrustPolicy,
    correct,
    evaluate,
)

RIGHT_CONDITIONS: Final = {
    "ArnEquals": st.fixed_dictionaries(
        {"aws:SourceArn": st.sampled_from([ANCHOR, [ANCHOR, ANCHOR.replace("0aa0", "0bb0")]])}
    ),
    "StringEquals": st.fixed_dictionaries(
        {},
        optional={
            CN: st.sampled_from(["web-1", ["db-1", "web-1"]]),
            "aws:PrincipalTag/x509Subject/OU": st.just("Security/Operations"),
            "sts:SourceIdentity": st.just("CN=web-1"),
            "aws:SourceAccount": st.just("123456789012"),
        },
    ),
}
RIGHT: Final = st.builds(
    lambda condition, sid: statement(
        {operator: keys for operator, keys in condition.items() if keys}, Sid=sid
    ),
    st.fixed_dictionaries(RIGHT_CONDITIONS),
    st.text(max_size=4),
)
# About others, or about nothing that keeps the session out.
BESIDE: Final = st.sampled_from(
    [
        statement({}, Principal={"Service": "lambda.amazonaws.com"}),
        statement({}, Principal={"AWS": "arn:aws:iam::123456789012:root"}),
        statement({"ArnEquals": {"aws:SourceArn": ANCHOR}, "StringEquals": {CN: "db-1"}}),
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Condition": {"StringNotEquals": {CN: ["web-1", "db-1"]}},
        },
    ]
)


def rename(operator: str, wrong: str) -> Callable[[Json], None]:
    def change(entry: Json) -> None:
        if operator in entry["Condition"]:
            entry["Condition"][wrong] = entry["Condition"].pop(operator)

    return change


def respell(key: str, wrong: str) -> Callable[[Json], None]:
    def change(entry: Json) -> None:
        for keys in entry["Condition"].values():
            if key in keys:
                keys[wrong] = keys.pop(key)

    return change


def mistake(key: str, value: object) -> Callable[[Json], None]:
    def change(entry: Json) -> None:
        for keys in entry["Condition"].values():
            if key in keys:
                keys[key] = value

    return change


MISTAKES: Final[tuple[Callable[[Json], None], ...]] = (
    lambda entry: entry.update(Action="sts:AssumeRole"),
    lambda entry: entry.update(Action=["sts:TagSession", "sts:AssumeRole"]),
    lambda entry: entry.update(Action="sts:AssumeRoles"),
    lambda entry: entry.update(Principal={"Service": f"{SERVICE}.cn"}),
    lambda entry: entry.update(Principal={"AWS": SERVICE}),
    lambda entry: entry["Condition"].setdefault("StringEquals", {}).update({"sts:ExternalId": "1"}),
    mistake("aws:SourceArn", ALIAS),
    mistake("aws:SourceArn", [ALIAS, PROFILE]),
    mistake("aws:SourceArn", "trust-anchor/1"),
    mistake("aws:SourceAccount", "000000000000"),
    mistake(CN, "Web-1 "),
    mistake(CN, "w*-1"),
    mistake("sts:SourceIdentity", "web-1"),
    rename("StringEquals", "StringEqual"),
    rename("StringEquals", "ArnEquals"),
    rename("ArnEquals", "ArnEqual"),
    rename("ArnEquals", "Bool"),
    respell(CN, "aws:PrincipalTag/x509Subject/commonName"),
    respell(CN, "aws:PrincipalTag/CN"),
    respell("aws:PrincipalTag/x509Subject/OU", "x509Subject/organizationalUnitName"),
    respell("sts:SourceIdentity", "aws:SourceIdentity"),
    respell("aws:SourceArn", "SourceArn"),
)


def reaches(document: Json) -> bool:
    return evaluate(TrustPolicy.parse(json.dumps(document)), FACTS).allowed


def corrected(document: Json) -> CorrectedPolicy:
    return correct(json.dumps(document), FACTS, TIGHT, where="p.json")


@given(RIGHT, st.lists(BESIDE, max_size=2), st.integers(0, 2))
def test_a_right_policy_stays_as_it_is(right: Json, beside: list[Json], place: int) -> None:
    beside.insert(min(place, len(beside)), right)
    document = policy(*beside)
    assert reaches(document)

    found = corrected(document)

    assert found.document == document
    assert found.changes == ()


@given(
    RIGHT,
    st.lists(BESIDE, max_size=2),
    st.lists(st.sampled_from(MISTAKES), min_size=1, max_size=5),
    st.integers(0, 2),
)
@example(  # four in one condition
    statement({"StringEquals": {CN: "web-1"}}, Sid=""),
    [],
    [
        mistake(CN, "Web-1 "),
        rename("StringEquals", "ArnEqual"),
        respell(CN, "aws:PrincipalTag/CN"),
    ],
    0,
)
def test_mistakes_of_any_number_are_corrected(
    right: Json, beside: list[Json], mistakes: list[Callable[[Json], None]], place: int
) -> None:
    wrong = copy.deepcopy(right)
    for change in mistakes:
        change(wrong)
    at = min(place, len(beside))
    document = policy(*beside[:at], wrong, *beside[at:])
    assume(not reaches(document))

    found = corrected(document)

    assert found.evaluation.allowed
    assert reaches(found.document)
    assert found.changes
    # Nothing else of the author's is touched, and once is enough.
    statements = found.document["Statement"]
    assert [*statements[:at], *statements[at + 1 : len(beside) + 1]] == beside
    assert statements[at].get("Sid") == wrong["Sid"]
    assert corrected(found.document).changes == ()


@given(st.lists(STATEMENTS, min_size=1, max_size=3), st.sampled_from(["2012-10-17", "2008-10-17"]))
def test_any_policy_is_corrected_or_left(statements: list[Json], version: str) -> None:
    document = policy(*statements, version=version)
    try:
        before = evaluate(TrustPolicy.parse(json.dumps(document)), FACTS)
    except ConfigurationError:
        return

    found = corrected(document)

    assert found.evaluation.allowed or not before.allowed
    assert corrected(found.document).changes == ()  # once is enough
    assert len(found.changes) > 0 or found.document == document
    # No statement is lost, no Allow becomes a Deny, and no principal but our own gets in.
    listed = found.document["Statement"]
    assert len(listed) - len(statements) in (0, 1)
    for old, new in zip(statements, listed, strict=False):
        assert old["Effect"] == new["Effect"]
        if old["Principal"] != new["Principal"]:
            named = new["Principal"]["Service"]
            assert SERVICE in named
    assert set(ACTIONS) >= {
        action
        for old, new in zip(statements, listed, strict=False)
        for action in added(old["Action"], new["Action"])
    }


def added(old: object, new: object) -> set[str]:
    as_lists = [value if isinstance(value, list) else [value] for value in (old, new)]
    return set(as_lists[1]) - set(as_lists[0])
