"""The settings: where each comes from, misspelt ones, the ARNs and the options.

`files` checks the files that they name.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.redaction import holds_secret
from boto_rolesanywhere.settings.config import why_unset
from boto_rolesanywhere.settings.names import (
    CA_VARIABLE,
    CERTIFICATE,
    CORE,
    PASSPHRASE_VARIABLE,
    PREFIX,
    PRIVATE_KEY,
    REQUIRED,
    SETTINGS,
)
from boto_rolesanywhere.settings.places import TOKEN, kind_of
from boto_rolesanywhere.settings.profile_reader import path_of, profile_variable
from boto_rolesanywhere.settings.regions import ARN_KINDS, arns_of, require_all_agree

from .process_line import check_line, hint_of_line
from .verdict import Verdict, of_error, skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from boto_rolesanywhere.settings.arns import Arn
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.inputs import Inputs
    from boto_rolesanywhere.settings.names import Found, Setting
    from boto_rolesanywhere.settings.sources import IdentitySources

    from .verdict import Check, Question

_VARIABLES: Final = f"AWS_{PREFIX.upper()}"
# Of the command, its CA and its cache, not of the call.
_OTHER_VARIABLES: Final = (CA_VARIABLE, PASSPHRASE_VARIABLE, f"{_VARIABLES}CACHE_DIR")
_COMMON: Final = "rolesanywhere"
_LONGEST: Final = 200


def check_configuration(question: Question) -> Check[Inputs]:
    """Find the settings, and say where each was found."""
    inputs = yield from _read_profile(question)
    found = inputs.found()
    details = (
        *_chosen_profile(question),
        *_roles(inputs),
        *_shown_settings(inputs, found),
    )
    where = f"profile {inputs.profile_name!r} of {_config_file(inputs.environ)}"
    if inputs.process is not None:
        where = f"credential_process of profile {inputs.profile_name!r}, {inputs.process}"
    missing = [setting for setting in REQUIRED if setting not in found]
    remedy = None
    if not any(setting in found for setting in CORE):
        text = f"nothing is configured for IAM Roles Anywhere ({where}, environment"
        text += ", flags)" if inputs.flags is not None else ")"
        remedy = _hint(inputs)
    elif missing:
        text = "not set: " + ", ".join(setting.title for setting in missing)
        remedy = " ".join(f"Set the {each.title}: {_places(each, inputs)}." for each in missing)
    else:
        text = f"{len(found)} settings found ({where})"
    yield Verdict("configuration", "fail" if remedy else "ok", text, remedy, details)
    yield from _unknown(inputs)
    return inputs


def _chosen_profile(question: Question) -> Iterator[tuple[str, str]]:
    """Why this profile is looked at, where another command would not."""
    variable = profile_variable(question.environ)
    if variable and question.profile is None and question.flags is not None:
        name = question.environ[variable]
        yield "profile", f"{name} (from {variable}; other commands: --config-profile {name})"


def _roles(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """The roles on top, and what the AWS CLI lacks to assume them: it reads no settings of ours."""
    for role in inputs.assumed:
        yield "then assumed", f"{role.role_arn} (from role_arn of profile {role.profile!r})"
    source = inputs.profile_name
    if inputs.assumed and "credential_process" not in inputs.section:
        line = "credential_process = boto-rolesanywhere credential-process --config-profile"
        yield "for the AWS CLI", f"the section of {source!r} needs the line {line} {source}"


def _read_profile(question: Question) -> Check[Inputs]:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
    from boto_rolesanywhere.settings.inputs import (
        Inputs,
        follow_process,
        follow_roles,
        read_section,
    )

    by_flag = question.flags is not None and question.profile is not None
    session = without_empty_variables(Session(profile=question.profile))
    profile_name = session.profile or "default"
    section: Mapping[str, object] = {}
    try:
        section = read_section(session, by_flag=by_flag)
    except BotoCoreError as error:
        if isinstance(error, RolesAnywhereError):
            yield of_error("configuration", error)
        else:
            yield Verdict("configuration", "fail", str(error), "Correct the AWS config file.")
        session = without_empty_variables(Session())  # whatever botocore can do without the profile
    inputs = Inputs(
        session=session,
        arguments=question.arguments,
        environ=question.environ,
        section=section,
        profile_name=profile_name,
        flags=question.flags,
    )
    try:
        followed = follow_process(follow_roles(inputs))
    except ConfigurationError as error:
        yield of_error("configuration", error)
        return inputs
    if followed.process is None:
        return followed
    return (yield from check_line(question, inputs, followed))


def _config_file(environ: Mapping[str, str]) -> str:
    path = Path(path_of(environ))
    if not path.exists():
        return f"{path}, which does not exist"
    return str(path) if os.access(path, os.R_OK) else f"{path}, which cannot be read"


def _shown_settings(inputs: Inputs, found: Mapping[Setting, Found]) -> Iterator[tuple[str, str]]:
    for setting, place in found.items():
        value = _shown(place, setting)
        if setting.shown == "variable" and place.value not in inputs.environ:
            value = (
                "the name of a variable that is not set; not shown"  # it may be the secret itself
            )
        yield setting.title, f"{value} (from {place.where})"
    if inputs.arguments.get("passphrase") is not None:
        yield "passphrase", "set, not shown (given directly)"
    elif inputs.environ.get(PASSPHRASE_VARIABLE):
        yield "passphrase", f"set, not shown (from {PASSPHRASE_VARIABLE})"


def _shown(found: Found, setting: Setting) -> str:
    """A setting's value, unless it may hold a secret."""
    from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
    from boto_rolesanywhere.settings.urls import require_endpoint_url

    value = found.value
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        return f"an object of type {type(value).__name__}"
    if "-----BEGIN" in value or len(value) > _LONGEST:
        return "a long text, not shown"
    try:
        if kind_of(value) == TOKEN:
            return str(parse_pkcs11_uri(value))
        if setting.shown == "url":
            require_endpoint_url(value, "")
    except ConfigurationError:
        if setting.shown == "url":
            return "a text that is no endpoint's URL, or holds a password; not shown"
        return "a pkcs11: URI that cannot be read"
    return "a text that seems to hold a secret, not shown" if holds_secret(value) else value


