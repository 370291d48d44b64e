"""A setup as Terraform code, which one apply makes: nothing in it needs an ARN beforehand.

Arguments as documented for the providers `aws` (6.25 has all of them) and `awscc` 1. The tags by
which `setup` knows what it made are left out: what Terraform made is Terraform's to change and to
remove.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from botocore import xform_name

from boto_rolesanywhere.account.differences import (
    anchor_creation,
    attribute_mappings,
    profile_creation,
)
from boto_rolesanywhere.account.tags import from_rolesanywhere
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import INLINE_POLICY

from .hcl import Block, Call, Expression, Heredoc, Value, render
from .in_code import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, in_code, notes, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.account.wanted import Wanted, WantedAnchor, WantedProfile, WantedRole

    from .in_code import Target

_PROVIDERS: Final = {
    "aws": {"source": "hashicorp/aws", "version": ">= 6.25"},
    "awscc": {"source": "hashicorp/awscc", "version": ">= 1.0"},
}
_TITLE: Final = "IAM Roles Anywhere: trust anchor, role and profile. Made to be applied in one go."
_Entry: TypeAlias = "tuple[str, Value] | Block"


def terraform(wanted: Wanted, target: Target) -> str:
    """The text of a ``.tf`` file."""
    said = in_code(wanted)
    # Only awscc knows attribute mappings.
    kind, arn = ("aws_rolesanywhere_profile", "arn")
    if wanted.profile.mappings:
        kind, arn = ("awscc_rolesanywhere_profile", "profile_arn")
    references = {
        ANCHOR_ARN: Expression(f"aws_rolesanywhere_trust_anchor.{label(wanted.anchor.name)}.arn"),
        PROFILE_ARN: Expression(f"{kind}.{label(wanted.profile.name)}.{arn}"),
        ROLE_ARN: Expression(f"aws_iam_role.{label(wanted.role.name)}.arn"),
    }
    return render(
        [
            *_head(wanted, target.region, ["aws", "awscc"] if arn == "profile_arn" else ["aws"]),
            _anchor(said.anchor),
            *_role(said.role, references[ANCHOR_ARN]),
            _profile(kind, said.profile, references[ROLE_ARN]),
            *_outputs(references, target.config),
        ]
    )


def label(name: str) -> str:
    """A resource's label, made of its name."""
    letters = re.sub(r"[^a-z0-9]+", "_", name.lower(), flags=re.ASCII).strip("_")
    return letters if letters[:1].isalpha() else f"r_{letters}"


def _head(wanted: Wanted, region: str | None, providers: list[str]) -> list[Block | str]:
    required = tuple((name, _PROVIDERS[name]) for name in providers)
    head: list[Block | str] = [
        _TITLE,
        "\n".join(notes(wanted, "Terraform")),
        Block("terraform", (), (Block("required_providers", (), required),)),
    ]
    if region:
        head += [Block("provider", (name,), (("region", region),)) for name in providers]
    return head


def _anchor(anchor: WantedAnchor) -> Block:
    body = _nested(anchor_creation(anchor, aliases=False).parameters)
    return _resource("aws_rolesanywhere_trust_anchor", anchor.name, *body)


def _nested(parameters: Mapping[str, Any]) -> Iterator[_Entry]:
    """Parameters of the service's as attributes, and then as blocks those that have parts."""
    blocks = []
    for member, value in parameters.items():
        name = xform_name(member)
        if name == "tags":
            yield from _tags(from_rolesanywhere(value))
        elif isinstance(value, list | dict):
            parts = value if isinstance(value, list) else [value]
            blocks += [Block(name, (), tuple(_nested(part))) for part in parts]
        elif value is not None:
            yield name, Heredoc((value,)) if name == "x509_certificate_data" else value
    yield from blocks


def _role(role: WantedRole, anchor: Expression) -> list[Block]:
    policy = trust_policy(ANCHOR_ARN, role.certificates)
    of_role = ("role", Expression(f"aws_iam_role.{label(role.name)}.name"))
    limits = {
        "max_session_duration": role.max_session_duration,
        "permissions_boundary": role.permissions_boundary,
    }
    blocks = [
        _resource(
            "aws_iam_role",
            role.name,
            ("name", role.name),
            ("path", role.path),
            *_nested(limits),
            *_tags(role.tags),
            ("assume_role_policy", Call("jsonencode", _with(policy, anchor))),
        )
    ]
    if role.policy_arns:
        arns = Call("toset", list(role.policy_arns))
        attached = (("for_each", arns), of_role, ("policy_arn", Expression("each.value")))
        blocks.append(_resource("aws_iam_role_policy_attachment", role.name, *attached))
    if role.inline_policy is not None:
        policy_entry = ("policy", Call("jsonencode", _with(role.inline_policy, anchor)))
        named = ("name", INLINE_POLICY)
        blocks.append(_resource("aws_iam_role_policy", role.name, named, of_role, policy_entry))
    return blocks


def _profile(kind: str, profile: WantedProfile, role: Expression) -> Block:
    parameters: dict[str, Any] = {
        **profile_creation(profile, ROLE_ARN, aliases=False).parameters,
        "roleArns": [role],
    }
    tags = parameters.pop("tags")
    if profile.session_policy:
        parameters["sessionPolicy"] = Call("jsonencode", cast("Value", profile.session_policy))
    body: list[_Entry] = [(xform_name(member), value) for member, value in parameters.items()]
    if not profile.mappings:
        return _resource(kind, profile.name, *body, *_tags(profile.tags))
    body.append(("attribute_mappings", _snake_case(attribute_mappings(profile.mappings))))
    return _resource(kind, profile.name, *body, *([("tags", tags)] if tags else []))


def _snake_case(value: Any) -> Value:  # noqa: ANN401  # JSON
    """Members of the service's, named as Terraform's providers name them."""
    if isinstance(value, list):
        return [_snake_case(item) for item in value]
    if isinstance(value, dict):
        return {xform_name(member): _snake_case(inner) for member, inner in value.items()}
    return cast("Value", value)


def _resource(kind: str, name: str, *body: _Entry) -> Block:
    return Block("resource", (kind, label(name)), body)


def _outputs(references: Mapping[str, Expression], config: str) -> list[Block]:
    names = {"trust_anchor_arn": ANCHOR_ARN, "profile_arn": PROFILE_ARN, "role_arn": ROLE_ARN}
    profile = Heredoc(tuple(references.get(part, part) for part in parts(config)))
    description = "For ~/.aws/config on the workload's machine."
    return [
        *(Block("output", (name,), (("value", references[arn]),)) for name, arn in names.items()),
        Block("output", ("aws_config",), (("description", description), ("value", profile))),
    ]


def _tags(tags: Mapping[str, str]) -> list[_Entry]:
    return [("tags", dict(tags))] if tags else []


def _with(document: object, anchor: Expression) -> Value:
    """A policy's document as a value, with the reference in the place of the ARN."""
    if isinstance(document, Mapping):
        return {str(key): _with(value, anchor) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_with(value, anchor) for value in document]
    return anchor if document == ANCHOR_ARN else cast("Value", document)
