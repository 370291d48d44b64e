"""A setup as commands of the AWS CLI: each ARN comes from the command that made it.

A POSIX shell runs them. They make what `setup` would make, with its aliases and tags, so that
`setup` finds it again.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.tags import iam_tags, rolesanywhere_tags
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import INLINE_POLICY, TrustedIdentity

if TYPE_CHECKING:
    from boto_rolesanywhere.account.wanted import Wanted, WantedAnchor, WantedProfile, WantedRole

    from .target import Target

_VARIABLES: Final = {
    "trust_anchor_arn": "TRUST_ANCHOR_ARN",
    "profile_arn": "PROFILE_ARN",
    "role_arn": "ROLE_ARN",
}
_ANCHOR_ARN: Final = "(the trust anchor's ARN)"  # in its place comes the variable
_PROFILE_ID: Final = '"${PROFILE_ARN##*/}"'
_Options = Mapping[str, object]


def commands(wanted: Wanted, target: Target) -> str:
    """The text of a script. It stops at the first command that fails."""
    parts = ["#!/bin/sh\n# IAM Roles Anywhere: trust anchor, role and profile.\nset -eu\n"]
    if target.region:
        region = shlex.quote(target.region)
        parts.append(f"export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n")
    parts += _anchor(wanted.anchor)
    parts += _role(wanted.role)
    parts += _profile(wanted.profile)
    parts.append(_config(target))
    return "\n".join(parts)


def _anchor(anchor: WantedAnchor) -> Iterator[str]:
    yield _kept(
        "TRUST_ANCHOR_ARN",
        "rolesanywhere create-trust-anchor",
        {
            "name": anchor.name,
            "alias-name": anchor.alias,
            "source": anchor.source,
            "enabled": True,
            "crl-dp-revocation-enabled": anchor.crl_distribution_points,
            "notification-settings": [
                {
                    "event": notification.event,
                    "enabled": notification.enabled,
                    **({"threshold": notification.threshold} if notification.threshold else {}),
                    "channel": "ALL",
                }
                for notification in anchor.notifications
            ],
            "tags": rolesanywhere_tags(anchor.tags),
        },
        "trustAnchor.trustAnchorArn",
    )


def _role(role: WantedRole) -> Iterator[str]:
    yield _kept(
        "ROLE_ARN",
        "iam create-role",
        {
            "role-name": role.name,
            "path": role.path,
            "assume-role-policy-document": trust_policy(_ANCHOR_ARN, role.certificates),
            "max-session-duration": role.max_session_duration,
            "permissions-boundary": role.permissions_boundary,
            "tags": iam_tags(role.tags),
        },
        "Role.Arn",
    )
    for arn in role.policy_arns:
        yield _command(
            "iam attach-role-policy", _options({"role-name": role.name, "policy-arn": arn})
        )
    if role.inline_policy is not None:
        options = {
            "role-name": role.name,
            "policy-name": INLINE_POLICY,
            "policy-document": role.inline_policy,
        }
        yield _command("iam put-role-policy", _options(options))
    yield _command("iam wait role-exists", _options({"role-name": role.name}))


def _profile(profile: WantedProfile) -> Iterator[str]:
    yield _kept(
        "PROFILE_ARN",
        "rolesanywhere create-profile",
        {
            "name": profile.name,
            "alias-name": profile.alias,
            "role-arns": _Variable("ROLE_ARN"),
            "enabled": True,
            "duration-seconds": profile.duration,
            "session-policy": profile.session_policy,
            "managed-policy-arns": _Words(profile.managed_policy_arns or ()),
            "accept-role-session-name": profile.accept_session_name,
            "tip-configuration": _trusted_identity(profile),
            "tags": rolesanywhere_tags(profile.tags),
        },
        "profile.profileArn",
    )
    for field, specifiers in profile.mappings.items():
        of_field = [f"--profile-id {_PROFILE_ID}", f"--certificate-field {field}"]
        if specifiers:
            rules = [{"specifier": specifier} for specifier in specifiers]
            of_field += _options({"mapping-rules": rules})
            yield _command("rolesanywhere put-attribute-mapping", of_field)
        else:
            yield _command("rolesanywhere delete-attribute-mapping", of_field)


def _trusted_identity(profile: WantedProfile) -> dict[str, str] | None:
    wanted = profile.trusted_identity
    if isinstance(wanted, TrustedIdentity):
        return {
            "status": "ENABLED",
            "subjectSource": wanted.source,
            "subjectType": wanted.subject_type,
        }
    return None if wanted is None else {"status": "DISABLED"}


def _config(target: Target) -> str:
    """Prints the profile for ``~/.aws/config``."""
    variables = {name: _Variable(variable) for name, variable in _VARIABLES.items()}
    lines = [
        "".join(str(part) if isinstance(part, _Variable) else _escaped(part) for part in line)
        for line in target.config_lines(variables)
    ]
    return "\n".join(
        ("# For ~/.aws/config on the workload's machine.", "cat <<EOF", *lines, "EOF\n")
    )


class _Variable(str):
    """A shell variable's name."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"${{{super().__str__()}}}"


class _Words(tuple[str, ...]):
    """The values of an option that takes several words."""

    __slots__ = ()


def _kept(variable: str, words: str, options: _Options, query: str) -> str:
    """A command whose result is kept in a variable."""
    listed = [*_options(options), f"--query {query} --output text"]
    return f"{variable}=$({_command(words, listed).rstrip()})\n"


def _command(words: str, options: Sequence[str]) -> str:
    return " \\\n  ".join((f"aws {words}", *options)) + "\n"


def _options(options: _Options) -> list[str]:
    return [
        text
        for name, value in options.items()
        if value is not None and value not in ([], ())
        for text in _option(name, value)
    ]


def _option(name: str, value: object) -> Iterable[str]:
    if isinstance(value, bool):
        yield f"--{name}" if value else f"--no-{name}"
    elif isinstance(value, _Variable):
        yield f'--{name} "{value}"'
    elif isinstance(value, _Words):
        yield f"--{name} {shlex.join(value)}"
    elif isinstance(value, str | int):
        yield f"--{name} {shlex.quote(str(value))}"
    else:
        around = map(shlex.quote, json.dumps(value).split(_ANCHOR_ARN))
        between = f'"{_Variable("TRUST_ANCHOR_ARN")}"'
        yield f"--{name} {between.join(around)}"


def _escaped(text: str) -> str:
    """For a heredoc, in which a shell looks for ``$``, backquotes and backslashes."""
    return "".join(f"\\{char}" if char in "$`\\" else char for char in text)