def _places(setting: Setting, inputs: Inputs) -> str:
    first = setting.flag if inputs.flags is not None else f"argument {setting.argument}"
    return f"{first}, {setting.variable} or {setting.config_key} in the profile"


def _hint(inputs: Inputs) -> str:
    from boto_rolesanywhere.settings.inputs import require_followed

    try:
        require_followed(inputs)
    except ConfigurationError as error:
        return f"Profile {inputs.profile_name!r}: {error.problem}. {error.remedy or ''}".strip()
    if hint := why_unset(inputs.section) or hint_of_line(inputs):
        return hint
    wanted = [*REQUIRED[:1], PRIVATE_KEY, *REQUIRED[1:]]
    keys = ", ".join(setting.config_key for setting in wanted)
    return (
        f"Set {keys} in the profile (`boto-rolesanywhere configure` asks for them), or give them as"
        " flags or environment variables."
    )


def _unknown(inputs: Inputs) -> Iterator[Verdict]:
    keys = [setting.config_key for setting in SETTINGS]
    for key in inputs.section:
        if key not in keys and (key.startswith(PREFIX) or _COMMON in _plain(key)):
            place = f"profile {inputs.profile_name!r}"
            yield _not_a_setting(key, place, keys)
    variables = [*(setting.variable for setting in SETTINGS), *_OTHER_VARIABLES]
    for name in sorted(inputs.environ):
        if name.startswith(_VARIABLES) and name not in variables:
            yield _not_a_setting(name, "the environment", variables)


def _not_a_setting(stranger: str, place: str, known: Iterable[str]) -> Verdict:
    # Compared without the common prefix, which would make any two names alike.
    own = {_plain(name).partition(_COMMON)[2]: name for name in known}
    near = difflib.get_close_matches(_plain(stranger).partition(_COMMON)[2], own, n=1)
    there = ", ".join(sorted(own.values()))
    remedy = f"Did you mean {own[near[0]]}?" if near else f"There are: {there}."
    return Verdict("configuration", "warn", f"{stranger} in {place} is not a setting", remedy)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def check_arns(settings: Mapping[Setting, Found]) -> Check[bool]:
    """Parse each ARN, and check that they belong together; True if so."""
    parsed: dict[Setting, tuple[Arn, ...]] = {}
    for setting in ARN_KINDS:
        found = settings.get(setting)
        if found is None:
            yield skipped("arns", f"the {setting.title} is not set")
            continue
        try:
            parsed[setting] = arns_of(settings, setting)
        except ConfigurationError as error:
            yield of_error("arns", error)
    if len(parsed) < len(ARN_KINDS):
        return False
    anchors, profiles, (role,) = (parsed[setting] for setting in ARN_KINDS)
    try:
        require_all_agree(settings, anchors, profiles, role)
    except ConfigurationError as error:
        yield of_error("arns", error)
        return False
    profile, regions = profiles[0], ", ".join(anchor.region for anchor in anchors)
    if role.account != profile.account:
        yield Verdict(
            "arns",
            "warn",
            f"the role is in account {role.account}, the profile in {profile.account}",
            "A profile lists roles of its own account: compare the role's ARN with the profile.",
        )
    else:
        text = f"trust anchor, profile and role agree: account {profile.account}, {regions}"
        yield Verdict("arns", "ok", text)
    return True


def check_settings(
    inputs: Inputs, settings: Mapping[Setting, Found], *, arns_agree: bool
) -> Check[tuple[IdentitySources | None, Config | None]]:
    """Read the options, and see which Region the call goes to.

    Returns:
        Certificate, key and chain, unopened; and all settings. Each is None if a setting is wrong.
    """
    from boto_rolesanywhere.composition import config_of

    if CERTIFICATE not in settings:
        yield skipped("settings", "no certificate is set")
        return None, None
    sources = None
    try:
        sources = inputs.sources()
        if not arns_agree:
            yield skipped("settings", "the ARNs are wrong")
            return sources, None
        config = config_of(inputs)
    except ConfigurationError as error:
        yield of_error("settings", error)
        return sources, None
    if config is not None:
        yield _verdict(config)
    return sources, config


def _verdict(config: Config) -> Verdict:
    asked = (
        f"Region {', then '.join(each.region for each in config.regions)}",
        in_words(config.duration) if config.duration else "the profile's own duration",
        f"session name {config.session_name}" if config.session_name else "",
    )
    text = ", ".join(filter(None, asked))
    if config.region == config.trust_anchor.region:
        return Verdict("settings", "ok", text)
    return Verdict(
        "settings",
        "fail",
        f"the call goes to {config.region}, and the trust anchor is in"
        f" {config.trust_anchor.region}",
        "Leave the Region out: it is then the trust anchor's.",
    )
