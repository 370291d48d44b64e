"""``configure``: a profile of the AWS config file, asked for, checked and written."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flag_table import (
    CONFIG_PROFILE,
    FROM_ENV,
    FROM_FILE,
    NO_VERIFY,
    SECRETS,
    SELECTOR,
    STORE,
    settings_of,
)
from boto_rolesanywhere.cli.flags import add_flags, given_flags, prepare
from boto_rolesanywhere.cli.inputs import config_from, inputs_from, section_of, session_of
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK, PROGRAM, complain, own_program
from boto_rolesanywhere.cli.questions import NO_PIN, Questions, answered
from boto_rolesanywhere.cli.refusals import require_no_pin
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import ConfigurationError, PassphraseError, RolesAnywhereError
from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.inputs import line_of, read_section
from boto_rolesanywhere.settings.places import home_path, is_device
from boto_rolesanywhere.settings.process_words import not_read
from boto_rolesanywhere.settings.profile_reader import read_profile

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from botocore.session import Session

    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.process_line import ProcessLine

_DESCRIPTION: Final = """\
Write a profile of ~/.aws/config (or AWS_CONFIG_FILE) for IAM Roles Anywhere.

At a terminal, the command asks for what no flag gives. Before it writes, it checks the ARNs,
that they belong together, the certificate, and that the private key is the certificate's. In a
profile that exists it replaces the rolesanywhere_… settings; the rest of the file stays byte for
byte. It writes no secret: the profile names the file or variable that holds the passphrase.

The profile gets the Region, if it has none, and rolesanywhere_… settings, which Python programs
read through this package. With --credential-process it gets a line that the AWS CLI and every
other SDK runs.

With --config-profile, the command copies from that profile what no flag gives, or the line names
that profile. It may be the profile that the command writes.

