"""Which settings there are, where each comes from, and what looks like one but is none."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import holds_secret
from boto_rolesanywhere.settings.names import (
    CORE,
    PASSPHRASE_VARIABLE,
    PREFIX,
    PRIVATE_KEY,
    REQUIRED,
    SETTINGS,
    gather,
)
from boto_rolesanywhere.settings.places import TOKEN, kind_of

from .verdict import Verdict, of_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from boto_rolesanywhere.settings.names import Found, Setting

    from .case import Case

_VARIABLES: Final = f"AWS_{PREFIX.upper()}"
# Those that are no settings of the call, but of the command and its cache.
_OTHER_VARIABLES: Final = (PASSPHRASE_VARIABLE, f"{_VARIABLES}CACHE_DIR")
_COMMON: Final = "rolesanywhere"
_LONGEST: Final = 200


def check_configuration(case: Case) -> Iterator[Verdict]:
    """Find the settings, and say where each was found."""
    yield from _read_profile(case)
    case.found = gather(
        case.arguments,
        case.environ,
        case.section,
        profile_name=case.profile_name,
        flags=case.flags,
    )
    details = tuple(_shown_settings(case))
    where = f"profile {case.profile_name!r} of {_config_file(case)}"
    missing = [one for one in REQUIRED if one not in case.found]
    if not any(one in case.found for one in CORE):
        yield Verdict(
            "configuration",
            "fail",
            f"nothing is configured for IAM Roles Anywhere ({where}, environment"
            f"{', flags' if case.flags is not None else ''})",
            _hint(case),
            details,
        )
    elif missing:
        yield Verdict(
            "configuration",
            "fail",
            "not set: " + ", ".join(one.title for one in missing),
            " ".join(f"Set the {one.title}: {_places(one, case)}." for one in missing),
            details,
        )
    else:
        yield Verdict(
            "configuration", "ok", f"{len(case.found)} settings found ({where})", details=details
        )
    yield from _unknown(case)


def _read_profile(case: Case) -> Iterator[Verdict]:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    from boto_rolesanywhere.provider import read_section

    session = Session(profile=case.profile)
    case.profile_name = session.profile or "default"
    try:
        case.section = read_section(session, by_flag=case.flags is not None)
        case.botocore = session
    except ConfigurationError as error:
        yield of_error("configuration", error)
    except BotoCoreError as error:
        yield Verdict("configuration", "fail", str(error), "Correct the AWS config file.")


def _config_file(case: Case) -> str:
    given = case.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    path = Path(os.path.expanduser(os.path.expandvars(given)))  # noqa: PTH111  # never fails
    if not path.exists():
        return f"{path}, which does not exist"
    return str(path) if os.access(path, os.R_OK) else f"{path}, which cannot be read"


def _shown_settings(case: Case) -> Iterator[tuple[str, str]]:
    for setting, found in case.found.items():
        value = _shown(found, setting)
        if setting.shown == "variable" and found.value not in case.environ:
            value = "no variable that is set, not shown"  # it may be the secret itself
        yield setting.title, f"{value} (from {found.where})"
    if case.arguments.get("passphrase") is not None:
        yield "passphrase", "set, not shown (given directly)"
    elif case.environ.get(PASSPHRASE_VARIABLE):
        yield "passphrase", f"set, not shown (from {PASSPHRASE_VARIABLE})"


def _shown(found: Found, setting: Setting) -> str:
    """A setting's value, unless it is, or might hold, what nobody should read."""
    value = found.value
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        return f"an object of type {type(value).__name__}"
    if "-----BEGIN" in value or len(value) > _LONGEST:
        return "a long text, not shown"
    if kind_of(value) == TOKEN:
        return _shown_uri(value)
    if holds_secret(value):
        return "a text that seems to hold a secret, not shown"
    if setting.shown == "url":
        return _shown_url(value)
    return value


def _shown_uri(text: str) -> str:
    from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri

    try:
        return str(parse_pkcs11_uri(text))
    except ConfigurationError:
        return "a pkcs11: URI that cannot be read"


def _shown_url(text: str) -> str:
    try:
        url = urlsplit(text)
    except ValueError:
        return "a URL that cannot be read"
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def _places(setting: Setting, case: Case) -> str:
    first = setting.flag if case.flags is not None else f"argument {setting.argument}"
    return f"{first}, {setting.variable} or {setting.config_key} in the profile"


def _hint(case: Case) -> str:
    if _COMMON in str(case.section.get("credential_process", "")):
        return (
            f"Profile {case.profile_name!r} runs a credential_process: give doctor the same flags"
            " as stand there."
        )
    wanted = [*REQUIRED[:1], PRIVATE_KEY, *REQUIRED[1:]]
    keys = ", ".join(one.config_key for one in wanted)
    return f"Set {keys} in the profile, or the same as flags or environment variables."


def _unknown(case: Case) -> Iterator[Verdict]:
    keys = [one.config_key for one in SETTINGS]
    for key in case.section:
        if key not in keys and (_is_ours(key) or _COMMON in _plain(key)):
            place = f"profile {case.profile_name!r}"
            yield _not_a_setting(key, place, keys)
    variables = [*(one.variable for one in SETTINGS), *_OTHER_VARIABLES]
    for name in sorted(case.environ):
        if name.startswith(_VARIABLES) and name not in variables:
            yield _not_a_setting(name, "the environment", variables)


def _not_a_setting(name: str, place: str, known: Iterable[str]) -> Verdict:
    # What all have in common would make any two of them alike.
    own = {_plain(one).partition(_COMMON)[2]: one for one in known}
    near = difflib.get_close_matches(_plain(name).partition(_COMMON)[2], own, n=1)
    there = ", ".join(sorted(own.values()))
    remedy = f"Did you mean {own[near[0]]}?" if near else f"There are: {there}."
    return Verdict("configuration", "warn", f"{name} in {place} is not a setting", remedy)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _is_ours(key: str) -> bool:
    return key.startswith(PREFIX)
