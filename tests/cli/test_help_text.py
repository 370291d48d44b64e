"""Help: a command's own options first, and right in a terminal of 80 columns and of 40."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from commands import ended

from boto_rolesanywhere import cli
from boto_rolesanywhere.cli.flag_table import FLAGS
from boto_rolesanywhere.cli.help_text import wrapped


def parsers() -> Iterator[argparse.ArgumentParser]:
    """Of each command, and of each action of a command."""
    for name in cli.COMMANDS:
        parser = cli.parser_of(name)
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from dict.fromkeys(action.choices.values())


PARSERS = {parser.prog: parser for parser in parsers()}


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("prog", PARSERS)
def test_no_line_is_wider_than_the_terminal(
    prog: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    wide = [line for line in PARSERS[prog].format_help().splitlines() if len(line) > columns]
    # An ARN, a path and what stands in quotes cannot be broken.
    word = r"""(?:'[^']*'|"[^"]*"|\S)+"""
    assert [line for line in wide if not re.fullmatch(word, line.strip(" \\"))] == []


@pytest.mark.parametrize("columns", [40, 80])
def test_the_list_of_commands_fits(columns: int) -> None:
    printed = ended("--help", COLUMNS=str(columns)).stdout
    assert max(map(len, printed.splitlines())) <= columns
    assert all(name in printed for name in cli.COMMANDS)


@pytest.mark.parametrize("prog", PARSERS)
def test_own_options_come_before_those_of_all_commands(prog: str) -> None:
    printed = PARSERS[prog].format_help()
    titles = [group.title or "" for group in PARSERS[prog]._action_groups if group._group_actions]
    places = {title: printed.find(f"\n{title}:\n") for title in titles}
    shared = [place for title, place in places.items() if title in FLAGS and place >= 0]
    own = [place for title, place in places.items() if title not in FLAGS and place >= 0]
    assert not shared or max(own) < min(shared)


def test_an_example_is_still_a_command_when_it_is_wrapped() -> None:
    line = "  boto-rolesanywhere env --cert-selector 'Key=x509Subject,Value=CN=a b' \\\n    --debug"
    text = wrapped(f"examples:\n{line}", 38)

    assert max(map(len, text.splitlines())) <= 44  # the quoted word
    command = text.partition("\n")[2].replace("boto-rolesanywhere", "printf '%s\\n'")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    expected = shlex.split(line.replace("\\\n", ""))[1:]
    assert done.stdout.splitlines() == expected


def test_paragraphs_are_joined_and_rows_keep_their_column() -> None:
    text = wrapped("one\ntwo\n\nexit status:\n  0  all of it is well and good\n", 20)
    assert text == "one two\n\nexit status:\n  0  all of it is\n     well and good"
    goes_on = "  0  all of it\n     is well and good\n     enough\n  1  not\n\nend"
    told = "  0  all of it is\n     well and good\n     enough\n  1  not\n\nend"
    assert wrapped(goes_on, 20) == told


def test_a_long_variable_can_be_pasted_when_it_is_wrapped() -> None:
    text = wrapped("then:\n  export NAME=http://127.0.0.1:9911/credentials/reader", 30)
    script = text.partition("\n")[2] + "; env"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert "NAME=http://127.0.0.1:9911/credentials/reader" in done.stdout.splitlines()
