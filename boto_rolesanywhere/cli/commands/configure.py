"""``configure``: a profile of the AWS config file, asked for, checked and written."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flag_table import (
    FROM_ENV,
    FROM_FILE,
    NO_VERIFY,
    SECRETS,
    SELECTOR,
    STORE,
    settings_of,
)
from boto_rolesanywhere.cli.flags import (
    add_flags,
    add_switch,
    given_flags,
    prepare,
)
from boto_rolesanywhere.cli.inputs import config_from, inputs_from, section_of
from boto_rolesanywhere.cli.outcome import OK, PROGRAM, complain
from boto_rolesanywhere.cli.program import own_program
from boto_rolesanywhere.errors import ConfigurationError, PassphraseError, RolesAnywhereError
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.arns import (
    parse_profile_arn,
    parse_role_arn,
    parse_trust_anchor_arn,
)
from boto_rolesanywhere.settings.inputs import unparseable
from boto_rolesanywhere.settings.places import TOKEN, is_device, kind_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from boto_rolesanywhere.identity.files.reading import Role
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.names import Setting

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
that profile. It may be the profile that the command writes."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere configure --profile onprem

  boto-rolesanywhere configure --profile onprem --credential-process \\
    --certificate cert.pem --private-key key.pem \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN"""

# The questions in order: the setting, whether it may be left out, its check.
_QUESTIONS: Final[tuple[tuple[Setting, bool, Callable[[str], object]], ...]] = (
    (names.CERTIFICATE, False, lambda text: _require_part(text, names.CERTIFICATE, "certificate")),
    (names.PRIVATE_KEY, True, lambda text: _require_part(text, names.PRIVATE_KEY, "private key")),
    (names.CHAIN, True, lambda text: _require_part(text, names.CHAIN, "chain")),
    (names.TRUST_ANCHOR, False, parse_trust_anchor_arn),
    (names.PROFILE, False, parse_profile_arn),
    (names.ROLE, False, parse_role_arn),
)
_SELECTOR_FILE: Final = "file://"
_NAMED: Final = (FROM_FILE, FROM_ENV)
_PASSPHRASE: Final = (names.PASSPHRASE_FILE, names.PASSPHRASE_ENV)
_CONFIG_FILE: Final = "AWS_CONFIG_FILE"
_PIN: Final = "--pkcs11-pin"
_not_storable: Final = partial(ConfigurationError, code="setting-not-storable")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--profile", default="default", metavar="NAME", help="to write (default: %(default)s)"
    )
    add_switch(group, "--credential-process", "write a credential_process line instead of settings")


def run(arguments: argparse.Namespace) -> int:
    """Ask, check, write."""
    prepare(arguments)
    flags = given_flags(arguments)
    section = section_of(flags)
    _require_storable(arguments, flags, section)
    if sys.stdin.isatty():
        _ask(arguments, flags, section)
    config = _check(arguments, section)
    flags = given_flags(arguments)
    values = _values(flags, section)
    if arguments.credential_process:
        values = {"credential_process": _command(flags, values)}
    _write(arguments.profile, _region(arguments.profile, config) | values)
    return OK


def _require_storable(
    arguments: argparse.Namespace, flags: Mapping[str, str], section: Mapping[str, str]
) -> None:
    for flag in SECRETS:
        if flags.get(flag):
            raise _not_storable(
                "its value is not written to a file",
                where=flag,
                expected=f"{flag}{FROM_FILE} or {flag}{FROM_ENV}",
            )
    for flag in ("--certificate", "--private-key", "--intermediates", STORE):
        _require_no_pin(flags.get(flag, ""), flag)
    for setting in (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN):
        if not arguments.credential_process:
            _require_no_pin(section.get(setting.config_key, ""), setting.config_key)
    for flag in (NO_VERIFY, SELECTOR):
        if flag in flags and not arguments.credential_process:
            raise ConfigurationError(
                "a profile has no setting for it",
                code="setting-not-storable",
                where=flag,
                expected="--credential-process with it",
            )
    if not arguments.profile:
        raise ConfigurationError(
            "it is empty", code="setting-not-text", where="--profile", expected="a profile's name"
        )