With --from-profile, the settings come from that profile's credential_process line, be it ours or
that of AWS's aws_signing_helper; the line itself stays."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere configure --profile onprem

  boto-rolesanywhere configure --from-profile onprem

  boto-rolesanywhere configure --profile onprem --credential-process \\
    --certificate cert.pem --private-key key.pem \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN"""

_SELECTOR_FILE: Final = "file://"
_NAMED: Final = (FROM_FILE, FROM_ENV)
_PASSPHRASE: Final = (names.PASSPHRASE_FILE, names.PASSPHRASE_ENV)
_CONFIG_FILE: Final = "AWS_CONFIG_FILE"
_not_storable: Final = partial(ConfigurationError, code="setting-not-storable")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--profile", metavar="NAME", help="to write (default: that of --from-profile, else default)"
    )
    group.add_argument(
        "--from-profile", metavar="NAME", help="whose credential_process line is made settings"
    )
    add_switch(group, "--credential-process", "write a credential_process line instead of settings")


def run(arguments: argparse.Namespace) -> int:
    """Ask, check, write."""
    prepare(arguments)
    # Files that botocore cannot parse are refused before they are written, or anything is asked.
    read_section(session_of(None), "default")
    if arguments.profile is None:
        arguments.profile = arguments.from_profile or "default"
    if arguments.from_profile is not None:
        _take_line(arguments)
    flags = given_flags(arguments)
    if not flags and not sys.stdin.isatty():
        raise ConfigurationError(
            "no arguments were given, and there is no terminal at which to ask for them",
            code="settings-missing",
            expected="--certificate, --private-key, --trust-anchor-arn, --profile-arn and"
            " --role-arn",
        )
    section = section_of(flags)
    _require_storable(arguments, flags, section)
    present = read_profile(arguments.profile, os.environ) or {}
    questions = Questions(_given(flags, section), present)
    try:
        if sys.stdin.isatty():
            has_identity = SELECTOR in flags or names.CERTIFICATE.config_key in section
            questions.ask(has_identity=has_identity)
            questions.give(arguments)
        config = _check(arguments, section)
    except (RolesAnywhereError, KeyboardInterrupt):
        if questions.answers:
            sys.stderr.write("\n")
            complain(f"nothing was written. To go on: {questions.command(arguments.profile)}")
        raise
    flags = given_flags(arguments)
    values = _values(flags, section)
    if arguments.credential_process:
        values = {"credential_process": _command(flags, values)}
    # For boto3 and the AWS CLI, which need a Region.
    region = {} if present.get("region") else {"region": config.region}
    _write(arguments.profile, region | values, present)
    return OK


def _require_storable(
    arguments: argparse.Namespace, flags: Mapping[str, str], section: Mapping[str, str]
) -> None:
    for flag in SECRETS:
        if flags.get(flag):
            raise _secret(flag, flag)
    for flag in ("--certificate", "--private-key", "--intermediates", STORE):
        require_no_pin(flags.get(flag, ""), flag, NO_PIN)
    for setting in (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN):
        if not arguments.credential_process:
            require_no_pin(section.get(setting.config_key, ""), setting.config_key, NO_PIN)
    for flag in (NO_VERIFY, SELECTOR):
        if flag in flags and not arguments.credential_process:
            raise _not_storable(
                "a profile has no setting for it",
                where=flag,
                expected="--credential-process with it",
            )
    if not arguments.profile:
        raise ConfigurationError(
            "it is empty", code="setting-not-text", where="--profile", expected="a profile's name"
        )


def _secret(flag: str, where: str) -> ConfigurationError:
    return _not_storable(
        "its value is not written to a file",
        where=where,
        expected=f"{flag}{FROM_FILE} or {flag}{FROM_ENV}",
    )


def _take_line(arguments: argparse.Namespace) -> None:
    """Set what the profile's credential_process line gives as if its flags had been given."""
    name = arguments.from_profile
    session = session_of(name)
    section = read_section(session, by_flag=True)
    line = line_of(session, name, section)
    if line is None and (reason := not_read(section.get("credential_process"))):
        raise _not_storable(
            reason[0], where=f"credential_process of profile {name!r}", remedy=reason[1]
        )
    if line is None:
        raise ConfigurationError(
            f"profile {name!r} has no credential_process of this program or of aws_signing_helper",
            code="settings-missing",
            where="--from-profile",
        )
    if line.secret is not None:
        raise _secret(line.secret[0], f"{line.secret[0]} of credential_process")
    if line.others:
        raise _not_storable(
            "a profile has no setting for it",
            where=f"{' and '.join(line.others)} of credential_process",
            remedy="Remove it from the line, or leave the line as it is.",
        )
    for change in (*line.variables, *filter(None, [line.around])):
        complain(f"{change} of credential_process has no part in what is written")
    taken = {
        **line.values,
        **_choice(arguments, line, session),
        f"{SECRETS[0]}{FROM_FILE}": line.secret_file,
        f"{SECRETS[0]}{FROM_ENV}": line.secret_variable,
        CONFIG_PROFILE: line.config_profile,
    }
    for flag, value in taken.items():
        place = flag[2:].replace("-", "_")
        if value is not None and not getattr(arguments, place):
            setattr(arguments, place, value or True)  # a switch has no value


def _choice(arguments: argparse.Namespace, line: ProcessLine, session: Session) -> dict[str, str]:
    """The flags that choose from a store; where settings are written, those of what they choose."""
    if not line.selection or arguments.credential_process:
        return line.selection
    from boto_rolesanywhere.cli.store.process_choice import chosen_flags

    flags = chosen_flags(line, session, arguments.from_profile)
    complain(
        f"the settings name {flags['--certificate']}, which {SELECTOR} chooses now; to go on"
        " choosing, give --credential-process"
    )
    return flags


def _given(flags: Mapping[str, str], section: Mapping[str, str]) -> dict[str, str]:
    """The settings that need no question, by their config keys."""
    settings = dict(section)
    for setting in names.SETTINGS:
        if (value := flags.get(setting.flag or "")) is not None:
            settings[setting.config_key] = value
    return settings


