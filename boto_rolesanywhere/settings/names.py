"""The one table of the settings: for each its names, what it is for, and whether it may be shown.

`config` has the parsers, which need more modules. The command finds a cached answer with this table
alone, so nothing is imported here, not even `typing` or `dataclasses`: either takes as long as a
bare interpreter needs to start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal

    Shown = Literal["whole", "place", "url", "variable"]

PREFIX: Final = "rolesanywhere_"
# Seconds. CreateSession: durationSeconds is 900 to 43200.
SHORTEST_SESSION: Final = 900
LONGEST_SESSION: Final = 43200
HELPERS_DURATION: Final = "3600"  # what AWS's helper asks for by itself
# The passphrase itself is never written in the config file, so it is no Setting.
PASSPHRASE_VARIABLE: Final = "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE"  # noqa: S105  # its name
CA_VARIABLE: Final = "AWS_ROLESANYWHERE_CA"  # the folder of the command's own CA


class Setting:
    """One setting.

    Attributes:
        name: the config key without its prefix.
        title: what a person calls it.
        argument: the argument of `get_session`; None if it has none.
        flag: the flag of the command; None if it has none.
        metavar: what stands for the value in the flag's help.
        help: the flag's help text.
        shown: how much of the value may be shown: ``whole``; ``place`` without the PIN in a URI,
            and not if it seems to be a key; ``url`` without user and password; ``variable`` if
            there is a variable of that name, since it may be the passphrase itself.
    """

    __slots__ = ("argument", "flag", "help", "metavar", "name", "shown", "title")

    def __init__(
        self,
        name: str,
        title: str,
        *,
        argument: str | None = None,
        flag: str | None = None,
        metavar: str = "",
        help: str = "",  # noqa: A002  # argparse's word for it
        shown: Shown = "whole",
    ) -> None:
        self.name = name
        self.title = title
        self.argument = argument
        self.flag = flag
        self.metavar = metavar
        self.help = help
        self.shown = shown

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


CERTIFICATE: Final = Setting(
    "certificate",
    "certificate",
    argument="cert",
    flag="--certificate",
    metavar="FILE",
    help="the end-entity certificate: PEM, DER or PKCS #12, or a pkcs11: URI",
    shown="place",
)
PRIVATE_KEY: Final = Setting(
    "private_key",
    "private key",
    argument="key",
    flag="--private-key",
    metavar="FILE",
    help="its private key: a file, a pkcs11: URI, or handle:0x… of a TPM; not needed if the"
    " certificate's file holds it",
    shown="place",
)
TRUST_ANCHOR: Final = Setting(
    "trust_anchor_arn",
    "trust anchor ARN",
    argument="anchor",
    flag="--trust-anchor-arn",
    metavar="ARN",
    help="the trust anchor; or several, with commas between: if the first one's Region fails, the"
    " next is asked",
)
PROFILE: Final = Setting(
    "profile_arn",
    "profile ARN",
    argument="profile",
    flag="--profile-arn",
    metavar="ARN",
    help="the IAM Roles Anywhere profile; one for each trust anchor",
)
ROLE: Final = Setting(
    "role_arn",
    "role ARN",
    argument="role",
    flag="--role-arn",
    metavar="ARN",
    help="the role, with its path",
)
CHAIN: Final = Setting(
    "certificate_chain",
    "certificate chain",
    argument="chain",
    flag="--intermediates",
    metavar="FILE",
    help="the intermediate certificates, in any order",
    shown="place",
)
REGION: Final = Setting(
    "region",
    "Region",
    argument="region",
    flag="--region",
    metavar="REGION",
    help="default: the trust anchor's Region",
)
DURATION: Final = Setting(
    "duration_seconds",
    "session duration",
    argument="duration",
    flag="--session-duration",
    metavar="SECONDS",
    help="900 to 43200; default: 3600 where --role-arn is given, else the profile's own duration",
)
SESSION_NAME: Final = Setting(
    "role_session_name",
    "role session name",
    argument="session_name",
    flag="--role-session-name",
    metavar="NAME",
    help="the role session's name, if the profile accepts one; default: the certificate's serial"
    " number",
)
ENDPOINT_URL: Final = Setting(
    "endpoint_url",
    "endpoint URL",
    argument="endpoint_url",
    flag="--endpoint",
    metavar="URL",
    help="an endpoint other than AWS's own; one for each trust anchor",
    shown="url",
)
PASSPHRASE_FILE: Final = Setting("private_key_passphrase_file", "passphrase file", shown="place")
PASSPHRASE_ENV: Final = Setting(
    "private_key_passphrase_env", "passphrase variable", shown="variable"
)
PKCS11_MODULE: Final = Setting(
    "pkcs11_module",
    "PKCS#11 module",
    argument="pkcs11_module",
    flag="--pkcs11-lib",
    metavar="FILE",
    help="the token's PKCS #11 library; default: p11-kit's proxy",
)
TPM_TCTI: Final = Setting(
    "tpm_tcti",
    "TPM TCTI",
    argument="tpm_tcti",
    flag="--tpm-tcti",
    metavar="TCTI",
    help="how to reach the TPM, such as device:/dev/tpmrm0",
)

# If any of these is set, the user means to use IAM Roles Anywhere.
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