def _require_no_pin(text: str, where: str) -> None:
    if kind_of(text) == TOKEN and parse_pkcs11_uri(text).pin_value is not None:
        raise _not_storable(
            "the PIN in it (pin-value) is not written to a file",
            where=where,
            expected=f"pin-source=file:… in its place, {_PIN}{FROM_FILE} or {_PIN}{FROM_ENV}",
        )


def _ask(
    arguments: argparse.Namespace, flags: Mapping[str, str], section: Mapping[str, str]
) -> None:
    has_identity = SELECTOR in flags or names.CERTIFICATE.config_key in section
    for setting, optional, check in _QUESTIONS:
        flag = setting.flag or ""
        if flag in flags or setting.config_key in section:
            continue
        if has_identity and setting in (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN):
            continue
        hint = " (Enter if there is none, or it is in the certificate's file)" if optional else ""
        while True:
            answer = _answer(f"{setting.title}{hint}: ")
            if not answer and optional:
                break
            try:
                check(answer)
            except RolesAnywhereError as error:
                complain(f"{error} [{error.code}]")
            else:
                setattr(arguments, flag[2:].replace("-", "_"), answer)
                break


def _check(arguments: argparse.Namespace, section: Mapping[str, str]) -> Config:
    """Open certificate and key; at a terminal, ask for what unlocks the key if it needs that."""
    from boto_rolesanywhere.clock import utc_now
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
        answer = _answer("file with the passphrase of the private key, or $NAME of a variable: ")
        name = answer[1:] if answer.startswith("$") else None
        arguments.pkcs8_password_env = name
        arguments.pkcs8_password_file = None if name else answer


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        raise KeyboardInterrupt from None  # Ctrl-D ends the command, as Ctrl-C does


def _require_part(text: str, setting: Setting, role: Role) -> None:
    """Refuse an answer that names no file, or a file that does not hold what was asked for."""
    _require_no_pin(text, setting.title)
    if is_device(text):
        return
    from boto_rolesanywhere.identity.opening import open_certificates, open_key

    try:
        if role == "private key":
            open_key(text)
        else:
            open_certificates(text, role)
    except PassphraseError:
        return  # a later question asks where the passphrase is


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
    return text if is_device(text) else str(Path(text).expanduser().absolute())


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


def _region(profile: str, config: Config) -> dict[str, str]:
    """The Region for boto3 and the AWS CLI, if the profile has none yet."""
    from boto_rolesanywhere.settings.profile_reader import read_profile

    there = read_profile(profile, os.environ) or {}
    return {} if there.get("region") else {"region": config.region}


def _write(profile: str, values: Mapping[str, str]) -> None:
    from boto_rolesanywhere.settings.profile_writer import aws_file, change_profile

    _require_readable(aws_file(_CONFIG_FILE, "~/.aws/config"))
    stale = _stale(profile, values)
    path, title = change_profile(profile, {**values, **dict.fromkeys(stale)})
    sys.stdout.write(f"{path}: wrote [{title}]\n")
    for key, value in values.items():
        sys.stdout.write(f"  {key} = {value}\n")
    for key in stale:
        sys.stdout.write(f"  {key} is removed\n")
    if "credential_process" in values:
        sys.stdout.write(f"Try it: aws sts get-caller-identity --profile {shlex.quote(profile)}\n")
    else:
        sys.stdout.write(f"Try it: {PROGRAM} doctor --config-profile {shlex.quote(profile)}\n")


def _require_readable(path: Path) -> None:
    """Refuse a file that botocore cannot read: adding a profile would not help."""
    from botocore.configloader import load_config
    from botocore.exceptions import ConfigNotFound, ConfigParseError

    try:
        load_config(str(path))
    except ConfigNotFound:
        pass  # it will be made
    except ConfigParseError as error:
        raise unparseable(error) from None


def _stale(profile: str, values: Mapping[str, str]) -> list[str]:
    """Settings that an earlier run left and that this run did not check."""
    from boto_rolesanywhere.settings.profile_reader import read_profile

    if "credential_process" in values:
        return []
    section = read_profile(profile, os.environ) or {}
    keys = (setting.config_key for setting in names.SETTINGS)
    return [key for key in keys if key in section and key not in values]
