"""A profile's ``credential_process`` line, ours or that of AWS's helper, as the settings it means.

A backslash does not continue it; lines that are indented do, for botocore. `process_words` has the
rest of how botocore reads it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import NamedTuple

from .go_values import boolean, whole_number
from .names import DURATION, ENDPOINT_URL, PASSPHRASE_ENV, PASSPHRASE_FILE, SETTINGS
from .process_words import PROGRAMS, require_command, words_of
from .profile_reader import STORED, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .process_words import Words

KEY: Final = "credential_process"
_CONTINUED: Final = re.compile(r"\\\s*$", re.MULTILINE)
_CONFIG_PROFILE: Final = "--config-profile"
_SECRETS: Final = ("--pkcs8-password", "--pkcs11-pin", "--tpm-key-password")
SELECTOR: Final = "--cert-selector"
_OF_A_STORE: Final = frozenset([SELECTOR, "--cert-store", "--use-latest-expiring-certificate"])
# Of Windows' stores, which the command ignores too.
_IGNORED: Final = ("--system-store-name", "--system-store-location")
_SETTINGS: Final = {setting.flag: setting.config_key for setting in SETTINGS if setting.flag}
_FOR_A_SECRET: Final = {f"{flag}{form}" for flag in _SECRETS for form in ("", "-env", "-file")}
_OTHERS: Final = frozenset(["--no-verify-ssl", *_OF_A_STORE])
_OF_BOTH: Final = frozenset({*_SETTINGS, *_FOR_A_SECRET, _CONFIG_PROFILE})
_WITH_VALUE: Final = _OF_BOTH | {SELECTOR, "--cert-store", "--cache-dir", *_IGNORED}
# They change nothing in a profile: it has neither the cache nor the messages of the command, and
# no password where it names none.
_OF_THE_COMMAND: Final = frozenset(
    [
        "--debug",
        "--with-proxy",
        "--reuse-pin",
        "--no-cache",
        "--cache-dir",
        "--force-refresh",
        "--no-tpm-key-password",
    ]
)


class ProcessLine(NamedTuple):
    """What the line says.

    Attributes:
        program: the program that it runs.
        variables: those that the line sets for it, with their values.
        around: the program that runs it as another user or elsewhere; None for none.
        values: the flags of settings, with their values.
        secret: the flag that brings a passphrase, PIN or password itself, and it; None for none.
        secret_file: the file with it.
        secret_variable: the variable with it.
        config_profile: the profile whose settings fill in what is missing.
        selection: the flags that choose a certificate from a store, with their values.
        others: flags that no setting stands for.
    """

    program: str
    variables: dict[str, str]
    around: str | None
    values: dict[str, str]
    secret: tuple[str, str] | None
    secret_file: str | None
    secret_variable: str | None
    config_profile: str | None
    selection: dict[str, str]
    others: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<line of {self.program}>"  # it may hold a secret

    def section(self) -> dict[str, str]:
        """The keys that a profile with the same settings has, but for the secret itself."""
        found = {_SETTINGS[flag]: value for flag, value in self.values.items()}
        named = {PASSPHRASE_FILE: self.secret_file, PASSPHRASE_ENV: self.secret_variable}
        return found | {key.config_key: text for key, text in named.items() if text}


def read_line(text: object, where: str = KEY) -> ProcessLine | None:
    """The settings in a ``credential_process`` value; None if it runs another program.

    Raises:
        ConfigurationError: it is continued with a backslash, its quotes do not end, or it runs
            another command than ``credential-process``.
    """
    if not isinstance(text, str) or not PROGRAMS.search(text):
        return None
    if _CONTINUED.search(text):
        raise torn(where)
    words = words_of(text, where)
    return None if words is None else _read(words, where)


def torn(where: str) -> ConfigurationError:
    """The error for a line that is to go on below after a backslash."""
    return ConfigurationError(
        "this line is continued on the next, and the program does not get its arguments whole",
        code="config-file-unparseable",
        where=where,
        expected="the whole of it on one line: a backslash at its end does not continue it",
    )


def _read(words: Words, where: str) -> ProcessLine:
    flags: dict[str, str] = {}
    command = None
    rest = list(words.flags)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if not flag.startswith("-"):
            command = command or flag
            continue
        if flag not in _WITH_VALUE and equals and boolean(value) is False:
            flags.pop(flag, None)  # as if it had not been given
            continue
        if flag in _WITH_VALUE and not equals:
            value = rest.pop(0) if rest else ""
            while flag == SELECTOR and rest and not rest[0].startswith("-"):
                value += f" {rest.pop(0)}"
        flags[flag] = value
    require_command(words.program, command, where)
    endpoint = ENDPOINT_URL.flag or ""
    if endpoint in flags and "://" not in flags[endpoint]:  # a bare host name means TLS
        flags[endpoint] = f"https://{flags[endpoint]}"
    duration = DURATION.flag or ""
    if (seconds := whole_number(flags.get(duration, ""))) is not None:
        flags[duration] = str(seconds)

    def secret(form: str) -> tuple[str, str] | None:
        return next(
            ((base, flags[f"{base}{form}"]) for base in _SECRETS if base + form in flags), None
        )

    known = _OF_BOTH | _OF_THE_COMMAND
    selection = {flag: value for flag, value in flags.items() if flag in _OF_A_STORE}
    if SELECTOR in selection:
        known |= {*_OF_A_STORE, *_IGNORED}
    return ProcessLine(
        program=words.program,
        variables=words.variables,
        around=words.around,
        values={flag: value for flag, value in flags.items() if flag in _SETTINGS and value},
        secret=secret(""),
        secret_file=(secret("-file") or (None, None))[1],
        secret_variable=(secret("-env") or (None, None))[1],
        config_profile=flags.get(_CONFIG_PROFILE),
        selection=selection if SELECTOR in selection else {},
        others=tuple(dict.fromkeys(_shown(flag) for flag in flags if flag not in known)),
    )


def _shown(flag: str) -> str:
    """A flag that no setting stands for. An unknown one is not named: it may hold a secret."""
    known = f"--{flag.lstrip('-')}" in _WITH_VALUE | _OF_THE_COMMAND | _OTHERS
    return flag if known else "an unknown flag"


def place_of(path: str, title: str) -> str | None:
    """Where the line stands in the section ``[title]``: ``FILE, line N``; None if it does not."""
    option = re.compile(rf"\s*{KEY}\s*[=:]", re.IGNORECASE)
    found = (at for at, section, line in _lines(path) if section == title and option.match(line))
    return next(found, None)


def torn_line(environ: Mapping[str, str]) -> str | None:
    """Where a line of ours in AWS's files ends with a backslash; None if there is none."""
    for path in (path_of(environ), path_of(environ, *STORED)):
        for at, _, line in _lines(path):
            if PROGRAMS.search(line) and KEY in line.lower() and line.rstrip().endswith("\\"):
                return at
    return None


def _lines(path: str) -> Iterator[tuple[str, str, str]]:
    """Where each line stands, the title of its section, and the line."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # any text at all
            text = file.read()
    except (OSError, ValueError):
        return
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\[(.+)\]", line.strip()):
            section = header[1]
        yield f"{path}, line {number}", section, line
