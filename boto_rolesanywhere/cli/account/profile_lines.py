"""The profile of ``~/.aws/config`` that a workload needs for what `setup` made."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.outcome import own_program
from boto_rolesanywhere.cli.passed_over import warn_if_passed_over
from boto_rolesanywhere.settings.names import PROFILE, ROLE, TRUST_ANCHOR
from boto_rolesanywhere.settings.profile_reader import read_profile
from boto_rolesanywhere.settings.profile_section import quoted_name
from boto_rolesanywhere.settings.profile_writer import change_profile

if TYPE_CHECKING:
    from pathlib import Path

_PROCESS: Final = "credential_process"
_REGION: Final = "region"


def profile_lines(profile: str, arns: tuple[str, str, str], region: str) -> dict[str, str]:
    """The lines: ARNs and Region, and for the AWS CLI and other SDKs what it runs.

    Certificate and key are not among them: ``ca issue --profile`` writes these.

    Args:
        profile: its name.
        arns: of trust anchor, profile and role.
        region: for the AWS CLI and the SDKs.
    """
    anchor, rolesanywhere_profile, role = arns
    command = [*own_program(), "credential-process", "--config-profile", profile]
    return {
        _REGION: region,
        TRUST_ANCHOR.config_key: anchor,
        PROFILE.config_key: rolesanywhere_profile,
        ROLE.config_key: role,
        _PROCESS: shlex.join(command),
    }


def section_text(profile: str, lines: dict[str, str]) -> str:
    """The lines as they stand in the file, below the profile's title."""
    title = "default" if profile == "default" else f"profile {quoted_name(profile)}"
    return "\n".join((f"[{title}]", *(f"{key} = {value}" for key, value in lines.items()), ""))


def write_lines(profile: str, lines: dict[str, str]) -> tuple[Path, str, dict[str, str]]:
    """Write the lines that differ, and leave all others of the profile as they are.

    What other programs would take before them is named on stderr.

    A Region that the profile has stays: it is the workload's, not the trust anchor's.

    Returns:
        The file, the section's title, and the lines that were replaced, as they were.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    there = read_profile(profile, os.environ) or {}
    values = {key: value for key, value in lines.items() if there.get(key) != value}
    if there.get(_REGION):
        values.pop(_REGION, None)
    path, title = change_profile(profile, values)
    warn_if_passed_over(profile)
    return path, title, {key: there[key] for key in values if key in there}
