"""From the flags of a command to settings, sources and secrets.

`boto_rolesanywhere.composition` puts the call together from these.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import (
    Inputs,
    follow_roles,
    pass_over_unparseable,
    read_section,
    remedy_of_nothing,
    require_followed,
)
from boto_rolesanywhere.settings.names import (
    CERTIFICATE,
    PKCS11_MODULE,
    PREFIX,
    PRIVATE_KEY,
)
from boto_rolesanywhere.settings.passphrases import configured_secret, read_secret_file
from boto_rolesanywhere.settings.sources import Secret

from . import flag_table
from .cached_answer import store_contents, store_fingerprint
from .flag_table import CONFIG_PROFILE, FROM_ENV, FROM_FILE, NO_TPM_PASSWORD, SECRETS
from .flags import given_flags
from .outcome import AWS_PROFILE_ELSEWHERE, PROGRAM
from .prompt import asked_secret

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from botocore.session import Session

    from boto_rolesanywhere.composition import Issuer
    from boto_rolesanywhere.credentials.cache import Created
    from boto_rolesanywhere.identity.opening import Access
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.names import Found, Setting
    from boto_rolesanywhere.settings.sources import IdentitySources

_NO_ARGUMENTS: Final = (
    "In ~/.aws/config, a line that is continued with a backslash delivers no arguments: write"
    " credential_process on one line. For an example see --help."
)


# A certificate store is read by `issuer_from`; botocore's log is a part of what --debug shows.
_OTHERWISE: Final = (flag_table.SELECTOR, flag_table.STORE, flag_table.NO_VERIFY, "--debug")


def inputs_from(
    arguments: argparse.Namespace, *, environ: Mapping[str, str] | None = None
) -> Inputs:
    """Where to look for the settings of a command.

    Flags beat the environment, which beats the profile of --config-profile; no other profile
    counts.
    """
    flags = given_flags(arguments)
    inputs = bare_inputs(flags, os.environ if environ is None else environ)
    inputs = follow_roles(inputs._replace(bare=not getattr(arguments, "words", flags)))
    if flag_table.SELECTOR not in flags:
        return inputs._replace(arguments=_arguments(flags, inputs, None))
    contents = store_contents(flags)
    module = store_access(flags, inputs).pkcs11_module or ""
    return inputs._replace(
        arguments=_arguments(flags, inputs, contents),
        cached_as=store_fingerprint(flags, contents, module) if contents is not None else None,
    )


def arguments_from(flags: Mapping[str, str], environ: Mapping[str, str]) -> Arguments:
    """The settings that are no text: the passphrase, and the choice of --cert-selector."""
    inputs = bare_inputs(flags, environ)
    return _arguments(flags, inputs, None)


def section_of(flags: Mapping[str, str]) -> dict[str, str]:
    """The texts in the profile of --config-profile; empty without the flag."""
    section = bare_inputs(flags, {}).section
    return {key: value for key, value in section.items() if isinstance(value, str)}


def session_of(profile: str | None) -> Session:
    """A botocore session; a variable of AWS's that is empty counts as not set."""
    from botocore.session import Session

    from boto_rolesanywhere.settings.botocore_variables import without_empty_variables

    return without_empty_variables(Session(profile=profile))


def config_from(inputs: Inputs) -> Config:
    """All settings, checked."""
    from boto_rolesanywhere.composition import config_of

    config = config_of(inputs)
    if config is not None:
        return config
    if inputs.profile_name is not None:
        require_followed(inputs)
        raise ConfigurationError(
            f"the profile {inputs.profile_name!r} has no {PREFIX}… settings",
            code="settings-missing",
            where=CONFIG_PROFILE,
            remedy=remedy_of_nothing(inputs)
            or f"`{PROGRAM} configure --profile {inputs.profile_name}` writes them.",
        )
    nothing = "nothing is configured for IAM Roles Anywhere"
    raise ConfigurationError(
        f"no arguments were given, and {nothing}" if inputs.bare else nothing,
        code="settings-missing",
        expected="--certificate, --private-key, --trust-anchor-arn, --profile-arn and"
        f" --role-arn, or {CONFIG_PROFILE}",
        remedy=_remedy(inputs),
    )


def _remedy(inputs: Inputs) -> str | None:
    if inputs.environ.get("AWS_PROFILE") or inputs.environ.get("AWS_DEFAULT_PROFILE"):
        return AWS_PROFILE_ELSEWHERE
    if not inputs.bare:
        return None
    from boto_rolesanywhere.settings.process_line import torn_line

    place = torn_line(inputs.environ)
    return f"{_NO_ARGUMENTS} It is {place}." if place else _NO_ARGUMENTS


def issuer_from(arguments: argparse.Namespace, inputs: Inputs | None = None) -> Issuer:
    """The issuer of the flags' sessions; it opens nothing before the first call."""
    from boto_rolesanywhere.composition import Issuer
    from boto_rolesanywhere.create_session.trust import trust_of_the_command

    inputs = inputs or inputs_from(arguments)
    return Issuer(
        config_from(inputs),
        inputs.session,
        verify=False if arguments.no_verify_ssl else trust_of_the_command(inputs.session),
        cached_as=inputs.cached_as,
    )


