"""Whether programs get to IAM Roles Anywhere at all, or find other credentials before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.inputs import line_of
from boto_rolesanywhere.settings.names import CORE, PROFILE, ROLE, TRUST_ANCHOR
from boto_rolesanywhere.settings.precedence import (
    ACCESS_KEY,
    PROCESS,
    ahead_of_process,
    ahead_of_profile,
    ahead_of_provider,
)
from boto_rolesanywhere.settings.process_words import not_read
from boto_rolesanywhere.settings.profile_reader import PROFILE_VARIABLES
from boto_rolesanywhere.settings.role_chain import has_settings

from .verdict import Concern, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boto_rolesanywhere.settings.inputs import Inputs
    from boto_rolesanywhere.settings.process_line import ProcessLine

    from .verdict import Verdict

_EVERYBODY: Final = "boto3, the AWS CLI and install()"
_WITHOUT_INSTALL: Final = "the AWS CLI and boto3 without install()"
_KEY: Final = "aws_access_key_id"


def check_precedence(inputs: Inputs) -> Iterator[Verdict]:
    """Name what botocore, and so the AWS CLI, takes before our settings.

    Access keys of the environment count also where the profile was named: programs that follow
    AWS_PROFILE take them.
    """
    section, by_process = _examined(inputs)
    profile = inputs.profile_name or "default"
    text = f"{_EVERYBODY} do not ask IAM Roles Anywhere"
    ahead = [] if by_process else ahead_of_provider(inputs.environ, section, profile)
    if inputs.session.instance_variables().get("profile") is None:
        ahead += ahead_of_profile(inputs.environ)
    if not ahead and PROCESS in section:
        # Programs that do not read our settings go this way; the profile may have both.
        who = _EVERYBODY if by_process else _WITHOUT_INSTALL
        text = f"{who} do not run the profile's {PROCESS}"
        ahead = ahead_of_process(inputs.environ, section, profile)
    named = inputs.session.profile or "default"
    concerns = [Concern("fail", f"{name} comes first", _remedy(name, named)) for name in ahead]
    if not ahead:
        text = f"{_EVERYBODY} find nothing before these settings"
        if PROCESS not in section:
            text = f"install() finds nothing before these settings; {_WITHOUT_INSTALL}"
            text += f" need a {PROCESS}"
        if has_settings(section):
            concerns = list(_beside(inputs, section, profile))
    yield summed_up("precedence", text, concerns)


def _beside(inputs: Inputs, section: Mapping[str, object], profile: str) -> Iterator[Concern]:
    """What programs that do not read the profile's settings take instead."""
    if PROCESS in section:
        yield from _of_the_line(inputs, section, profile)
        return
    others = ahead_of_process(inputs.environ, section, profile)
    if _KEY in section and not any(each.startswith(_KEY) for each in others):
        others.append(f"{_KEY} of profile {profile!r}")
    for name in others:
        remedy = f"Remove {name}, or put these settings in a profile of their own."
        yield Concern("warn", f"without one they take {name}", remedy)


def _of_the_line(inputs: Inputs, section: Mapping[str, object], profile: str) -> Iterator[Concern]:
    """Where the ``credential_process`` asks for something else than the settings beside it."""
    remedy = f"`configure --profile {profile} --{PROCESS.replace('_', '-')}` writes the line anew."
    try:
        line = line_of(inputs.session, profile, section)
    except ConfigurationError as error:
        yield Concern("fail", f"its {PROCESS}: {error.problem}", error.remedy or remedy)
        return
    if difference := _elsewhere(line, section, profile):
        text = f"its {PROCESS}, which {_WITHOUT_INSTALL} use, {difference}"
        yield Concern("warn", text, remedy)


def _elsewhere(line: ProcessLine | None, section: Mapping[str, object], profile: str) -> str:
    """How the line differs from the section's settings; empty if it does not."""
    if line is None:  # a line of ours in a shell is not followed
        return "" if not_read(section[PROCESS]) else "runs another program"
    values = line.section()
    keys = [each.config_key for each in (TRUST_ANCHOR, PROFILE, ROLE)]
    other = [
        key for key in keys if key in section and values.get(key, section[key]) != section[key]
    ]
    if other:
        return f"has another {' and '.join(other)}"
    named = line.config_profile
    return f"reads profile {named!r}" if named and named != profile else ""


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
    if name.endswith(first := PROFILE_VARIABLES[0]):
        return f"Unset {first}: botocore looks at it before {PROFILE_VARIABLES[1]}."
    return f"Remove {name}, or put these settings in a profile of their own."
