"""Trust policies, a session that they are about, and policies of any shape."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Final

from hypothesis import strategies as st

from boto_rolesanywhere.inspection.trust_policy import ACTIONS, SessionFacts

ANCHOR: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0-1"
OTHER: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0bb0-2"
ALIAS: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:alias/trust-anchor/main"
PROFILE: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0cc0-3"
CN: Final = "aws:PrincipalTag/x509Subject/CN"
SERVICE: Final = "rolesanywhere.amazonaws.com"
FACTS: Final = SessionFacts(
    tags={
        "x509Subject/CN": "web-1",
        "x509Subject/OU": "Security/Operations",
        "x509SAN/DNS": "web.example.com",
        "x509SAN/URI": "spiffe://example.com/ns/prod",
    },
    dropped_tags={"x509Subject/O": "STS refuses '!' in a value"},
    source_identity="CN=web-1",
    session_name="00ab12",
    trust_anchor_arn=ANCHOR,
    now=datetime(2026, 3, 1, tzinfo=timezone.utc),
)
Json = dict[str, Any]


def statement(condition: Json | None = None, **changes: object) -> Json:
    found = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(ACTIONS),
        "Condition": {"ArnEquals": {"aws:SourceArn": ANCHOR}} if condition is None else condition,
    }
    return {key: value for key, value in (found | changes).items() if value is not None}


TIGHT: Final = statement(
    {"ArnEquals": {"aws:SourceArn": ANCHOR}, "StringEquals": {CN: "web-1"}}, Sid="Tight"
)


def policy(*statements: Json, version: str = "2012-10-17") -> Json:
    return {"Version": version, "Statement": list(statements)}


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(
        ["2012-10-17", "Allow", "Deny", "*", "sts:*", "${aws:PrincipalTag/x509Subject/CN}", "${",
         "${aws:x, 'y'}", "arn:aws:rolesanywhere:*:*:trust-anchor/*", "10.0.0.0/8", "true", "1"]
    ),
)  # fmt: skip
BASES = ["String", "Arn", "Numeric", "Date", "Bool", "Binary", "IpAddress", "NotIpAddress", "Null"]
SUFFIXES = ["", "Equals", "NotEquals", "Like", "NotLike", "LessThan", "EqualsIgnoreCase"]
OPERATORS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "ForAnyValue:", "ForAllValues:", "ForSome:"]),
        st.sampled_from(BASES),
        st.sampled_from(SUFFIXES),
        st.sampled_from(["", "IfExists"]),
    ),
)
KEYS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["aws:PrincipalTag/x509Subject/CN", "aws:PrincipalTag/x509Subject/OU", "aws:SourceArn",
         "aws:SourceIp", "aws:TagKeys", "aws:CurrentTime", "sts:SourceIdentity"]
    ),
)  # fmt: skip
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
STRINGS = st.one_of(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
WORKING_VALUES = st.one_of(
    st.lists(st.one_of(st.booleans(), st.integers(), st.text(max_size=20)), max_size=3), SCALARS
)
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.one_of(
            st.sampled_from(["*", {"Service": "rolesanywhere.amazonaws.com"}]),
            st.dictionaries(st.sampled_from(["AWS", "Service", "Federated"]), STRINGS),
        ),
        "Action": st.one_of(st.sampled_from(["sts:*", list(ACTIONS)]), STRINGS),
    },
    optional={
        "Sid": st.text(max_size=5),
        "Condition": st.dictionaries(
            OPERATORS, st.dictionaries(KEYS, WORKING_VALUES, max_size=2), max_size=3
        ),
    },
)
