"""A setup as commands of the AWS CLI: each ARN comes from the command that made it.

A POSIX shell runs them. They are the calls that `setup` makes in an account that has nothing of it,
with its aliases and tags, so that `setup` finds again what they made.
"""

from __future__ import annotations

import json
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name

from boto_rolesanywhere.account.differences import (
    Change,
    anchor_creation,
    as_made,
    profile_changes,
    profile_creation,
    role_changes,
    role_creation,
)
from boto_rolesanywhere.account.found import PROFILE, FoundRole
from boto_rolesanywhere.account.trust_policies import trust_policy

from .in_code import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.account.wanted import Wanted

    from .in_code import Target

_PROFILE_ID: Final = "(ID of the profile)"
_VARIABLES: Final = {
    ANCHOR_ARN: "${TRUST_ANCHOR_ARN}",
    PROFILE_ARN: "${PROFILE_ARN}",
    ROLE_ARN: "${ROLE_ARN}",
    _PROFILE_ID: "${PROFILE_ARN##*/}",
}
_HEAD: Final = """\
#!/bin/sh
# IAM Roles Anywhere: trust anchor, role and profile. Stops at the first command that fails.
set -eu
"""


def commands(wanted: Wanted, target: Target) -> str:
    """The text of a script; at its end it prints the profile for ``~/.aws/config``."""
    blocks = [_HEAD]
    if target.region:
        region = shlex.quote(target.region)
        blocks.append(f"export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n")
    blocks += _commands(wanted)
    blocks.append(_config(target.config))
    return "\n".join(blocks)


def _commands(wanted: Wanted) -> Iterator[str]:
    anchor = anchor_creation(wanted.anchor, aliases=True)
    yield _kept("TRUST_ANCHOR_ARN", anchor, "trustAnchor.trustAnchorArn")
    policy = trust_policy(ANCHOR_ARN, wanted.role.certificates)
    role = role_creation(wanted.role, policy)
    yield _kept("ROLE_ARN", role, "Role.Arn")
    made = FoundRole({**role.parameters, "Arn": ROLE_ARN})
    for change in role_changes(wanted.role, made, policy, detach_others=False):
        yield _command(change)
    yield f"aws iam wait role-exists --role-name {shlex.quote(wanted.role.name)}\n"
    profile = profile_creation(wanted.profile, ROLE_ARN, aliases=True)
    yield _kept("PROFILE_ARN", profile, "profile.profileArn")
    made_profile = as_made(PROFILE, profile, wanted.profile.tags, PROFILE_ARN, _PROFILE_ID)
    for change in profile_changes(wanted.profile, made_profile, ROLE_ARN, aliases=True):
        yield _command(change)


def _kept(variable: str, change: Change, query: str) -> str:
    """A command whose result is kept in a variable."""
    command = _command(change, f"--query {query} --output text").rstrip()
    return f"{variable}=$({command})\n"


def _command(change: Change, *further: str) -> str:
    words = f"aws {change.service} {_with_hyphens(change.operation)}"
    options = [_option(name, value) for name, value in change.parameters.items()]
    return " \\\n  ".join((words, *options, *further)) + "\n"


_with_hyphens = partial(xform_name, sep="-")


def _option(name: str, value: Any) -> str:  # noqa: ANN401  # a parameter of botocore's
    flag = _with_hyphens(name)
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return f"--{flag} {' '.join(map(_word, value))}"
    return f"--{flag} {_word(value if isinstance(value, str) else json.dumps(value))}"


def _word(text: str) -> str:
    """A word of the shell, with the variables in their places."""
    for mark, variable in _VARIABLES.items():
        before, found, after = text.partition(mark)
        if found:
            around = (part and _word(part) for part in (before, after))
            return f'"{variable}"'.join(around)
    return shlex.quote(text)


def _config(text: str) -> str:
    lines = "".join(_VARIABLES.get(part) or _plain(part) for part in parts(text))
    return f"# For ~/.aws/config on the workload's machine.\ncat <<EOF\n{lines}EOF\n"


def _plain(text: str) -> str:
    """For a heredoc, in which a shell looks for ``$``, backquotes and backslashes."""
    return "".join(f"\\{char}" if char in "$`\\" else char for char in text)
