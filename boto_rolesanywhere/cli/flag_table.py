"""The flags that every command takes for certificate, key and call: their names and help texts.

They are those of AWS's `aws_signing_helper`, so that its command lines go on working, and a few of
ours. The flags of settings come from the table of settings. The command finds a cached answer with
this table alone: nothing heavy is imported here.
"""

from __future__ import annotations

from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.go_values import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Final

    from boto_rolesanywhere.settings.names import Setting

    Row = tuple[str, str | None, str]

SELECTOR: Final = "--cert-selector"
STORE: Final = "--cert-store"
LATEST: Final = "--use-latest-expiring-certificate"
STORE_NAME: Final = "--system-store-name"
STORE_LOCATION: Final = "--system-store-location"
CONFIG_PROFILE: Final = "--config-profile"
NO_VERIFY: Final = "--no-verify-ssl"
NO_TPM_PASSWORD: Final = "--no-tpm-key-password"  # noqa: S105  # a flag's name
SECRETS: Final = ("--pkcs8-password", "--pkcs11-pin", "--tpm-key-password")
FROM_ENV: Final = "-env"
FROM_FILE: Final = "-file"


def _settings(*settings: Setting) -> tuple[Row, ...]:
    return tuple((setting.flag or "", setting.metavar, setting.help) for setting in settings)


def _secret(flag: str, secret: str) -> tuple[Row, ...]:
    return (
        (
            flag,
            "SECRET",
            (
                f"{secret}. Every user of this machine can read a running command's arguments:"
                " prefer one of the next two"
            ),
        ),
        (flag + FROM_ENV, "NAME", "the environment variable to read it from"),
        (flag + FROM_FILE, "FILE", "the file to read it from (without the last line break)"),
    )


# Heading → (flag, what stands for its value or None for a switch, help). A % is written twice.
FLAGS: Final[dict[str, tuple[Row, ...]]] = {
    "who you are": _settings(names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN),
    "what you ask for": _settings(
        names.TRUST_ANCHOR, names.PROFILE, names.ROLE, names.DURATION, names.SESSION_NAME
    ),
    "where the call goes": (
        *_settings(names.REGION, names.ENDPOINT_URL),
        (
            NO_VERIFY,
            None,
            (
                "do not check the endpoint's TLS certificate, and do not cache the session;"
                " everyone on the way can read the credentials"
            ),
        ),
        ("--with-proxy", None, "changes nothing: HTTPS_PROXY and NO_PROXY are always honoured"),
    ),
    "encrypted keys, tokens and TPMs": (
        *_secret("--pkcs8-password", "the passphrase of an encrypted key or PKCS #12 file"),
        *_secret("--pkcs11-pin", "the user PIN of a PKCS #11 token"),
        *_settings(names.PKCS11_MODULE),
        (
            "--reuse-pin",
            None,
            "changes nothing: a key that wants the PIN for each signature always gets it",
        ),
        *_secret("--tpm-key-password", "the password of a TPM key"),
        (NO_TPM_PASSWORD, None, "the TPM key has no password, whatever the environment says"),
        *_settings(names.TPM_TCTI),
    ),
    "a certificate chosen from many": (
        (
            SELECTOR,
            "SELECTOR",
            (
                "'Key=x509Subject,Value=CN=web Key=x509Issuer,Value=CN=CA Key=x509Serial,Value=1F',"
                " or file://FILE with a JSON list of them; whole names, as read-certificate-data"
                " shows them"
            ),
        ),
        (STORE, "PLACE", f"where {SELECTOR} looks: a folder of files, or a pkcs11: URI"),
        (LATEST, None, "if several match, take the one that expires last"),
        (STORE_NAME, "NAME", "ignored: it names a certificate store of Windows"),
        (STORE_LOCATION, "NAME", "ignored: it says where Windows keeps that store"),
    ),
    "settings and messages": (
        (
            CONFIG_PROFILE,
            "NAME",
            (
                "the profile of the AWS config file whose rolesanywhere_… settings are used where"
                " no flag or variable is given; AWS_PROFILE does not name it"
            ),
        ),
        ("--debug", None, "say on stderr what the command does, without secrets"),
    ),
}

