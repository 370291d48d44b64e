"""All commands and actions, with what may stand behind each: read from argparse's parsers."""

# argparse has no public list of what was declared.
# ruff: noqa: SLF001

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli import COMMANDS, parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Parts of the metavars of values that are files or folders, or may be.
_FILES: Final = {"FILE", "FOLDER", "PLACE", "INDEX", "SOURCE", "COMMAND"}
_LONGEST: Final = 70


class Value(Enum):
    """What stands behind a flag."""

    NONE = 0
    ONE_OF = 1
    FILE = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A word that can be completed: a command, an action or a flag.

    Attributes:
        text: the word itself.
        help: what it means, in one short line.
        value: what stands behind it.
        choices: the values, if there are few.
    """

    text: str
    help: str
    value: Value = Value.NONE
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What may come next.

    Attributes:
        path: the command and action before it, such as ``ca issue``; empty before a command.
        words: what can be completed.
        takes_files: whether a file or folder may stand there too.
    """

    path: str
    words: tuple[Word, ...]
    takes_files: bool = False


def contexts() -> list[Context]:
    """Every context, that before a command first."""
    commands = tuple(Word(name, summary) for name, (_, summary) in COMMANDS.items())
    ends = (Word("--help", "show the commands"), Word("--version", "show the version"))
    inner = [each for name in COMMANDS for each in _contexts(name, parser_of(name))]
    return [Context("", commands + ends), *inner]


def _contexts(path: str, parser: argparse.ArgumentParser) -> Iterator[Context]:
    words: list[Word] = []
    takes_files = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            words += [Word(name, _short(helps.get(name, ""))) for name in action.choices]
        elif action.option_strings and action.help != argparse.SUPPRESS:
            text = _short((action.help or "") % {**vars(action), "prog": parser.prog})
            words.append(Word(action.option_strings[-1], text, _value(action), _choices(action)))
        elif not action.option_strings:
            words += [Word(choice, _short(action.help or "")) for choice in _choices(action)]
            takes_files = takes_files or _value(action) is Value.FILE
    yield Context(path, tuple(words), takes_files)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from _contexts(f"{path} {name}", inner)


def _value(action: argparse.Action) -> Value:
    if action.nargs == 0:
        return Value.NONE
    if action.choices:
        return Value.ONE_OF
    parts = set(re.split(r"\W+", str(action.metavar)))
    return Value.FILE if parts & _FILES else Value.OTHER


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices or ()))


def _short(text: str) -> str:
    """The first clause of a help text, or what fits of it."""
    clause = re.split(r"[.;:] | \(", " ".join(text.split()), maxsplit=1)[0]
    return clause if len(clause) <= _LONGEST else f"{clause[: _LONGEST - 1].rstrip()}…"
