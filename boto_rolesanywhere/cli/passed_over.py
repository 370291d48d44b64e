"""A word when a profile that was just written has something that other programs take before it."""

from __future__ import annotations

import os

from boto_rolesanywhere.settings.precedence import ahead_of_process
from boto_rolesanywhere.settings.profile_reader import read_profile

from .outcome import complain


def warn_if_passed_over(profile: str) -> None:
    """Name on stderr what the AWS CLI takes of this profile before its ``credential_process``."""
    section = read_profile(profile, os.environ) or {}
    ahead = ahead_of_process(os.environ, section, profile, profile_is_explicit=True)
    for found in ahead:
        complain(
            f"{found} comes first: the AWS CLI, and boto3 without install(), take it and do not ask"
            " IAM Roles Anywhere. Remove it, or choose another profile."
        )