# The headings of flags that say nothing about certificate and key.
OF_THE_CALL: Final = ("what you ask for", "where the call goes")

TAKES_VALUE: Final = {
    flag: metavar is not None for group in FLAGS.values() for flag, metavar, _ in group
}

# What AWS's helper refuses together (its cmd/credentials.go), and STORE of ours. A secret from a
# variable or file counts as the secret.
EXCLUSIVE: Final = tuple(
    (first, second)
    for first, others in {
        "--certificate": (SELECTOR, STORE_NAME, STORE_LOCATION, STORE),
        "--private-key": (SELECTOR, STORE_NAME, STORE_LOCATION, LATEST, STORE),
        LATEST: ("--intermediates", "--reuse-pin"),
        SELECTOR: ("--intermediates", "--reuse-pin"),
        STORE_NAME: ("--reuse-pin",),
        STORE_LOCATION: ("--reuse-pin",),
        "--tpm-key-password": (SELECTOR, "--reuse-pin"),
        NO_TPM_PASSWORD: (SELECTOR, "--tpm-key-password"),
        "--pkcs8-password": ("--tpm-key-password",),
    }.items()
    for second in others
)


def read_plainly(argv: Sequence[str], more: Mapping[str, bool]) -> dict[str, str] | None:
    """The flags in `argv`, if it is nothing but known flags, each given once.

    For anything else (help, a mistake, a repeated flag) it gives None: the parser must decide.

    Args:
        argv: without the program's and the command's name.
        more: the command's own flags, and whether they take a value.

    Returns:
        Flag → value; "" for a switch.
    """
    flags: dict[str, str] = {}
    words = list(argv)
    while words:
        flag, equals, value = words.pop(0).partition("=")
        takes = TAKES_VALUE.get(flag, more.get(flag))
        if takes is None or flag in flags or (equals and not takes):
            return None
        if takes and not equals:
            if not words or words[0].startswith("-"):
                return None
            value = words.pop(0)
            while flag == SELECTOR and words and not words[0].startswith("-"):
                value += f" {words.pop(0)}"
        flags[flag] = value
    return flags


def conflict(flags: Iterable[str]) -> tuple[str, str] | None:
    """The first two of these flags that exclude each other; None if there are none."""
    # A value, a variable and a file can all bring the same secret.
    kinds = {next((base for base in SECRETS if flag in forms(base)), flag): flag for flag in flags}
    for first, second in EXCLUSIVE:
        if first in kinds and second in kinds:
            return kinds[first], kinds[second]
    return None


def forms(secret: str) -> tuple[str, str, str]:
    """The flags that can bring the same secret."""
    return secret, secret + FROM_ENV, secret + FROM_FILE


def settings_of(
    flags: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The flags of settings, with the values that the settings have.

    Args:
        flags: as they were given.
        environ: the environment of a command that asks for a session as AWS's helper does: it asks
            for an hour where nothing else is said, and without a profile of ours.
    """
    known = {setting.flag for setting in names.SETTINGS if setting.flag}
    values = {flag: value for flag, value in flags.items() if flag in known and value}
    endpoint = names.ENDPOINT_URL.flag or ""
    if endpoint in values and "://" not in values[endpoint]:
        # A bare host name, which AWS's helper does not take.
        values[endpoint] = f"https://{values[endpoint]}"
    duration = names.DURATION.flag or ""
    by_helpers_flags = names.ROLE.flag in values and CONFIG_PROFILE not in flags
    if environ is not None and by_helpers_flags and not environ.get(names.DURATION.variable):
        values.setdefault(duration, names.HELPERS_DURATION)
    if (seconds := whole_number(values.get(duration, ""))) is not None:
        values[duration] = str(seconds)
    return values
