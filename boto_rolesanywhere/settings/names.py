"""What the settings are called, and where each is looked for first. Not what they mean.

A cached answer of the command is found with nothing but this, so nothing is imported here, not
even `typing` or `dataclasses`: either takes as long as a bare interpreter needs to start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

PREFIX: Final = "rolesanywhere_"
# Seconds. CreateSession: durationSeconds is 900 to 43200.
SHORTEST_SESSION: Final = 900
LONGEST_SESSION: Final = 43200


class Setting:
    """One setting and its names.

    Attributes:
        name: the config key without its prefix.
        argument: the argument of `get_session`; None if it has none.
        title: what a person calls it.
        flag: the flag of the command; None if it has none.
    """

    __slots__ = ("argument", "flag", "name", "title")

    def __init__(self, name: str, argument: str | None, title: str, flag: str | None) -> None:
        self.name = name
        self.argument = argument
        self.title = title
        self.flag = flag

    @property
    def config_key(self) -> str:
        """The key in a profile of the AWS config file."""
        return PREFIX + self.name

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"AWS_{self.config_key.upper()}"

    def __repr__(self) -> str:
        return f"<Setting {self.name}>"


CERTIFICATE: Final = Setting("certificate", "cert", "certificate", "--certificate")
PRIVATE_KEY: Final = Setting("private_key", "key", "private key", "--private-key")
TRUST_ANCHOR: Final = Setting(
    "trust_anchor_arn", "anchor", "trust anchor ARN", "--trust-anchor-arn"
)
PROFILE: Final = Setting("profile_arn", "profile", "profile ARN", "--profile-arn")
ROLE: Final = Setting("role_arn", "role", "role ARN", "--role-arn")
CHAIN: Final = Setting("certificate_chain", "chain", "certificate chain", "--intermediates")
REGION: Final = Setting("region", "region", "Region", "--region")
DURATION: Final = Setting("duration_seconds", "duration", "session duration", "--session-duration")
SESSION_NAME: Final = Setting(
    "role_session_name", "session_name", "role session name", "--role-session-name"
)
ENDPOINT_URL: Final = Setting("endpoint_url", "endpoint_url", "endpoint URL", "--endpoint")
PASSPHRASE_FILE: Final = Setting("private_key_passphrase_file", None, "passphrase file", None)
PASSPHRASE_ENV: Final = Setting("private_key_passphrase_env", None, "passphrase variable", None)
PKCS11_MODULE: Final = Setting("pkcs11_module", "pkcs11_module", "PKCS#11 module", "--pkcs11-lib")
TPM_TCTI: Final = Setting("tpm_tcti", "tpm_tcti", "TPM TCTI", "--tpm-tcti")

# With any of these set, somebody means to use IAM Roles Anywhere.
CORE: Final = (CERTIFICATE, PRIVATE_KEY, TRUST_ANCHOR, PROFILE, ROLE)
REQUIRED: Final = (CERTIFICATE, TRUST_ANCHOR, PROFILE, ROLE)
SETTINGS: Final = (
    *CORE,
    CHAIN,
    REGION,
    DURATION,
    SESSION_NAME,
    ENDPOINT_URL,
    PASSPHRASE_FILE,
    PASSPHRASE_ENV,
    PKCS11_MODULE,
    TPM_TCTI,
)


class Found:
    """A value and the place it was found in, to be named in errors. Its repr hides the value."""

    __slots__ = ("value", "where")

    def __init__(self, value: object, where: str) -> None:
        self.value = value
        self.where = where


def gather(
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    section: Mapping[str, object],
    *,
    flags: Mapping[str, str] | None = None,
    profile_name: str | None = "default",
) -> dict[Setting, Found]:
    """The settings that are set: arguments beat flags, then come the environment and the profile.

    Args:
        arguments: by the names of `get_session`'s arguments; None means not given.
        environ: the environment; empty values count as not set.
        section: the profile's section of the AWS config file.
        flags: of the command, with their values; None if this is not the command. Empty values
            count as not given, as in AWS's helper: scripts pass variables that may be empty.
        profile_name: the profile's name, for error messages; None if no profile was read.
    """
    found: dict[Setting, Found] = {}
    for setting in SETTINGS:
        value = arguments.get(setting.argument) if setting.argument else None
        if value is not None:
            where = setting.flag if flags is not None else None
            found[setting] = Found(value, where or f"argument {setting.argument}")
        elif flags and setting.flag and (text := flags.get(setting.flag)):
            found[setting] = Found(text, setting.flag)
        elif text := environ.get(setting.variable):
            found[setting] = Found(text, setting.variable)
        elif value := section.get(setting.config_key):
            where = f"{setting.config_key} of profile {profile_name!r}"
            found[setting] = Found(value, where)
    return found