def _check(arguments: argparse.Namespace, section: Mapping[str, str]) -> Config:
    """Open certificate and key; at a terminal, ask for what unlocks the key if it needs that."""
    from boto_rolesanywhere.identity.opening import open_identity

    asked = False
    while True:
        flags = given_flags(arguments)
        try:
            # Without the environment: what is written must do without it.
            environ = _named_variables(flags, section)
            config = config_from(inputs_from(arguments, environ=environ))
            open_identity(config.sources, now=utc_now())
        except (ConfigurationError, PassphraseError) as error:
            forms = [f"{flag}{form}" for flag in SECRETS for form in _NAMED]
            if asked:
                complain(f"{error} [{error.code}]")
            elif isinstance(error, ConfigurationError) or any(form in flags for form in forms):
                raise
            elif not sys.stdin.isatty():
                raise PassphraseError(
                    error.problem,
                    code="passphrase-missing",
                    where=error.where,
                    remedy=f"Say where it is, with one of {', '.join(forms)}: what is written must"
                    " do without the variables that are set now.",
                ) from None
        else:
            return config
        asked = True
        answer = answered("file with the passphrase of the private key, or $NAME of a variable: ")
        name = answer[1:] if answer.startswith("$") else None
        arguments.pkcs8_password_env = name
        arguments.pkcs8_password_file = None if name else answer


def _named_variables(flags: Mapping[str, str], section: Mapping[str, str]) -> dict[str, str]:
    variables = [flags.get(f"{secret}{FROM_ENV}", "") for secret in SECRETS]
    variables += [section.get(names.PASSPHRASE_ENV.config_key, ""), _CONFIG_FILE]
    return {name: os.environ[name] for name in variables if name in os.environ}


def _values(flags: Mapping[str, str], section: Mapping[str, str]) -> dict[str, str]:
    """The settings of the profile. Paths become absolute: a reader may run elsewhere."""
    chosen = settings_of(flags)
    unlocked = any(flags.get(f"{secret}{form}") for secret in SECRETS for form in _NAMED)
    values = {}
    for setting in names.SETTINGS:
        value = chosen.get(setting.flag or "")
        if value is not None:
            # The loader looks up a library's name without a folder.
            is_path = setting in (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN) or (
                setting is names.PKCS11_MODULE and Path(value).name != value
            )
            values[setting.config_key] = _absolute(value) if is_path else value
        elif setting.config_key in section and not (unlocked and setting in _PASSPHRASE):
            values[setting.config_key] = section[setting.config_key]
    for secret in SECRETS:
        if path := flags.get(f"{secret}{FROM_FILE}"):
            values[names.PASSPHRASE_FILE.config_key] = _absolute(path)
        if name := flags.get(f"{secret}{FROM_ENV}"):
            values[names.PASSPHRASE_ENV.config_key] = name
    return values


def _absolute(text: str) -> str:
    return text if is_device(text) else str(home_path(text).absolute())


def _command(flags: Mapping[str, str], values: Mapping[str, str]) -> str:
    words = [*own_program(), "credential-process"]
    written = {
        setting.flag: values.get(setting.config_key) for setting in names.SETTINGS if setting.flag
    }
    for flag, value in flags.items():
        words.append(flag)
        if flag == SELECTOR and value.startswith(_SELECTOR_FILE):
            words.append(_SELECTOR_FILE + _absolute(value.removeprefix(_SELECTOR_FILE)))
        elif flag == STORE or flag.endswith(FROM_FILE):
            words.append(_absolute(value))
        elif value:
            words.append(written.get(flag) or value)
    return shlex.join(words)


def _write(profile: str, values: Mapping[str, str], present: Mapping[str, str]) -> None:
    """Write the values, and remove settings that an earlier run left and this one did not check."""
    from boto_rolesanywhere.cli.passed_over import warn_if_passed_over
    from boto_rolesanywhere.settings.profile_writer import change_profile

    stale: list[str] = []
    if "credential_process" not in values:
        keys = (setting.config_key for setting in names.SETTINGS)
        stale = [key for key in keys if key in present and key not in values]
    path, title = change_profile(profile, {**values, **dict.fromkeys(stale)})
    lines = [f"{path}: wrote [{title}]"]
    lines += [f"  {key} = {value}" for key, value in values.items()]
    lines += [f"  {key} is removed" for key in stale]
    trial = f"{PROGRAM} doctor --config-profile"
    if "credential_process" in values:
        trial = "aws sts get-caller-identity --profile"
    lines.append(f"Try it: {trial} {shlex.quote(profile)}")
    sys.stdout.write("\n".join(lines) + "\n")
    warn_if_passed_over(profile)
