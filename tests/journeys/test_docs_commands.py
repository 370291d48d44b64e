"""Commands that texts name, also those that no test runs: all are there, with their options."""

from __future__ import annotations

import argparse
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from repository import DOCS, EXAMPLES, ROOT

from boto_rolesanywhere.cli import COMMANDS, _load, _parser

TEXTS: Final = [
    *sorted(DOCS.glob("*.md")),
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "boto_rolesanywhere" / "explanations").glob("*.md")),
    *sorted(path for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".pyc"),
]
# A command with its arguments, to the end of the quotation or the line; a backslash goes on.
_COMMAND: Final = re.compile(
    r"(?:^|[`'(/|=])\s*boto-rolesanywhere ([a-z][a-z-]*)((?:\\\n|[^`\n])*)", re.MULTILINE
)
_ENDS: Final = re.compile(r" -- |[|;&#)]")  # what follows is another program's
_OPTION: Final = re.compile(r"(?<![\w-])--?[a-z][a-z0-9-]*")


@cache
def parser_of(command: str, action: str = "") -> argparse.ArgumentParser:
    """The parser of a command, or of its action if it has one of that name."""
    parser = _parser(command, _load(command))
    for each in parser._actions:
        if isinstance(each, argparse._SubParsersAction) and action in each.choices:
            found: argparse.ArgumentParser = each.choices[action]
            return found
    return parser


def misnamed(text: str) -> list[str]:
    """The commands of a text that are none, or that have an option which they do not take."""
    found = []
    for named in _COMMAND.finditer(text):
        command, rest = named.groups()
        if command not in COMMANDS:
            found.append(named[0])
            continue
        arguments = _ENDS.split(rest, maxsplit=1)[0]
        parser = parser_of(command, arguments.split(maxsplit=1)[0] if arguments.split() else "")
        options = {option for each in parser._actions for option in each.option_strings}
        if not set(_OPTION.findall(arguments)) <= options:
            found.append(named[0])
    return found


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_are_those_of_the_parsers(path: Path) -> None:
    assert misnamed(path.read_text(encoding="utf-8")) == []


def test_a_slip_is_seen() -> None:
    assert misnamed("`boto-rolesanywhere inspct x.pem`") != []
    assert misnamed("boto-rolesanywhere ca issue app1 \\\n  --profil onprem") != []
    assert misnamed("boto-rolesanywhere exec --serve -- aws s3 ls --profile x") == []
