"""``completion``: prints a script with which a shell completes this program's command lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.outcome import OK

if TYPE_CHECKING:
    import argparse

_SHELLS: Final = ("bash", "zsh", "fish", "powershell")
_DESCRIPTION: Final = """\
Print a script that lets a shell complete commands, flags and their values. It holds all of
them, and starts nothing when you press the key: print it again after an upgrade."""
_EPILOG: Final = """\
examples:
  in ~/.bashrc:
  eval "$(boto-rolesanywhere completion bash)"

  in ~/.zshrc, after compinit:
  eval "$(boto-rolesanywhere completion zsh)"

  boto-rolesanywhere completion fish > ~/.config/fish/completions/boto-rolesanywhere.fish
  boto-rolesanywhere completion powershell | Out-String | Invoke-Expression"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the shell."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("shell", metavar="SHELL", choices=_SHELLS, help="the shell that completes")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    from boto_rolesanywhere.cli.completion.scripts import SCRIPTS
    from boto_rolesanywhere.cli.completion.tree import contexts

    sys.stdout.write(SCRIPTS[arguments.shell](contexts()))
    return OK
