"""A setup as Terraform code, which one apply makes: nothing in it needs an ARN beforehand.

Arguments as documented for the providers `aws` (6.25 has all of them) and `awscc` 1. The tags by
which `setup` knows what it made are left out: what Terraform made is Terraform's to change and to
remove.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import INLINE_POLICY

from .hcl import Block, Call, Comment, Expression, Heredoc, Value, render
from .left_out import mappings_in_full, notes, own_tags, source_type
from .target import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, parts

if TYPE_CHECKING:
    from boto_rolesanywhere.account.wanted import Wanted, WantedAnchor, WantedProfile, WantedRole

    from .target import Target

_PROVIDERS: Final = {
    "aws": {"source": "hashicorp/aws", "version": ">= 6.25"},
    "awscc": {"source": "hashicorp/awscc", "version": ">= 1.0"},
}
_Body = tuple[tuple[str, Value] | Block | Comment, ...]


def terraform(wanted: Wanted, target: Target) -> str:
    """The text of a ``.tf`` file."""
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
            _anchor(wanted.anchor),
            *_role(wanted.role, references[ANCHOR_ARN]),
            _profile(kind, wanted.profile, references[ROLE_ARN]),
            *_outputs(references, target.config),
        ]
    )


def label(name: str) -> str:
    """A resource's label, made of its name."""
    letters = re.sub(r"[^a-z0-9]+", "_", name.lower(), flags=re.ASCII).strip("_")
    return letters if letters[:1].isalpha() else f"r_{letters}"


def _head(wanted: Wanted, region: str | None, providers: list[str]) -> list[Block | Comment]:
    left_out = notes(wanted, "Terraform")
    required = tuple((name, _PROVIDERS[name]) for name in providers)
    head: list[Block | Comment] = [
        Comment("IAM Roles Anywhere: trust anchor, role and profile. Made to be applied in one go.")
    ]
    if left_out:
        head.append(Comment("\n".join(left_out)))
    head.append(
        Block("terraform", (), (Block("required_providers", (), required),)),
    )
    if region:
        head += [Block("provider", (name,), (("region", region),)) for name in providers]
    return head


def _anchor(anchor: WantedAnchor) -> Block:
    data: tuple[str, Value] = ("x509_certificate_data", Heredoc((anchor.bundle or "",)))
    if anchor.pca_arn is not None:
        data = ("acm_pca_arn", anchor.pca_arn)
    return Block(
        "resource",
        ("aws_rolesanywhere_trust_anchor", label(anchor.name)),
        (
            ("name", anchor.name),
            ("enabled", True),
            *_tags(anchor.tags),
            Block(
                "source",
                (),
                (("source_type", source_type(anchor)), Block("source_data", (), (data,))),
            ),
            *(
                Block(
                    "notification_settings",
                    (),
                    (
                        ("event", notification.event),
                        ("enabled", notification.enabled),
                        *_said(threshold=notification.threshold),
                        ("channel", "ALL"),
                    ),
                )
                for notification in anchor.notifications
            ),
        ),
    )


def _role(role: WantedRole, anchor: Expression) -> list[Block]:
    name = label(role.name)
    of_role = ("role", Expression(f"aws_iam_role.{name}.name"))
    policy = trust_policy(ANCHOR_ARN, role.certificates)
    blocks = [
        Block(
            "resource",
            ("aws_iam_role", name),
            (
                ("name", role.name),
                ("path", role.path),
                *_said(
                    max_session_duration=role.max_session_duration,
                    permissions_boundary=role.permissions_boundary,
                ),
                *_tags(role.tags),
                ("assume_role_policy", Call("jsonencode", _with(policy, anchor))),
            ),
        )
    ]
    if role.policy_arns:
        body: _Body = (
            ("for_each", Call("toset", list(role.policy_arns))),
            of_role,
            ("policy_arn", Expression("each.value")),
        )
        blocks.append(Block("resource", ("aws_iam_role_policy_attachment", name), body))
    if role.inline_policy is not None:
        body = (
            ("name", INLINE_POLICY),
            of_role,
            ("policy", Call("jsonencode", _with(role.inline_policy, anchor))),
        )
        blocks.append(Block("resource", ("aws_iam_role_policy", name), body))
    return blocks


def _profile(kind: str, profile: WantedProfile, role: Expression) -> Block:
    body: list[tuple[str, Value]] = [
        ("name", profile.name),
        ("enabled", True),
        ("role_arns", [role]),
        *_said(
            duration_seconds=profile.duration,
            accept_role_session_name=profile.accept_session_name,
            managed_policy_arns=profile.managed_policy_arns and list(profile.managed_policy_arns),
        ),
    ]
    if profile.session_policy is not None:
        body.append(("session_policy", Call("jsonencode", _with(profile.session_policy, role))))
    if not kind.startswith("awscc"):
        return Block("resource", (kind, label(profile.name)), (*body, *_tags(profile.tags)))
    mappings = mappings_in_full(profile.mappings).items()
    body.append(
        (
            "attribute_mappings",
            [
                {
                    "certificate_field": field,
                    "mapping_rules": [{"specifier": specifier} for specifier in specifiers],
                }
                for field, specifiers in mappings
            ],
        )
    )
    if tags := own_tags(profile.tags):
        body.append(("tags", [{"key": key, "value": value} for key, value in tags.items()]))
    return Block("resource", (kind, label(profile.name)), tuple(body))


def _outputs(references: Mapping[str, Expression], config: str) -> list[Block]:
    names = {"trust_anchor_arn": ANCHOR_ARN, "profile_arn": PROFILE_ARN, "role_arn": ROLE_ARN}
    profile = Heredoc(tuple(references.get(part, part) for part in parts(config)))
    description = "For ~/.aws/config on the workload's machine."
    return [
        *(Block("output", (name,), (("value", references[arn]),)) for name, arn in names.items()),
        Block("output", ("aws_config",), (("description", description), ("value", profile))),
    ]


def _said(**arguments: Value) -> list[tuple[str, Value]]:
    return [(name, value) for name, value in arguments.items() if value is not None]


def _tags(tags: Mapping[str, str]) -> list[tuple[str, Value]]:
    own = own_tags(tags)
    return [("tags", dict(own))] if own else []


def _with(document: object, anchor: Expression) -> Value:
    """A policy's document as a value, with the reference in the place of the ARN."""
    if isinstance(document, Mapping):
        return {str(key): _with(value, anchor) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_with(value, anchor) for value in document]
    return anchor if document == ANCHOR_ARN else cast("Value", document)
