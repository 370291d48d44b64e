"""Profiles that assume a role with the credentials of another: ``role_arn``, ``source_profile``.

Read as botocore's `AssumeRoleProvider` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE: Final = "role_arn"
SOURCE: Final = "source_profile"


def assumes_role(section: Mapping[str, object]) -> bool:
    """Whether botocore assumes a role for the profile, with credentials from elsewhere."""
    return ROLE in section and "web_identity_token_file" not in section


def source_of(profiles: Mapping[str, Mapping[str, object]], name: str) -> str | None:
    """The profile at whose credentials the ``source_profile`` of `name` arrives in the end.

    None if `name` assumes no role with a profile's credentials, or the way is a ring or breaks off.
    """
    passed = [name]
    section = profiles.get(name, {})
    while assumes_role(section) and not (len(passed) > 1 and "aws_access_key_id" in section):
        source = str(section.get(SOURCE) or "")
        if source in passed or source not in profiles:
            return None
        passed.append(source)
        section = profiles[source]
    return passed[-1] if len(passed) > 1 else None


def has_settings(section: Mapping[str, object]) -> bool:
    """Whether the profile has settings of ours."""
    return any(key.startswith(PREFIX) for key in section)
