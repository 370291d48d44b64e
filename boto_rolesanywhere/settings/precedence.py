"""What botocore's chain takes before IAM Roles Anywhere, as far as settings alone tell.

The order is that of botocore's `create_credential_resolver`. `install` puts its provider after
access keys of the environment and after a profile that assumes a role. A ``credential_process``
line comes later: after web identities, SSO, the shared credentials file and ``login_session``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .profile_reader import PROFILE_VARIABLES, read_profile, read_stored_keys
from .role_chain import assumes_role, has_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105  # a variable's name
PROCESS: Final = "credential_process"
_WEB_IDENTITY: Final = "web_identity_token_file"
_WEB_IDENTITY_VARIABLE: Final = "AWS_WEB_IDENTITY_TOKEN_FILE"
# botocore's SSOProvider takes a profile with either for one of SSO.
_SSO: Final = ("sso_account_id", "sso_role_name")
_LOGIN: Final = "login_session"


def ahead_of_profile(environ: Mapping[str, str]) -> list[str]:
    """What hides the profile with our settings that AWS_PROFILE names.

    For a program that names no profile itself. As `ahead_of_provider`.
    """
    first, second = PROFILE_VARIABLES
    chosen, meant = environ.get(first), environ.get(second)
    if not chosen or not meant or chosen == meant:
        return []
    taken, lost = (has_settings(read_profile(name, environ) or {}) for name in (chosen, meant))
    return [f"profile {chosen!r} of {first}"] if lost and not taken else []


def ahead_of_provider(
    environ: Mapping[str, str],
    section: Mapping[str, object],
    profile: str,
    *,
    profile_is_explicit: bool = False,
) -> list[str]:
    """What comes before the provider of `install`, each as one phrase; empty for nothing.

    Args:
        environ: the environment.
        section: the profile's, as botocore reads it.
        profile: its name.
        profile_is_explicit: whether the program names the profile (``profile_name``, ``--profile``)
            and not AWS_PROFILE: botocore then passes over access keys of the environment.
    """
    found = []
    if environ.get(ACCESS_KEY) and not profile_is_explicit:
        missing = "" if environ.get(SECRET_KEY) else f" (without {SECRET_KEY})"
        found.append(f"{ACCESS_KEY} of the environment{missing}")
    if assumes_role(section):
        found.append(f"role_arn of profile {profile!r}")
    return found


def ahead_of_process(
    environ: Mapping[str, str],
    section: Mapping[str, object],
    profile: str,
    *,
    profile_is_explicit: bool = False,
) -> list[str]:
    """What comes before the profile's ``credential_process``. As `ahead_of_provider`."""
    found = ahead_of_provider(environ, section, profile, profile_is_explicit=profile_is_explicit)
    if environ.get(_WEB_IDENTITY_VARIABLE) and not profile_is_explicit:
        found.append(f"{_WEB_IDENTITY_VARIABLE} of the environment")
    named = [_WEB_IDENTITY, *_SSO, _LOGIN]
    found += [f"{key} of profile {profile!r}" for key in named if key in section]
    if file := read_stored_keys(profile, environ):
        found.append(f"aws_access_key_id of [{profile}] in {file}")
    return found
