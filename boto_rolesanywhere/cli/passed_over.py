"""Warns if other programs take something else before the profile that was just written."""

from __future__ import annotations

import os

from boto_rolesanywhere.settings.precedence import ahead_of_process
from boto_rolesanywhere.settings.profile_reader import read_profile

from .outcome import complain


def warn_if_passed_over(profile: str) -> None:
    """Name on stderr what the AWS CLI takes before this profile's ``credential_process``."""
    section = read_profile(profile, os.environ) or {}
    ahead = ahead_of_process(os.environ, section, profile, profile_is_explicit=True)
    for found in ahead:
        complain(
            f"{found} comes first: the AWS CLI, and boto3 without install(), take it and do not ask"
            " IAM Roles Anywhere. Remove it, or choose another profile."
        )
