"""Where the settings of one call are looked for, and a profile's section as botocore reads it.

`provider` makes a `Config` of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ConfigParseError, ProfileNotFound

from boto_rolesanywhere.errors import ConfigurationError, NoSuchProfileError
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import logger_of

from .config import Arguments, identity_sources, why_unset
from .names import (
    CORE,
    DURATION,
    HELPERS_DURATION,
    PASSPHRASE_ENV,
    PASSPHRASE_FILE,
    PREFIX,
    ROLE,
    gather,
)
from .passphrases import BYTE_ORDER_MARKS
from .profile_reader import profile_variable, title_of
from .role_chain import (
    SOURCE,
    assumes_role,
    chain_of,
    environ_of_source,
    has_settings,
    last_named,
)
from .sources import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    import botocore.session

    from .names import Found, Setting
    from .process_line import ProcessLine
    from .role_chain import AssumedRole
    from .sources import IdentitySources

logger = logger_of(__name__)

PROCESS: Final = "credential_process"
_OF_PASSPHRASES: Final = (PASSPHRASE_FILE.config_key, PASSPHRASE_ENV.config_key)
_SAVE_AS_UTF_8: Final = "Save the file as UTF-8 without BOM (in PowerShell: -Encoding utf8NoBOM)."
_FILES: Final = ("config_file", "credentials_file")


class Inputs(NamedTuple):
    """Where the settings of one call are looked for. Its repr shows none of them.

    Attributes:
        session: the botocore session whose profile and options hold for the call.
        arguments: of `get_session`.
        environ: the environment.
        section: the profile's, of the AWS config file.
        profile_name: the profile's name; None if no profile is read.
        flags: of the command, with their values; None if this is not the command.
        assumed: the roles that are assumed with the session, in order.
        process: where the ``credential_process`` stands whose flags these are; None for none.
        bare: whether nothing at all was given to the command.
        cached_as: stands for certificate, key and chain in the key of a cache entry, in place of
            the fingerprint of their contents; None for that fingerprint.
    """

    session: botocore.session.Session
    arguments: Arguments
    environ: Mapping[str, str]
    section: Mapping[str, object]
    profile_name: str | None
    flags: Mapping[str, str] | None = None
    assumed: tuple[AssumedRole, ...] = ()
    process: str | None = None
    bare: bool = False
    cached_as: str | None = None

    def __repr__(self) -> str:
        return f"<Inputs of profile {self.profile_name!r}>"

    def found(self) -> dict[Setting, Found]:
        """The settings that are set, each with the place where it was found."""
        return gather(
            self.arguments,
            self.environ,
            self.section,
            flags=self.flags,
            profile_name=self.profile_name,
        )

    def sources(self, found: Mapping[Setting, Found] | None = None) -> IdentitySources:
        """Certificate, key and chain alone, unopened."""
        return identity_sources(found or self.found(), self.arguments, self.environ)


def look_up(
    session: botocore.session.Session,
    *,
    arguments: Arguments | None = None,
    profile_name: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Inputs:
    """Where to look for the settings, with the config file and profile of `session`."""
    chosen = profile_name or session.get_config_variable("profile") or "default"
    inputs = Inputs(
        session=session,
        arguments=arguments or Arguments(),
        environ=os.environ if environ is None else environ,
        section=read_section(session, profile_name),
        profile_name=chosen,
    )
    return follow_roles(inputs)


def follow_roles(inputs: Inputs) -> Inputs:
    """The inputs of the source profile, if the profile assumes a role with one that is ours.

    As in botocore's chain, the role comes before the profile's other settings. Settings that were
    given directly, as arguments or flags, come before both.

    Raises:
        ConfigurationError: a role needs an MFA device.
    """
    arguments, flags = inputs.arguments, inputs.flags or {}
    is_direct = any(arguments.get(each.argument or "") or each.flag in flags for each in CORE)
    name = inputs.profile_name
    if name is None or is_direct or not assumes_role(inputs.section):
        return inputs
    chain = chain_of(inputs.session.full_config["profiles"].get, name)
    section = None if chain is None else _own_section(inputs.session, chain.source)
    if chain is None or section is None:
        return inputs
    for role in chain.roles:
        if role.mfa_serial is not None:
            raise ConfigurationError(
                "a session of IAM Roles Anywhere has no MFA device, so this role cannot be assumed",
                code="setting-invalid",
                where=f"mfa_serial of profile {role.profile!r}",
                remedy="Let the role's trust policy ask for something else.",
            )
    return inputs._replace(
        environ=environ_of_source(inputs.environ),
        section=section,
        profile_name=chain.source,
        assumed=chain.roles,
    )


def _own_section(session: botocore.session.Session, profile: str) -> Mapping[str, object] | None:
    """The section of a profile with settings of ours, be they in a line of credential_process."""
    section: Mapping[str, object] = session.full_config["profiles"][profile]
    if has_settings(section):
        return section
    line = line_of(session, profile, section)
    return None if line is None else {**section, **line.section()}


def line_of(
    session: botocore.session.Session, profile: str, section: Mapping[str, object]
) -> ProcessLine | None:
    """The profile's ``credential_process``, if it is ours or that of AWS's helper.

    Raises:
        ConfigurationError: it does not arrive whole; the file and line are named.
    """
    if PROCESS not in section:
        return None
    from .process_line import read_line

    return read_line(section[PROCESS], process_place(session, profile))


def process_place(session: botocore.session.Session, profile: str) -> str:
    """Where the profile's ``credential_process`` stands: the file and the line."""
    from .process_line import place_of

    config, stored = (
        os.path.expanduser(session.get_config_variable(name) or "")  # noqa: PTH111  # never fails
        for name in _FILES
    )
    title = title_of(profile, os.environ) or profile
    # A key of the credentials file wins.
    return place_of(stored, profile) or place_of(config, title) or config


