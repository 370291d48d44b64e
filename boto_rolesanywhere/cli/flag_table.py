"""The flags that every command takes for certificate, key and call: their names and what they say.

They are those of AWS's `aws_signing_helper`, so that its command lines go on working, and a few of
ours. A cached answer is found with this table alone: nothing heavy is imported here, and the
parser that prints help is built elsewhere.
"""

from __future__ import annotations

from boto_rolesanywhere.settings.names import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Final

SELECTOR: Final = "--cert-selector"
STORE: Final = "--cert-store"
LATEST: Final = "--use-latest-expiring-certificate"
STORE_NAME: Final = "--system-store-name"
STORE_LOCATION: Final = "--system-store-location"
CONFIG_PROFILE: Final = "--config-profile"
ENDPOINT: Final = "--endpoint"
NO_VERIFY: Final = "--no-verify-ssl"
NO_TPM_PASSWORD: Final = "--no-tpm-key-password"  # noqa: S105  # a flag's name
SECRETS: Final = ("--pkcs8-password", "--pkcs11-pin", "--tpm-key-password")
FROM_ENV: Final = "-env"
FROM_FILE: Final = "-file"


def _secret(flag: str, what: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (
            flag,
            "SECRET",
            (
                f"{what}. Every user of this machine can read a running command's arguments:"
                " prefer one of the next two"
            ),
        ),
        (flag + FROM_ENV, "NAME", "the same, read from the environment variable NAME"),
        (flag + FROM_FILE, "FILE", "the same, read from a file (the last line break is dropped)"),
    )


# Heading → (flag, what stands for its value or None for a switch, help). A % is written twice.
FLAGS: Final[dict[str, tuple[tuple[str, str | None, str], ...]]] = {
    "who you are": (
        (
            "--certificate",
            "FILE",
            "the end-entity certificate: PEM, DER or PKCS #12, or a pkcs11: URI",
        ),
        (
            "--private-key",
            "FILE",
            (
                "its private key: a file, a pkcs11: URI, or handle:0x… of a TPM;"
                " left out if it stands with the certificate"
            ),
        ),
        ("--intermediates", "FILE", "the intermediate certificates, in any order"),
    ),
    "what you ask for": (
        ("--trust-anchor-arn", "ARN", "the trust anchor"),
        ("--profile-arn", "ARN", "the IAM Roles Anywhere profile"),
        ("--role-arn", "ARN", "the role, with its path"),
        (
            "--session-duration",
            "SECONDS",
            "900 to 43200; the profile's own duration holds when left out",
        ),
        (
            "--role-session-name",
            "NAME",
            (
                "the role session's name, if the profile accepts one;"
                " the certificate's serial number when left out"
            ),
        ),
    ),
    "where the call goes": (
        ("--region", "REGION", "the trust anchor's Region when left out"),
        (ENDPOINT, "URL", "in place of AWS's own endpoint"),
        (
            NO_VERIFY,
            None,
            (
                "do not check the endpoint's TLS certificate; whoever is on the way can then read"
                " the credentials"
            ),
        ),
        ("--with-proxy", None, "changes nothing: HTTPS_PROXY and NO_PROXY are always honoured"),
    ),
    "encrypted keys, tokens and TPMs": (
        *_secret("--pkcs8-password", "the passphrase of an encrypted key or PKCS #12 file"),
        *_secret("--pkcs11-pin", "the user PIN of a PKCS #11 token"),
        ("--pkcs11-lib", "FILE", "the token's PKCS #11 library; p11-kit's proxy when left out"),
        (
            "--reuse-pin",
            None,
            "changes nothing: a key that wants the PIN for each signature gets the same one",
        ),
        *_secret("--tpm-key-password", "the password of a TPM key"),
        (NO_TPM_PASSWORD, None, "the TPM key has no password, whatever the environment says"),
        ("--tpm-tcti", "TCTI", "how to reach the TPM, such as device:/dev/tpmrm0"),
    ),
    "a certificate chosen from many": (
        (
            SELECTOR,
            "SELECTOR",
            (
                "'Key=x509Subject,Value=CN=web Key=x509Issuer,Value=CN=CA Key=x509Serial,Value=1F',"
                " or file://FILE with the same as JSON; whole names, as read-certificate-data has"
                " them"
            ),
        ),
        (STORE, "PLACE", f"where {SELECTOR} looks: a folder of files, or a pkcs11: URI"),
        (LATEST, None, "if several match, take the one that expires last"),
        (STORE_NAME, "NAME", "accepted and ignored: of Windows certificate stores"),
        (STORE_LOCATION, "NAME", "likewise"),
    ),
    "settings and messages": (
        (
            CONFIG_PROFILE,
            "NAME",
            (
                "take what is not given here from the rolesanywhere_… keys of this profile of the"
                " AWS config file"
            ),
        ),
        ("--debug", None, "tell on stderr what is done; no secret is in it"),
    ),
}

