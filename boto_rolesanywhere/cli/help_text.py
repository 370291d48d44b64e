"""How help looks: wrapped for the terminal, from 40 columns on; a command's own options first."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# A word and its explanation, with two blanks or more between them.
_ROW: Final = re.compile(r"(\s+\S(?:.*?\S)?\s{2,})(\S.*)")
# What a shell runs, and may therefore go on after a backslash.
_RUN: Final = re.compile(r"\s+(boto-rolesanywhere|aws|eval|export|\(umask|sudo|scripts/)")
_WORD: Final = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\S)+")


class Help(argparse.HelpFormatter):
    """argparse's help, with paragraphs that are wrapped and examples that can still be typed."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return textwrap.indent(wrapped(text, width - len(indent)), indent)

    def start_section(self, heading: str | None) -> None:
        """Begin a group; its title is wrapped too."""
        super().start_section(textwrap.fill(heading, self._width) if heading else heading)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        text = super()._format_action_invocation(action)
        width = max(self._width - self._current_indent, len("--"))
        return "\n".join(_wrap(text, width, " " * (self._current_indent + 2)))

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs == argparse.ONE_OR_MORE:  # argparse names it twice
            return str(action.metavar or default_metavar)
        return super()._format_args(action, default_metavar)

    def _split_lines(self, text: str, width: int) -> list[str]:
        # A flag is not broken at its hyphens.
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        text = super()._format_usage(usage, actions, groups, prefix)
        return "\n".join((*_wrap(" ".join(text.split()), self._width, "  "), "", ""))


def columns() -> int:
    """How wide help may be: two less than the terminal, as argparse has it."""
    return shutil.get_terminal_size().columns - 2


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width`, as far as its words allow.

    Lines without an indent are a paragraph. An indented one is a row of a table, a command, or a
    line of a file, and keeps its indent.
    """
    return "\n".join(line for block in _blocks(text) for line in _lines(block, width))


def _blocks(text: str) -> list[str]:
    """Paragraphs and indented lines.

    A command that goes on after a backslash is one, and so is a row that goes on in its column.
    """
    blocks: list[str] = []
    column = 0  # where the last block goes on; 0 for a paragraph
    lines = iter(text.splitlines())
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line and blocks and blocks[-1] and indent == column:
            blocks[-1] += f" {line.strip()}"
            continue
        whole = line
        while whole.endswith(" \\"):
            whole = f"{whole[:-1]}{next(lines, '').strip()}"
        blocks.append(whole)
        row = _ROW.fullmatch(whole)
        column = len(row[1]) if row else -1 if indent else 0
    return blocks


def _lines(block: str, width: int) -> list[str]:
    if len(block) <= width:
        return [block]
    indent = block[: len(block) - len(block.lstrip())]
    if _RUN.match(block):
        return _command(block, width, indent)
    hang = f"{indent}  " if indent else ""
    if (row := _ROW.fullmatch(block)) and len(row[1]) <= width // 2:
        hang = " " * len(row[1])
    return _wrap(block, width, hang)


def _wrap(block: str, width: int, hang: str) -> list[str]:
    return textwrap.wrap(
        block,
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _command(block: str, width: int, indent: str) -> list[str]:
    """A command over several lines, which a shell still takes for one."""
    lines = [indent.rstrip("\n")]
    for word in _WORD.findall(block):
        blank = "" if lines[-1].isspace() or not lines[-1] else " "
        if blank and len(lines[-1]) + 1 + len(word) + 2 > width:
            lines.append(f"{indent}  {word}")
        else:
            lines[-1] += blank + word
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]