def follow_process(inputs: Inputs) -> Inputs:
    """The inputs that the profile's ``credential_process`` gives, if nothing else is configured.

    Unchanged if there is no such line, or it runs another program.

    Raises:
        ConfigurationError: as `line_of`, or the line names a profile that does not exist.
    """
    name = inputs.profile_name
    if name is None or any(setting in inputs.found() for setting in CORE):
        return inputs
    line = line_of(inputs.session, name, inputs.section)
    if line is None or not (line.values or line.config_profile):
        return inputs
    section, flags = dict(inputs.section), dict(line.values)
    if line.config_profile:
        section |= read_section(inputs.session, line.config_profile, by_flag=True)
    elif ROLE.flag in flags and DURATION.flag:
        flags.setdefault(DURATION.flag, HELPERS_DURATION)
    arguments = inputs.arguments
    if line.secret is not None:
        flag, secret = line.secret
        arguments = {**arguments, "passphrase": Secret(secret, f"{flag} of {PROCESS}")}
    named = {key: text for key, text in line.section().items() if key in _OF_PASSPHRASES}
    return inputs._replace(
        arguments=arguments,
        section={**section, **named},
        flags=flags,
        process=process_place(inputs.session, name),
    )


def require_followed(inputs: Inputs) -> None:
    """Refuse a profile that assumes a role with credentials that are not ours.

    Raises:
        ConfigurationError: it says what the source profile lacks.
    """
    name = inputs.profile_name
    if name is None or not assumes_role(inputs.section):
        return
    if not inputs.section.get(SOURCE):
        raise ConfigurationError(
            "it assumes a role, but not with the credentials of a source_profile",
            code="settings-missing",
            where=f"profile {name!r}",
            expected=f"source_profile = NAME of a profile with {PREFIX}… settings",
        )
    profiles = inputs.session.full_config["profiles"]
    chain = chain_of(profiles.get, name)
    last = chain.source if chain else last_named(profiles.get, name)
    if chain is None and (profiles.get(last) or {}).get(SOURCE):
        raise ConfigurationError(
            f"its {SOURCE} leads back to profile {last!r}",
            code="settings-missing",
            where=f"profile {name!r}",
            expected=f"{SOURCE} = NAME of a profile with {PREFIX}… settings",
        )
    lack = f"which has no {PREFIX}… settings" if last in profiles else "which does not exist"
    raise ConfigurationError(
        f"it assumes a role with the credentials of profile {last!r}, {lack}",
        code="settings-missing",
        where=f"profile {name!r}",
        remedy=f"`boto-rolesanywhere configure --profile {last}` writes its settings. The AWS"
        f" CLI needs this line in the section of {last!r}: credential_process = boto-rolesanywhere"
        f" credential-process --config-profile {last}",
    )


