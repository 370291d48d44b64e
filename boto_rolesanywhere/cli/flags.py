"""The flags that all commands take: declaring them, and what they come to.

`config_from` gives the settings, `creator_from` the call, `credentials_from` credentials that renew
themselves; `prepare` comes first. Names and help texts are in `flag_table`, the choice of a
certificate by ``--cert-selector`` in `boto_rolesanywhere.cli.store.certificate_store`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.redaction import printable
from boto_rolesanywhere.settings.names import PKCS11_MODULE, PREFIX, gather

from . import flag_table
from .flag_table import CONFIG_PROFILE, FROM_ENV, FROM_FILE, NO_TPM_PASSWORD, NO_VERIFY, SECRETS
from .outcome import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    import botocore.session
    from botocore.exceptions import ConfigParseError

    from boto_rolesanywhere.create_session.client import SessionCreator
    from boto_rolesanywhere.credentials.refreshing import SessionCredentials
    from boto_rolesanywhere.errors import ConfigurationError
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.sources import IdentitySources, Secret

# AWS's helper, like every Go program, takes a switch in this form too.
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}
_NOTHING: Final = (
    "In ~/.aws/config, a line that is continued with a backslash delivers no arguments: write"
    " credential_process on one line. For an example see --help."
)


def add_flags(parser: argparse.ArgumentParser, *, calls: bool = True) -> None:
    """Declare the flags of certificate, key and call, in their groups.

    Args:
        parser: the command's.
        calls: whether the command calls AWS. One that does not takes those of the call too, so
            that a command line can be tried, but its help does not show them.
    """
    parser.usage = "%(prog)s [flags]"
    for heading, rows in flag_table.FLAGS.items():
        hidden = heading in flag_table.OF_THE_CALL and not calls
        group = parser if hidden else parser.add_argument_group(heading)
        for flag, metavar, shown in rows:
            text = argparse.SUPPRESS if hidden else shown
            if metavar is None:
                add_switch(group, flag, text)
            elif flag == flag_table.SELECTOR:
                # Unquoted, as AWS's documentation shows it, it comes in several words.
                group.add_argument(flag, metavar=metavar, nargs="+", help=text)
            else:
                group.add_argument(flag, metavar=metavar, help=text)


def add_switch(group: argparse._ActionsContainer, flag: str, text: str) -> None:
    """Declare ``--flag``, which may also be written ``--flag=true``."""
    group.add_argument(flag, action="store_true", help=text)
    for word, value in _WORDS.items():
        group.add_argument(
            f"{flag}={word}",
            dest=flag[2:].replace("-", "_"),
            action="store_const",
            const=value,
            help=argparse.SUPPRESS,
        )


def given_flags(arguments: argparse.Namespace) -> dict[str, str]:
    """The flags that were given, with their values; a switch has an empty one.

    Raises:
        ConfigurationError: two were given that exclude each other.
    """
    given: dict[str, str] = {}
    for flag in flag_table.TAKES_VALUE:
        value: object = getattr(arguments, flag[2:].replace("-", "_"), None)
        if isinstance(value, list):
            value = " ".join(value)
        if value is not None and value is not False:
            given[flag] = "" if value is True else str(value)
    if pair := flag_table.conflict(given):
        raise _refusal(
            f"{pair[0]} and {pair[1]} were both given, and exclude each other",
            remedy="Leave one of them out.",
        )
    return given


class _Printable(logging.Formatter):
    """Escapes what could forge a line or steer the terminal, in other packages' messages too."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  # logging's
        # A traceback keeps its lines; none begins where a message does.
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {printable(line)}" for line in lines)


def prepare(arguments: argparse.Namespace) -> None:
    """Set up messages on stderr: warnings, and with ``--debug`` everything. Call it first."""
    handler = logging.StreamHandler(sys.stderr)
    if arguments.debug:
        handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    else:
        handler.setFormatter(_Printable(f"{PROGRAM}: %(message)s"))
        logger = logging.getLogger("boto_rolesanywhere")
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
    if arguments.no_verify_ssl:
        import warnings

        from urllib3.exceptions import InsecureRequestWarning

        # Ours says it once, in one line; urllib3's would come at each call, with a line of code.
        warnings.simplefilter("ignore", InsecureRequestWarning)
        logging.getLogger("boto_rolesanywhere.cli").warning(
            "%s: the endpoint's TLS certificate is not checked; whoever is on the way can read the"
            " credentials.",
            NO_VERIFY,
        )


