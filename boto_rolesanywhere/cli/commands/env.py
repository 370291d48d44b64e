"""``env``: prints credentials as variables, for a shell, a dotenv file or JSON."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flags import add_flags, prepare
from boto_rolesanywhere.cli.outcome import OK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

_DESCRIPTION: Final = """\
Print the variables from which the AWS CLI and every SDK take credentials, in the syntax of
your shell. They end with the session: for commands that run longer, use `exec --serve`,
`serve` or a credential_process."""
_EPILOG: Final = """\
examples:
  eval "$(boto-rolesanywhere env --config-profile backup)"

  boto-rolesanywhere env --config-profile backup --format fish | source

  boto-rolesanywhere env --config-profile backup --format powershell | Invoke-Expression

  (umask 077; boto-rolesanywhere env --config-profile backup --format dotenv > .env)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    parser.add_argument_group("the output").add_argument(
        "--format", choices=FORMATS, default="sh", help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the variables."""
    from boto_rolesanywhere.cli.child_environment import keys_of, region_of, regions
    from boto_rolesanywhere.cli.inputs import inputs_from, issuer_from

    prepare(arguments)
    inputs = inputs_from(arguments)
    issuer = issuer_from(arguments, inputs)
    session = issuer.create()
    region = region_of(inputs.session, issuer.config, os.environ)
    variables = keys_of(session) | regions(os.environ, region)
    sys.stdout.write(FORMATS[arguments.format](variables))
    return OK


def _lines(line: Callable[[str, str], str]) -> Callable[[Mapping[str, str]], str]:
    return lambda values: "".join(f"{line(name, value)}\n" for name, value in values.items())


def fish_quoted(text: str) -> str:
    """The text for fish: in single quotes only backslash and ' are escaped, with a backslash."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def powershell_quoted(text: str) -> str:
    """The text for PowerShell (about_Quoting_Rules): in single quotes only ' is doubled."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


FORMATS: Final[dict[str, Callable[[Mapping[str, str]], str]]] = {
    "sh": _lines(lambda name, value: f"export {name}={shlex.quote(value)}"),
    "fish": _lines(lambda name, value: f"set -gx {name} {fish_quoted(value)}"),
    "powershell": _lines(lambda name, value: f"$env:{name} = {powershell_quoted(value)}"),
    # Each reader of dotenv files quotes differently; AWS's values need no quotes.
    "dotenv": _lines(lambda name, value: f"{name}={value}"),
    "json": lambda values: json.dumps(values, indent=2) + "\n",
}
