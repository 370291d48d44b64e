"""The JSON of a trust policy in the shapes that people have, and what is said of the others."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from policy_cases import statement

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy.json_text import read_document

POLICY = {"Version": "2012-10-17", "Statement": [statement()]}
TEXT = json.dumps(POLICY, indent=2)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode("utf-16-le"),
        quote(TEXT),
        json.dumps(TEXT),
        json.dumps({"Role": {"RoleName": "app", "AssumeRolePolicyDocument": POLICY}}),
        json.dumps({"Role": {"AssumeRolePolicyDocument": quote(TEXT)}}),
        json.dumps({"AssumeRolePolicyDocument": TEXT}),
    ],
    ids=["mark", "UTF-16", "UTF-16 unmarked", "URL", "string", "get-role", "API", "of a template"],
)
def test_it_is_read(text: str | bytes) -> None:
    assert read_document(text, "the file") == POLICY


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("  \n", "it is empty", None),
        ("<html>", "a value belongs here", "web page"),
        (TEXT.replace('"', "\u201c"), "a name in double quotes", "typographic"),
        (TEXT.replace('"', "'"), "a name in double quotes", "single"),
        (f"'{TEXT}'", "a value belongs here", "in quotes"),
        (f"```json\n{TEXT}\n```", "a value belongs here", "```"),
        (f"// mine\n{TEXT}", "a value belongs here", "no comments"),
        (TEXT.replace("  ", "\u00a0\u00a0"), "belongs here", "no-break"),
        (TEXT.replace("\n}", ",\n}"), "line", "comma"),
        ("Version: '2012-10-17'", "a value belongs here", "YAML"),
        ('data "aws_iam_policy_document" "a" {}', "a value belongs here", "HCL"),
        (TEXT[:-5], "line", None),
        (TEXT + "}", "something follows the end", None),
        (TEXT.replace('"Allow"', "1" * 5000), "a number in it is far too long", None),
    ],
)
def test_what_is_no_json_is_named(text: str, problem: str, remedy: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_document(text, "the file")

    assert problem in caught.value.problem
    assert "Expecting" not in str(caught.value)
    assert (remedy or "") in str(caught.value.remedy)
    assert remedy or caught.value.remedy is None
