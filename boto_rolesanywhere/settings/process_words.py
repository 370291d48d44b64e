"""The words of a ``credential_process`` line: the program, what runs it, and its command.

botocore splits the line itself: on Windows a backslash is part of a path, elsewhere it is lost, as
in a shell. It runs no shell: no variable and no ``~`` in the line is expanded.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath
from typing import Final

from botocore.compat import compat_shell_split

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import NamedTuple

COMMAND: Final = "credential-process"
# People add a version and a machine to a download's name.
PROGRAMS: Final = re.compile(
    r"(aws_signing_helper|boto[-_]rolesanywhere)"
    r"([-_.](v?\d[\d.]*|linux|darwin|macos|windows|amd64|arm64|aarch64|x86_64))*(\.exe)?",
    re.IGNORECASE,
)
_SHELLS: Final = frozenset(["ash", "bash", "dash", "ksh", "sh", "zsh"])
_SHELLS_OF_WINDOWS: Final = frozenset(["powershell", "powershell.exe", "pwsh", "pwsh.exe"])
# Characters that only a shell interprets.
_FOR_A_SHELL: Final = re.compile(r"[|&;<>()$`*?\[\]{}~\\\n]")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=")
# They run a program as another user, in other files or on another machine.
_ELSEWHERE: Final = frozenset(
    [
        *("bwrap", "chroot", "docker", "doas", "flatpak", "kubectl", "nerdctl", "nsenter"),
        *("podman", "runuser", "setpriv", "ssh", "su", "sudo", "unshare", "wsl", "wsl.exe"),
    ]
)
_A_COMMAND: Final = re.compile(r"[a-z][a-z-]{1,24}")
_OTHERWISE: Final = {
    "serve": "It does not end, and the SDK waits for it. Start `serve` by itself, as a service, and"
    " set the variables that it prints for the program, in place of this line.",
    "update": "It writes the credentials file: the profile that it writes needs no such line.",
    "env": "A shell reads what it prints.",
    "exec": "It starts the program itself.",
}


class Words(NamedTuple):
    """A line that runs this program or AWS's helper.

    Attributes:
        program: the word that names it.
        flags: what follows, without the command.
        variables: those that the line sets for it, with their values.
        around: the program that runs it as another user or elsewhere; None for none.
    """

    program: str
    flags: tuple[str, ...]
    variables: dict[str, str]
    around: str | None

    def __repr__(self) -> str:
        return f"<words of {self.program}>"  # they may hold a secret


def words_of(text: str, where: str) -> Words | None:
    """The words of a line; None if no word of it is this program or AWS's helper.

    Raises:
        ConfigurationError: its quotes do not end, or it runs another command of the program.
    """
    words = _split(text, where)
    at = next((index for index, word in enumerate(words) if _is_ours(word)), None)
    if at is None:
        return None
    before, program = words[:at], words[at]
    variables = dict(word.split("=", 1) for word in before if _ASSIGNMENT.match(word))
    runners = [PurePath(word).name for word in before]
    return Words(
        program=program,
        flags=tuple(words[at + 1 :]),
        variables=variables,
        around=next((name for name in runners if name in _ELSEWHERE), None),
    )


def require_command(program: str, command: str | None, where: str) -> None:
    """Refuse a line whose program does not run the command that an SDK waits for."""
    if command == COMMAND:
        return
    name = PurePath(program.replace("\\", "/")).name
    named = command if command and _A_COMMAND.fullmatch(command) else "another command"
    raise ConfigurationError(
        f"it runs {name} with {named if command else 'no command'}, which prints no credentials"
        " for an SDK",
        code="command-line-invalid",
        where=where,
        expected=f"`{name} {COMMAND}` with its flags",
        remedy=_OTHERWISE.get(command or ""),
    )


def not_read(text: object) -> tuple[str, str] | None:
    """Why `words_of` gives none for a line that names a program of ours, and what to do; else None.

    A line that it refuses has its own error, and no reason here.
    """
    if not isinstance(text, str) or not PROGRAMS.search(text):
        return None
    try:
        words = _split(text, "")
    except ConfigurationError:
        return None
    if any(map(_is_ours, words)):
        return None
    name = PurePath(words[0]).name if words else ""
    if name in _SHELLS | _SHELLS_OF_WINDOWS:
        return (
            f"it runs {name}, and only that shell can interpret the rest",
            "Write the command without the shell, in one line, or give its flags here.",
        )
    if "\\" in text and any(PROGRAMS.search(word) and "/" not in word for word in words):
        return (
            "the backslashes in it are lost: SDKs on this system read the line as a shell does",
            "Write the path with slashes (/), or in single quotes.",
        )
    return (
        "it runs another program, around this one or of a like name",
        "Give the flags here that the program passes on.",
    )


def _split(text: str, where: str) -> list[str]:
    """The words, those of a plain command in a shell's ``-c`` among them."""
    try:
        words = list(compat_shell_split(text))
        for index, word in enumerate(words[:-2]):
            inner = words[index + 2]
            is_shell = PurePath(word).name in _SHELLS and re.fullmatch(r"-\w*c", words[index + 1])
            if is_shell and not _FOR_A_SHELL.search(inner):
                return [*words[:index], *shlex.split(inner)]
    except ValueError:
        raise ConfigurationError(
            "a quote in it is not closed",
            code="config-file-unparseable",
            where=where,
            expected="a command line as a shell reads it",
        ) from None
    return words


def _is_ours(word: str) -> bool:
    return bool(PROGRAMS.fullmatch(PurePath(word.replace("\\", "/")).name))
