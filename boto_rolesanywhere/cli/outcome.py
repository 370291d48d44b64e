"""How a command ends (exit status, the one line on stderr that says why), and is started again.

Every cached answer of the command loads this module, so it imports nothing heavy.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Final

    from boto_rolesanywhere.errors import RolesAnywhereError

PROGRAM: Final = "boto-rolesanywhere"
OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it
# What every command says of the variable.
AWS_PROFILE_ELSEWHERE: Final = (
    "AWS_PROFILE does not count here: --config-profile does. (Only doctor follows it, as"
    " get_session does.)"
)
# What a command line is wrong about by itself, whatever the files and AWS say.
_OF_USAGE: Final = frozenset(
    {"command-line-invalid", "flags-exclusive", "settings-missing", "store-incomplete"}
)
_OF_VALUES: Final = frozenset({"arn-invalid", "setting-invalid", "setting-not-text"})
_left_by: list[int] = []


def own_program() -> list[str]:
    """The words that start this program from any folder, as by a ``credential_process`` line."""
    from shutil import which

    program = which(PROGRAM)
    return [program] if program else [sys.executable, "-m", "boto_rolesanywhere"]


def complain(message: str) -> None:
    """Write one line to stderr, after the program's name."""
    if not message.isprintable():
        from boto_rolesanywhere.redaction import printable

        message = printable(message)
    sys.stderr.write(f"{PROGRAM}: {message}\n")


def status_of(error: RolesAnywhereError) -> int:
    """The exit status for an error: that of wrong usage if the command line alone is to blame."""
    by_flag = (error.where or "").startswith("--")
    if error.code in _OF_USAGE or (by_flag and error.code in _OF_VALUES):
        return USAGE
    return FAILED


def leave(number: int, _frame: FrameType | None) -> None:
    """A signal's handler: end the program with exit status 0, as is right when it was asked to."""
    _left_by.append(number)
    raise SystemExit(OK)


def asked_to_leave() -> bool:
    """Whether a signal has called `leave`.

    A callback of the interpreter swallows the exception that `leave` raises.
    """
    return bool(_left_by)
