"""The Terraform code: it parses, refers to what it defines alone, and says what is wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Final

import hcl2
import pytest
from wanted_setups import CONFIG, FULL, PCA, PLAIN, READ_ONLY, SETUPS, TARGET

from boto_rolesanywhere.account.emit.in_code import Target
from boto_rolesanywhere.account.emit.terraform import label, terraform
from boto_rolesanywhere.account.wanted import INLINE_POLICY, Wanted
from boto_rolesanywhere.inspection.trust_policy import SessionFacts, TrustPolicy, evaluate

ANCHOR: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0"
_TEXT: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_BETWEEN: Final = re.compile(r"(?<!\$)\$\{([^{}]+)\}")
_REFERENCE: Final = re.compile(r"\b[a-z]\w*(?:\.\w+)+")
# What each reference may end with: the attributes that the providers document.
_ATTRIBUTES: Final = {
    "aws_rolesanywhere_trust_anchor": {"arn"},
    "aws_rolesanywhere_profile": {"arn"},
    "awscc_rolesanywhere_profile": {"profile_arn"},
    "aws_iam_role": {"arn", "name"},
}
Tree = dict[str, Any]


class Code:
    """Terraform code that has been parsed."""

    def __init__(self, wanted: Wanted, target: Target = TARGET) -> None:
        self.text = terraform(wanted, target)
        self.tree: Tree = hcl2.loads(self.text)

    @property
    def resources(self) -> dict[str, Tree]:
        """By kind; there is one of each."""
        return {
            unquoted(kind): next(iter(of_kind.values()))
            for block in self.tree["resource"]
            for kind, of_kind in block.items()
            if kind != "__is_block__"
        }

    def defined(self) -> set[tuple[str, str]]:
        return {
            (unquoted(kind), unquoted(name))
            for block in self.tree["resource"]
            for kind, of_kind in block.items()
            if kind != "__is_block__"
            for name in of_kind
        }

    def references(self) -> Iterator[tuple[str, str, str]]:
        for text in texts(self.tree):
            for expression in expressions(text):
                for found in _REFERENCE.findall(_TEXT.sub("", expression)):
                    kind, name, attribute = (*found.split("."), "", "")[:3]
                    yield kind, name, attribute


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def expressions(text: str) -> Iterator[str]:
    """Those in a parsed value: the whole of it, or what stands between text."""
    if text.startswith("${") and text.endswith("}"):
        yield text[2:-1]
        text = " ".join(_TEXT.findall(text))
    yield from _BETWEEN.findall(text)


def unquoted(text: str) -> str:
    """A text as Terraform understands it."""
    if not text.startswith('"'):
        return text
    found: str = json.loads(re.sub(r"\\U0000(....)", r"\\u\1", text))
    return re.sub(r"([$%])\1\{", r"\1{", found)


def document(call: str) -> Tree:
    """What ``jsonencode`` makes of its argument, with an ARN for the reference."""
    inner = call.removeprefix("${jsonencode(").removesuffix(")}")
    inner = re.sub(r"\baws_rolesanywhere_trust_anchor\.\w+\.arn\b", f'"{ANCHOR}"', inner)
    return plain(hcl2.loads(f"x = {inner}\n")["x"])


def plain(value: object) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {unquoted(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return unquoted(value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", SETUPS)
def test_the_code_refers_to_what_it_defines_alone(name: str) -> None:
    code = Code(SETUPS[name])
    outputs = {unquoted(key) for block in code.tree["output"] for key in block}
    referred = set(code.references())

    assert {(kind, label) for kind, label, _ in referred} - {("each", "value")} <= code.defined()
    assert all(attribute in _ATTRIBUTES[kind] for kind, _, attribute in referred if kind != "each")
    assert {"trust_anchor_arn", "profile_arn", "role_arn", "aws_config"} <= outputs
    # Nothing is left to be filled in: no variable, no file, no ARN of what is yet to be made.
    assert "variable" not in code.tree
    assert not re.search(r"\b(file|templatefile|var|data|local)\b[.(]", code.text)
    assert "arn:aws:rolesanywhere" not in code.text


@pytest.mark.parametrize("name", SETUPS)
def test_the_trust_policy_lets_in_whom_it_should(name: str) -> None:
    wanted = SETUPS[name]
    written = document(Code(wanted).resources["aws_iam_role"]["assume_role_policy"])
    policy = TrustPolicy.parse(json.dumps(written))

    def reaches(anchor: str, tags: dict[str, str]) -> bool:
        facts = SessionFacts(
            tags=tags,
            source_identity="CN=x",
            session_name="01",
            now=datetime(2026, 3, 1, tzinfo=timezone.utc),
            trust_anchor_arn=anchor,
        )
        return evaluate(policy, facts).allowed

    for tags in wanted.role.certificates:
        assert reaches(ANCHOR, dict(tags))
        assert not reaches(f"{ANCHOR}1", dict(tags))
    assert not reaches(ANCHOR, {"x509Subject/CN": "stranger"})


def test_all_that_can_be_said_is_said() -> None:
    code = Code(FULL)
    anchor, role = (
        code.resources[kind] for kind in ("aws_rolesanywhere_trust_anchor", "aws_iam_role")
    )
    profile = plain(code.resources["awscc_rolesanywhere_profile"])

    (source,) = anchor["source"]
    heredoc = source["source_data"][0]["x509_certificate_data"]
    lines = [line.strip() for line in heredoc.strip('"').splitlines()]
    assert FULL.anchor.bundle is not None
    assert lines[1:-1] == FULL.anchor.bundle.splitlines()
    settings = [plain(each) for each in anchor["notification_settings"]]
    assert [(each["event"], each["enabled"], each.get("threshold")) for each in settings] == [
        ("CA_CERTIFICATE_EXPIRY", True, 90),
        ("END_ENTITY_CERTIFICATE_EXPIRY", False, None),
    ]
    # The tags by which setup and teardown know theirs are not Terraform's.
    assert plain(anchor["tags"]) == plain(role["tags"]) == {"team": "payments @ example"}
    assert profile["tags"] == [{"key": "team", "value": "payments @ example"}]
    assert (plain(role["name"]), plain(role["path"])) == ("App.1=x@y", "/apps/")
    assert role["max_session_duration"] == profile["duration_seconds"] == 7200
    inline = code.resources["aws_iam_role_policy"]
    assert plain(inline["name"]) == INLINE_POLICY
    assert document(inline["policy"]) == FULL.role.inline_policy
    assert document(profile["session_policy"]) == FULL.profile.session_policy
    assert profile["managed_policy_arns"] == [READ_ONLY]
    assert profile["accept_role_session_name"] is True
    assert {
        rule["certificate_field"]: [each["specifier"] for each in rule["mapping_rules"]]
        for rule in profile["attribute_mappings"]
    } == {"x509Subject": ["CN", "OU"], "x509Issuer": ["*"], "x509SAN": ["DNS"]}
    attached = code.resources["aws_iam_role_policy_attachment"]["for_each"]
    assert attached.count("arn:aws:iam::aws:policy/") == 2
    # What neither provider has is said, with the command that does it.
    assert "# Terraform cannot give aliases." in code.text
    assert "--crl-dp-revocation-enabled" in code.text
    assert "--tip-configuration" in code.text


def test_providers_are_those_that_are_needed() -> None:
    def providers(code: Code) -> list[str]:
        (block,) = code.tree["terraform"][0]["required_providers"]
        return [name for name in block if name != "__is_block__"]

    assert providers(Code(PLAIN)) == ["aws"]
    assert providers(Code(FULL)) == ["aws", "awscc"]
    assert [next(iter(block)) for block in Code(FULL).tree["provider"]] == ['"aws"', '"awscc"']
    # Without a Region, the provider's own configuration says it.
    assert "provider" not in Code(PLAIN, Target(config=CONFIG)).tree
    assert "profile" not in Code(PLAIN).resources["aws_rolesanywhere_profile"]


def test_a_private_ca_is_named() -> None:
    anchor = Code(SETUPS["private CA"]).resources["aws_rolesanywhere_trust_anchor"]

    (source,) = anchor["source"]
    assert plain(source["source_type"]) == "AWS_ACM_PCA"
    assert plain(source["source_data"][0]["acm_pca_arn"]) == PCA


def test_the_profile_for_the_config_file_is_an_output() -> None:
    code = Code(PLAIN)
    (output,) = [block['"aws_config"'] for block in code.tree["output"] if '"aws_config"' in block]

    lines = [line.strip() for line in output["value"].strip('"').splitlines()][1:-1]
    assert lines == [
        "[profile onprem]",
        "rolesanywhere_certificate = /etc/pki/$app `1`.pem",
        "rolesanywhere_trust_anchor_arn = ${aws_rolesanywhere_trust_anchor.example_ca.arn}",
        "rolesanywhere_profile_arn = ${aws_rolesanywhere_profile.app1.arn}",
        "rolesanywhere_role_arn = ${aws_iam_role.app1.arn}",
    ]


@pytest.mark.parametrize(
    ("name", "expected"), [("App.1=x@y", "app_1_x_y"), ("1st", "r_1st"), ("--", "r_"), ("É", "r_")]
)
def test_a_label_is_an_identifier(name: str, expected: str) -> None:
    assert label(name) == expected
