"""Whether programs get to IAM Roles Anywhere at all, or find other credentials before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.settings.names import CORE
from boto_rolesanywhere.settings.precedence import (
    ACCESS_KEY,
    PROCESS,
    ahead_of_process,
    ahead_of_provider,
)
from boto_rolesanywhere.settings.role_chain import has_settings

from .verdict import Concern, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.settings.inputs import Inputs

    from .verdict import Verdict


def check_precedence(inputs: Inputs) -> Iterator[Verdict]:
    """Name what botocore, and so the AWS CLI, takes before our settings.

    Access keys of the environment count also where the profile was named: programs that follow
    AWS_PROFILE take them.
    """
    ahead = _ahead(inputs)
    profile = inputs.session.profile or "default"
    concerns = [Concern("fail", f"{name} comes first", _remedy(name, profile)) for name in ahead]
    text = "boto3, the AWS CLI and install() "
    text += "do not ask IAM Roles Anywhere" if ahead else "find nothing before these settings"
    yield summed_up("precedence", text, concerns)


def _ahead(inputs: Inputs) -> list[str]:
    section, named = inputs.section, {*inputs.arguments, *(inputs.flags or {})}
    by_process = inputs.process is not None
    if not by_process and any(each.argument in named or each.flag in named for each in CORE):
        section = {}  # not the profile's settings are examined, so what else it has says nothing
    by_process = by_process or (PROCESS in section and not has_settings(section))
    ahead = ahead_of_process if by_process else ahead_of_provider
    return ahead(inputs.environ, section, inputs.profile_name or "default")


def _remedy(name: str, profile: str) -> str:
    if name.startswith(ACCESS_KEY):
        return (
            f"Unset {ACCESS_KEY}, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or name the"
            f" profile in each program (--profile {profile}, profile_name)."
        )
    return f"Remove {name}, or put these settings in a profile of their own."