def config_from(
    arguments: argparse.Namespace, *, environ: Mapping[str, str] | None = None
) -> Config:
    """The settings: flags beat the environment, and this beats the profile of --config-profile.

    Args:
        arguments: as the parser gave them.
        environ: in place of the process's environment.

    Raises:
        ConfigurationError: settings are missing, wrong or exclude each other.
        CertificateError, KeyDeviceError: the certificate store cannot be searched.
    """
    from boto_rolesanywhere.settings.config import resolve, warn_of_misspelt

    env = os.environ if environ is None else environ
    given = given_flags(arguments)
    profile_name, section = section_of(given, env)
    config = resolve(
        arguments_from(given, env),
        environ=env,
        section=section,
        profile_name=profile_name,
        by_flag=True,
    )
    if config is None and given.get(CONFIG_PROFILE):
        raise _refusal(
            f"the profile {profile_name!r} has no {PREFIX}… keys",
            where=CONFIG_PROFILE,
            remedy=f"`{PROGRAM} configure --profile` writes them.",
        )
    if config is None:
        elsewhere = f"AWS_PROFILE does not count here: {CONFIG_PROFILE} does."
        raise _refusal(
            "no arguments were given, and nothing is configured for IAM Roles Anywhere",
            expected="--certificate, --private-key, --trust-anchor-arn, --profile-arn and"
            f" --role-arn, or {CONFIG_PROFILE}",
            remedy=elsewhere if env.get("AWS_PROFILE") else _NOTHING,
        )
    warn_of_misspelt(section, profile_name)
    return config


def arguments_from(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, object]:
    """What `given_flags` gave, by the names of `get_session`'s arguments.

    Raises:
        ConfigurationError: what unlocks the key is given twice, or is not there.
        CertificateError, KeyDeviceError: the certificate store cannot be searched.
    """
    return {**flag_table.as_arguments(given), **_identity_arguments(given, environ)}


def sources_from(
    arguments: argparse.Namespace, *, environ: Mapping[str, str] | None = None
) -> IdentitySources:
    """Certificate, key and chain alone, from where `config_from` takes them.

    Where there is a key and no certificate, the certificate is looked for with the key.

    Raises:
        ConfigurationError, CertificateError, KeyDeviceError: as `config_from`.
    """
    from boto_rolesanywhere.settings.config import identity_sources
    from boto_rolesanywhere.settings.names import CERTIFICATE, PRIVATE_KEY

    env = os.environ if environ is None else environ
    given = given_flags(arguments)
    profile_name, section = section_of(given, env)
    settings = arguments_from(given, env)
    found = gather(settings, env, section, profile_name=profile_name, by_flag=True)
    if CERTIFICATE not in found:
        if PRIVATE_KEY not in found:
            raise _refusal(
                "neither a certificate nor a private key was given",
                expected=f"--certificate, --private-key, --cert-selector or {CONFIG_PROFILE}",
            )
        found[CERTIFICATE] = found[PRIVATE_KEY]
    return identity_sources(found, settings, env)


