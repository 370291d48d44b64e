"""``version``: which version this is. Nothing else is looked at."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from boto_rolesanywhere._version import __version__
from boto_rolesanywhere.cli.outcome import OK

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: there are no options."""
    parser.description = "Show the version, as a bare number for scripts."
    parser.epilog = "example:\n  boto-rolesanywhere version"


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001  # as every command has it
    """Print the version."""
    sys.stdout.write(f"{__version__}\n")
    return OK
