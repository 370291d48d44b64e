"""The access keys of a user, in a profile that is to get a session's credentials.

They can be nowhere else: AWS shows the secret once. So they are not overwritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

from .profile_section import read_sections, with_section

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS: Final = ("aws_access_key_id", "aws_secret_access_key")
# With one of these, as botocore reads a credentials file, the keys are a session's.
_TOKENS: Final = ("aws_session_token", "aws_security_token")


def set_aside(content: bytes, profile: str, *, where: str, allowed: bool) -> bytes:
    """The credentials file's `content` with a copy of the profile's long-lived keys, if it has any.

    The copy is a section of its own: ``NAME-long-lived``, or with a number behind it if there is
    one with other keys.

    Args:
        content: of the file.
        profile: the name of the profile.
        where: the file's path, for errors.
        allowed: whether the keys may be replaced in the profile.

    Raises:
        ConfigurationError: the profile has long-lived keys, and they must not be replaced.
    """
    sections = read_sections(content, where)
    section = sections.get(profile, {})
    keys = {name: section[name] for name in _KEYS if section.get(name)}
    if not keys or any(section.get(name) for name in _TOKENS):
        return content
    if not allowed:
        raise ConfigurationError(
            f"the profile {profile!r} has access keys without a session token: they do not expire,"
            " and may be written down nowhere else",
            code="long-lived-keys",
            where=where,
            remedy="Name another profile with --profile, or let --replace-long-lived-keys keep"
            " them in a section of their own.",
        )
    title = _title(profile, sections, keys)
    return with_section(content, title, keys, shell_words=False, where=where)


def _title(profile: str, sections: Mapping[str, dict[str, str]], keys: dict[str, str]) -> str:
    """Of the first section that is free, or holds these keys already."""
    title = first = f"{profile}-long-lived"
    number = 2
    while sections.get(title, keys) != keys:
        title = f"{first}-{number}"
        number += 1
    return title