def remedy_of_nothing(inputs: Inputs) -> str | None:
    """What to do about a profile without settings of ours, as far as its section tells."""
    from .process_words import PROGRAMS

    if PROGRAMS.search(str(inputs.section.get(PROCESS, ""))):
        return (
            f"Its {PROCESS} is for SDKs alone: `boto-rolesanywhere configure --from-profile"
            f" {inputs.profile_name}` makes settings of it."
        )
    return why_unset(inputs.section)


def read_section(
    session: botocore.session.Session, profile_name: str | None = None, *, by_flag: bool = False
) -> Mapping[str, object]:
    """The section of a profile, as botocore reads it."""
    try:
        profiles: Mapping[str, Mapping[str, object]] = session.full_config["profiles"]
        if profile_name is None:
            section: Mapping[str, object] = session.get_scoped_config()
            return section
        if profile_name in profiles or profile_name == "default":
            return profiles.get(profile_name, {})
    except ConfigParseError as error:
        raise unparseable(error) from None
    except ProfileNotFound:
        pass
    named = profile_name or session.get_config_variable("profile")
    if by_flag:
        where = "--config-profile"
    elif profile_name is not None:
        where = "argument profile_name"
    else:
        variable = profile_variable(os.environ)
        where = variable if variable and os.environ[variable] == named else "the session"
    ours = [name for name, keys in profiles.items() if any(key.startswith(PREFIX) for key in keys)]
    raise NoSuchProfileError(
        f"there is no profile {named!r} in the AWS config file",
        code="profile-missing",
        where=where,
        remedy=f"{_lookalike(session, str(named))}Profiles with {PREFIX}… settings: "
        f"{', '.join(ours) or 'none'}.",
    )


def _lookalike(session: botocore.session.Session, name: str) -> str:
    """What was perhaps meant to be the profile's section, as a sentence; or nothing."""
    path = Path(os.path.expanduser(session.get_config_variable("config_file") or ""))  # noqa: PTH111  # never fails
    if path.is_dir():
        return f"{path} is a folder; AWS_CONFIG_FILE names a file. "
    meant = (name.lower(), f"profile {name}".lower())
    for title in session.full_config:
        if " ".join(title.split()).lower() in meant:
            return f"The file has a section [{title}]: call it [profile {name}]. "
    return ""


def unparseable(error: ConfigParseError) -> ConfigurationError:
    """The error about an AWS config or credentials file that botocore cannot parse.

    The line itself is not quoted: it may hold a secret.
    """
    from .process_line import torn, torn_line

    if place := torn_line(os.environ):
        return torn(place)
    cause = error.kwargs.get("error")
    # One of configparser's errors names all lines that it cannot read, the others the first.
    lines = getattr(cause, "errors", None)
    line = lines[0][0] if lines else getattr(cause, "lineno", None)
    path = f"{error.kwargs['path']}"
    if mark := _byte_order_mark(path):
        return ConfigurationError(
            f"it begins with a byte order mark ({mark}), which AWS's tools do not read",
            code="config-file-unparseable",
            where=path,
            expected="plain UTF-8",
            remedy=_SAVE_AS_UTF_8,
        )
    if isinstance(cause, UnicodeDecodeError) or _holds_nul(path):
        return ConfigurationError(
            "it is not in UTF-8",
            code="config-file-unparseable",
            where=path,
            expected="plain UTF-8",
            remedy=_SAVE_AS_UTF_8,
        )
    return ConfigurationError(
        "it cannot be read as an INI file",
        code="config-file-unparseable",
        where=path + (f", line {line}" if line else ""),
        expected="[sections] with lines of key = value, each section and key once",
    )


def pass_over_unparseable(session: botocore.session.Session) -> None:
    """Let the session do without AWS's files that cannot be parsed; a warning says which.

    For a command that takes nothing from a profile: its flags and the environment say all.
    """
    for _ in _FILES:
        try:
            _ = session.full_config
        except ConfigParseError as error:  # noqa: PERF203  # of two files
            logger.warning("Nothing in it counts: %s", unparseable(error))
            for name in _FILES:
                path = os.path.expandvars(session.get_config_variable(name) or "")
                if Path(path).expanduser() == Path(str(error.kwargs["path"])):
                    session.set_config_variable(name, os.devnull)


def _holds_nul(path: str) -> bool:
    """Whether it is UTF-16 without its mark, or no text."""
    try:
        return b"\0" in Path(path).read_bytes()
    except OSError:
        return False


def _byte_order_mark(path: str) -> str | None:
    try:
        with Path(path).open("rb") as file:
            start = file.read(3)
    except OSError:
        return None
    return next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