def creator_from(
    arguments: argparse.Namespace,
    config: Config | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> SessionCreator:
    """The CreateSession call that the flags describe. Certificate and key are opened by the call.

    Args:
        arguments: as the parser gave them.
        config: what `config_from` gave, changed where a command has reasons to; None asks it.
        environ: in place of the process's environment.

    Raises:
        ConfigurationError, CertificateError, KeyDeviceError: as `config_from`.
    """
    from boto_rolesanywhere.clock import utc_now
    from boto_rolesanywhere.create_session.client import SessionCreator
    from boto_rolesanywhere.identity.rotation import RotatingIdentity

    config = config or config_from(arguments, environ=environ)
    return SessionCreator(
        config,
        RotatingIdentity(config.sources, utc_now),
        verify=False if arguments.no_verify_ssl else None,
        botocore_session=_botocore_session(arguments.config_profile),
    )


def credentials_from(
    arguments: argparse.Namespace,
    config: Config | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> SessionCredentials:
    """Credentials that renew themselves, for a program that goes on running.

    The first CreateSession is made at the first use. Takes and raises the same as `creator_from`.
    """
    from boto_rolesanywhere.credentials.refreshing import SessionCredentials

    creator = creator_from(arguments, config, environ=environ)
    return SessionCredentials(creator.create, account_id=creator.config.role.account)


def _identity_arguments(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, object]:
    secret = secret_from(given, environ)
    arguments: dict[str, object] = {} if secret is None else {"passphrase": secret}
    if flag_table.STORE in given and flag_table.SELECTOR not in given:
        raise _refusal(
            "it is given without --cert-selector, so that nothing is chosen from it",
            where=flag_table.STORE,
            remedy="`boto-rolesanywhere read-certificate-data --cert-store …` lists what is there.",
        )
    if flag_table.SELECTOR in given:
        from boto_rolesanywhere.cli.store.certificate_store import choose

        store_secret, module = store_access(given, environ)
        arguments |= choose(
            given[flag_table.SELECTOR],
            given.get(flag_table.STORE),
            latest=flag_table.LATEST in given,
            secret=store_secret,
            pkcs11_module=module,
        )
    return arguments


def store_access(
    given: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[Secret | None, str | None]:
    """What opens a certificate store: passphrase or PIN, and the PKCS #11 library.

    Raises:
        ConfigurationError: as `secret_from`; or there is no such profile.
    """
    from boto_rolesanywhere.settings.config import configured_secret

    profile_name, section = section_of(given, environ)
    found = gather(flag_table.as_arguments(given), environ, section, profile_name=profile_name)
    secret = secret_from(given, environ) or configured_secret(found, environ)
    return secret, str(found[PKCS11_MODULE].value) if PKCS11_MODULE in found else None


def secret_from(given: Mapping[str, str], environ: Mapping[str, str]) -> Secret | None:
    """The passphrase, PIN or password that a flag gives or names.

    Raises:
        ConfigurationError: there are several, or the variable named is not set.
    """
    from boto_rolesanywhere.settings.config import read_secret_file
    from boto_rolesanywhere.settings.sources import Secret

    forms = [flag for base in SECRETS for flag in flag_table.forms(base) if given.get(flag)]
    if len(forms) > 1:
        raise _refusal(
            f"{' and '.join(forms)} were given", expected="one passphrase, PIN or password"
        )
    if not forms:
        return Secret("", NO_TPM_PASSWORD) if NO_TPM_PASSWORD in given else None
    flag, value = forms[0], given[forms[0]]
    if flag.endswith(FROM_ENV):
        if value not in environ:
            raise _refusal(f"the environment variable {value} is not set", where=flag)
        return Secret(environ[value], f"{flag} {value}")
    if flag.endswith(FROM_FILE):
        return Secret(lambda: read_secret_file(value, flag), f"{flag} {value}", file=value)
    return Secret(value, flag)


def section_of(
    given: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str | None, Mapping[str, str]]:
    """The profile's name, and its keys; neither without --config-profile."""
    from boto_rolesanywhere.settings.profile_reader import read_profile

    name = given.get(CONFIG_PROFILE)
    if not name:
        return None, {}
    _botocore_session(name)  # for its words about a profile that is not there
    return name, read_profile(name, environ) or {}


def _botocore_session(profile: str | None) -> botocore.session.Session:
    """Whose config file and profile count for the call, in all that botocore itself configures.

    Raises:
        ConfigurationError: there is no such profile, or the file cannot be read.
    """
    from botocore.exceptions import ConfigParseError, ProfileNotFound
    from botocore.session import Session

    session = Session(profile=profile or None)
    place = CONFIG_PROFILE if profile else "AWS_PROFILE"
    try:
        session.get_scoped_config()
    except ConfigParseError as error:
        raise unparseable(error) from None
    except ProfileNotFound:
        profiles: Mapping[str, Mapping[str, object]] = session.full_config["profiles"]
        ours = [name for name, section in profiles.items() if any(map(_is_ours, section))]
        raise _refusal(
            f"there is no profile {session.profile!r} in the AWS config file",
            where=place,
            remedy=f"Those with {PREFIX}… keys are: {', '.join(ours) or 'none'}.",
        ) from None
    return session


def unparseable(error: ConfigParseError) -> ConfigurationError:
    """What to say of an AWS config or credentials file that botocore cannot read.

    What is in the line stays unsaid: it may be a secret.
    """
    cause = error.kwargs.get("error")
    # Of configparser, one names all lines that it cannot read, the others the first.
    wrong = getattr(cause, "errors", None)
    line = wrong[0][0] if wrong else getattr(cause, "lineno", None)
    return _refusal(
        "it cannot be read as an INI file",
        where=f"{error.kwargs['path']}" + (f", line {line}" if line else ""),
        expected="[sections] with lines of key = value, each section and key once",
    )


def _is_ours(key: str) -> bool:
    return key.startswith(PREFIX)


def _refusal(
    what: str, *, where: str | None = None, expected: str | None = None, remedy: str | None = None
) -> ConfigurationError:
    from boto_rolesanywhere.errors import ConfigurationError

    return ConfigurationError(what, where=where, expected=expected, remedy=remedy)