def created_from(arguments: argparse.Namespace) -> Created:
    """A session that the flags ask for, and the key to cache it under."""
    return _created_directly(arguments) or issuer_from(arguments).create_keyed()


def _created_directly(arguments: argparse.Namespace) -> Created | None:
    """The same without botocore; None where botocore has to read settings or make the call."""
    from boto_rolesanywhere.create_session.direct import create_directly

    flags = given_flags(arguments)
    if any(flag in flags for flag in _OTHERWISE):
        return None
    return create_directly(
        lambda found: Arguments(passphrase=_passphrase(flags, os.environ, found)),
        flag_table.settings_of(flags, os.environ),
        flags.get(CONFIG_PROFILE) or None,
        os.environ,
    )


def sources_from(
    arguments: argparse.Namespace, *, environ: Mapping[str, str] | None = None
) -> IdentitySources:
    """Certificate, key and chain alone, unopened.

    If only a key is given, the certificate is looked for beside the key.
    """
    inputs = inputs_from(arguments, environ=environ)
    found = inputs.found()
    if CERTIFICATE not in found:
        if PRIVATE_KEY not in found:
            raise ConfigurationError(
                "neither a certificate nor a private key was given",
                code="settings-missing",
                expected=f"--certificate, --private-key, --cert-selector or {CONFIG_PROFILE}",
            )
        found[CERTIFICATE] = found[PRIVATE_KEY]
    return inputs.sources(found)


def secret_from(flags: Mapping[str, str], environ: Mapping[str, str]) -> Secret | None:
    """The passphrase, PIN or password that a flag gives or names."""
    forms = [flag for base in SECRETS for flag in flag_table.forms(base) if flags.get(flag)]
    if len(forms) > 1:
        raise ConfigurationError(
            f"{' and '.join(forms)} were given",
            code="flags-exclusive",
            expected="one passphrase, PIN or password",
        )
    if not forms:
        return Secret("", NO_TPM_PASSWORD) if NO_TPM_PASSWORD in flags else None
    flag, value = forms[0], flags[forms[0]]
    if flag.endswith(FROM_ENV):
        if value not in environ:
            raise ConfigurationError(
                "the environment variable that it names is not set",
                code="variable-not-set",
                where=flag,
                remedy="The flag takes a variable's name, not the secret itself.",
            )
        return Secret(environ[value], f"{flag} {value}")
    if flag.endswith(FROM_FILE):
        return Secret(lambda: read_secret_file(value, flag), f"{flag} {value}", file=value)
    return Secret(value, flag)


def bare_inputs(flags: Mapping[str, str], environ: Mapping[str, str]) -> Inputs:
    """The inputs without what a selector chooses and without the passphrase."""
    profile = flags.get(CONFIG_PROFILE) or None
    session = session_of(profile)
    if profile is None:
        pass_over_unparseable(session)
    # Also without --config-profile: botocore takes its own options for the call from a profile.
    section = read_section(session, by_flag=profile is not None)
    return Inputs(
        session=session,
        arguments=Arguments(),
        environ=environ,
        section={} if profile is None else section,
        profile_name=profile,
        flags=flag_table.settings_of(flags, environ),
    )


def _arguments(
    flags: Mapping[str, str], inputs: Inputs, contents: dict[str, bytes | None] | str | None
) -> Arguments:
    if flag_table.STORE in flags and flag_table.SELECTOR not in flags:
        raise ConfigurationError(
            "it is given without --cert-selector, which chooses from it",
            code="store-incomplete",
            where=flag_table.STORE,
            remedy="`boto-rolesanywhere read-certificate-data --cert-store …` lists what is there.",
        )
    secret = _passphrase(flags, inputs.environ, inputs.found())
    if flag_table.SELECTOR not in flags:
        return Arguments(passphrase=secret)
    from .store.certificate_store import arguments_of, choose

    chosen = choose(
        flags[flag_table.SELECTOR],
        flags.get(flag_table.STORE),
        store_access(flags, inputs),
        latest=flag_table.LATEST in flags,
        contents=contents if isinstance(contents, dict) else None,
    )
    return {"passphrase": secret, **arguments_of(chosen)}


def _passphrase(
    flags: Mapping[str, str], environ: Mapping[str, str], found: Mapping[Setting, Found]
) -> Secret | None:
    """What a flag gives or names, or whoever sits at the terminal; None if a setting names it."""
    secret = secret_from(flags, environ)
    if secret is None and configured_secret(found, environ) is None:
        secret = asked_secret()
    return secret


def store_access(flags: Mapping[str, str], inputs: Inputs) -> Access:
    """What opens a certificate store: passphrase or PIN, and the PKCS #11 library."""
    secret = secret_from(flags, inputs.environ)
    return access_with(secret, inputs.found(), inputs.environ)


def access_with(
    secret: Secret | None, found: Mapping[Setting, Found], environ: Mapping[str, str]
) -> Access:
    """Secret and library: the secret is `secret`, or configured, or asked for at a terminal."""
    from boto_rolesanywhere.identity.opening import Access

    secret = secret or configured_secret(found, environ) or asked_secret()
    return Access(secret, str(found[PKCS11_MODULE].value) if PKCS11_MODULE in found else None)
