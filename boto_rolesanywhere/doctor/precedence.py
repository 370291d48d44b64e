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
    from collections.abc import Iterator, Mapping

    from boto_rolesanywhere.settings.inputs import Inputs

    from .verdict import Verdict


def check_precedence(inputs: Inputs) -> Iterator[Verdict]:
    """Name what botocore, and so the AWS CLI, takes before our settings.

    Access keys of the environment count also where the profile was named: programs that follow
    AWS_PROFILE take them.
    """
    section, by_process = _examined(inputs)
    profile = inputs.profile_name or "default"
    everybody = "boto3, the AWS CLI and install()"
    text = f"{everybody} do not ask IAM Roles Anywhere"
    ahead = [] if by_process else ahead_of_provider(inputs.environ, section, profile)
    if not ahead and PROCESS in section:
        # The way of programs that know nothing of our settings, which the profile may have too.
        who = everybody if by_process else "the AWS CLI and boto3 without install()"
        text = f"{who} do not run the profile's {PROCESS}"
        ahead = ahead_of_process(inputs.environ, section, profile)
    if not ahead:
        text = f"{everybody} find nothing before these settings"
    named = inputs.session.profile or "default"
    concerns = [Concern("fail", f"{name} comes first", _remedy(name, named)) for name in ahead]
    yield summed_up("precedence", text, concerns)


def _examined(inputs: Inputs) -> tuple[Mapping[str, object], bool]:
    """The profile's section and whether its command alone counts.

    The section is empty if other settings than its own are examined, or there are none.
    """
    named = {*inputs.arguments, *(inputs.flags or {})}
    if inputs.process is not None:
        return inputs.section, True
    by_process = PROCESS in inputs.section and not has_settings(inputs.section)
    is_called_with = any(each.argument in named or each.flag in named for each in CORE)
    has_none = not by_process and not any(each in inputs.found() for each in CORE)
    return ({}, False) if is_called_with or has_none else (inputs.section, by_process)


def _remedy(name: str, profile: str) -> str:
    if name.startswith(ACCESS_KEY):
        return (
            f"Unset {ACCESS_KEY}, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or name the"
            f" profile in each program (--profile {profile}, profile_name)."
        )
    return f"Remove {name}, or put these settings in a profile of their own."
