"""Profiles that assume a role with the credentials of another: ``role_arn``, ``source_profile``.

Read as botocore's `AssumeRoleProvider` reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.records import NamedTuple

from .names import (
    PASSPHRASE_ENV,
    PASSPHRASE_FILE,
    PASSPHRASE_VARIABLE,
    PKCS11_MODULE,
    PREFIX,
    TPM_TCTI,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Sections = Callable[[str], Mapping[str, Any] | None]

SOURCE: Final = "source_profile"
_ROLE: Final = "role_arn"
_KEY: Final = "aws_access_key_id"
# The machine decides how to reach a key, and no profile holds a passphrase.
_OF_THE_MACHINE: Final = (
    PASSPHRASE_VARIABLE,
    *(setting.variable for setting in (PASSPHRASE_ENV, PASSPHRASE_FILE, PKCS11_MODULE, TPM_TCTI)),
)


class AssumedRole(NamedTuple):
    """A role that is assumed with the credentials of the one before.

    Attributes:
        profile: that names it.
        role_arn: the role; this and what follows are texts, as the profile has them.
        role_session_name: botocore's name for a session of the workload's own.
        external_id: that the role's trust policy asks for.
        duration_seconds: of the session.
        region: whose STS is asked.
        mfa_serial: of a device that no workload has.
    """

    profile: str
    role_arn: str
    role_session_name: str | None = None
    external_id: str | None = None
    duration_seconds: str | None = None
    region: str | None = None
    mfa_serial: str | None = None


class RoleChain(NamedTuple):
    """What a profile's ``source_profile`` leads to.

    Attributes:
        source: the profile whose own credentials come first.
        roles: in the order in which they are assumed.
    """

    source: str
    roles: tuple[AssumedRole, ...]


def assumes_role(section: Mapping[str, object]) -> bool:
    """Whether botocore assumes a role for the profile, with credentials from elsewhere."""
    return _ROLE in section and "web_identity_token_file" not in section


def chain_of(sections: Sections, name: str) -> RoleChain | None:
    """The roles of the profile `name`.

    None if it assumes no role with a profile's credentials, or the way is a ring or breaks off.

    Args:
        sections: gives a profile's section, or None.
        name: of the profile.
    """
    roles: list[AssumedRole] = []
    section = sections(name) or {}
    while assumes_role(section) and not (roles and _KEY in section):
        options = {key: section.get(key) for key in AssumedRole._fields[2:]}
        roles.insert(0, AssumedRole(name, section[_ROLE], **options))
        name = str(section.get(SOURCE) or "")
        found = sections(name)
        if found is None or name in (role.profile for role in roles):
            return None
        section = found
    return RoleChain(name, tuple(roles)) if roles else None


def last_named(sections: Sections, name: str) -> str:
    """Where the ``source_profile`` lines end: a profile without one, or that is not there."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        name = str((sections(name) or {}).get(SOURCE) or name)
    return name


def environ_of_source(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that count for a source profile.

    Its settings come from the file alone, as botocore's own do. But a passphrase is not written
    there, and how a token or TPM is reached is the machine's.
    """
    return {
        name: text
        for name, text in environ.items()
        if name in _OF_THE_MACHINE or not name.startswith(f"AWS_{PREFIX.upper()}")
    }


def has_settings(section: Mapping[str, object]) -> bool:
    """Whether the profile has settings of ours."""
    return any(key.startswith(PREFIX) for key in section)