# Those that say nothing about certificate and key.
OF_THE_CALL: Final = ("what you ask for", "where the call goes")

TAKES_VALUE: Final = {
    flag: metavar is not None for group in FLAGS.values() for flag, metavar, _ in group
}

# Those that the helper refuses together (its cmd/credentials.go), and ours. A secret's other forms
# count as the secret.
EXCLUSIVE: Final = (
    ("--certificate", SELECTOR),
    ("--certificate", STORE_NAME),
    ("--certificate", STORE_LOCATION),
    ("--private-key", SELECTOR),
    ("--private-key", STORE_NAME),
    ("--private-key", STORE_LOCATION),
    ("--private-key", LATEST),
    (LATEST, "--intermediates"),
    (LATEST, "--reuse-pin"),
    (SELECTOR, "--intermediates"),
    (SELECTOR, "--reuse-pin"),
    (STORE_NAME, "--reuse-pin"),
    (STORE_LOCATION, "--reuse-pin"),
    ("--tpm-key-password", SELECTOR),
    ("--tpm-key-password", "--reuse-pin"),
    (NO_TPM_PASSWORD, SELECTOR),
    (NO_TPM_PASSWORD, "--tpm-key-password"),
    ("--pkcs8-password", "--tpm-key-password"),
    ("--certificate", STORE),
    ("--private-key", STORE),
)


def read_plainly(argv: Sequence[str], more: Mapping[str, bool]) -> dict[str, str] | None:
    """The flags in `argv`, if it is nothing but known flags, each given once.

    For anything else (help, a mistake, a repeated flag) it gives None, and the parser is asked.

    Args:
        argv: without the program's and the command's name.
        more: the command's own flags, and whether they take a value.

    Returns:
        Flag → value; "" for a switch.
    """
    given: dict[str, str] = {}
    words = list(argv)
    while words:
        flag, equals, value = words.pop(0).partition("=")
        takes = TAKES_VALUE.get(flag, more.get(flag))
        if takes is None or flag in given or (equals and not takes):
            return None
        if takes and not equals:
            if not words or words[0].startswith("-"):
                return None
            value = words.pop(0)
            while flag == SELECTOR and words and not words[0].startswith("-"):
                value += f" {words.pop(0)}"
        given[flag] = value
    return given


def conflict(given: Iterable[str]) -> tuple[str, str] | None:
    """The first two of these flags that exclude each other; None if there are none."""
    # Whether by value, by variable or by file: it is the same secret.
    kinds = {next((base for base in SECRETS if flag in forms(base)), flag): flag for flag in given}
    for one, other in EXCLUSIVE:
        if one in kinds and other in kinds:
            return kinds[one], kinds[other]
    return None


def forms(secret: str) -> tuple[str, str, str]:
    """The flags that can bring the same secret."""
    return secret, secret + FROM_ENV, secret + FROM_FILE


def settings_of(given: Mapping[str, str]) -> dict[str, str]:
    """The flags that stand for settings, with their values as the settings have them."""
    flags = {setting.flag for setting in SETTINGS if setting.flag}
    values = {flag: value for flag, value in given.items() if flag in flags and value}
    endpoint = values.get(ENDPOINT, "")
    if endpoint and "://" not in endpoint:
        # AWS's helper takes a bare host name, and speaks TLS to it.
        values[ENDPOINT] = f"https://{endpoint}"
    return values
