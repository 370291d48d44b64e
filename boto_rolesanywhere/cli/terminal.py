"""Text for a terminal: marks, colour, columns and wrapping. Shared by the commands; no commands.

A terminal gets colour and wrapped lines; a file or a pipe gets plain text, one line for each item.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Final, Literal, TextIO

from boto_rolesanywhere.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Mark = Literal["ok", "fail", "warn", "skip", "none"]

_WORDS: Final = {"fail": "FAIL", "none": ""}  # the other marks are their words
_MARK_WIDTH: Final = 4
_CODES: Final = {"ok": "32", "fail": "1;31", "warn": "33", "skip": "2", "bold": "1", "dim": "2"}
_WIDEST: Final = 100
_NARROWEST: Final = 40
_WIDEST_LABEL: Final = 34


class Page:
    """A page of text, built from headings, fields, marked lines and notes.

    Args of the constructor:
        colour: whether to write colours.
        width: columns to wrap at; None for not at all.
    """

    def __init__(self, *, colour: bool = False, width: int | None = None) -> None:
        self._colour = colour
        self._width = width
        self._lines: list[str] = []

    @classmethod
    def for_stream(cls, stream: TextIO, environ: Mapping[str, str] | None = None) -> Page:
        """A page for `stream`: with colour and wrapped if it is a terminal, plain if not.

        Honours ``NO_COLOR`` (no-color.org: any value but an empty one) and ``TERM=dumb``.
        """
        env = os.environ if environ is None else environ
        if not stream.isatty():
            return cls()
        colour = not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        columns = shutil.get_terminal_size().columns
        return cls(colour=colour, width=max(_NARROWEST, min(columns, _WIDEST)))

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def write(self, stream: TextIO) -> None:
        """Write the page; what the stream's encoding lacks is escaped."""
        encoding = stream.encoding or "utf-8"
        stream.write(str(self).encode(encoding, "backslashreplace").decode(encoding))

    def heading(self, text: str, detail: str = "") -> None:
        """A heading, after an empty line unless it is the first."""
        if self._lines:
            self._lines.append("")
        shown = self._paint("bold", printable(text))
        self._lines.append(f"{shown}  {printable(detail)}" if detail else shown)

    def fields(self, pairs: Iterable[tuple[str, str]], *, indent: int = 2) -> None:
        """Labels and values, the values in one column. An empty label goes on with the last."""
        listed = list(pairs)
        fitting = [len(label) for label, _ in listed if len(label) <= _WIDEST_LABEL]
        column = indent + max(fitting, default=0) + 2
        for label, value in listed:
            start = " " * indent + printable(label)
            if len(start) + 2 > column:
                self._lines.append(start)
                start = ""
            self._wrap(start.ljust(column), printable(value), column)

    def marked(self, mark: Mark, text: str, detail: str = "", *, column: int = 0) -> None:
        """A line with a verdict before it; `detail` starts at least `column` after the text."""
        word = self._paint(mark, _WORDS.get(mark, mark).ljust(_MARK_WIDTH))
        start = f"  {word} {printable(text).ljust(column) if detail else ''}"
        hang = 2 + _MARK_WIDTH + 1
        if not detail:
            self._wrap(start, printable(text), hang)
            return
        gap = "  "
        self._wrap(start + gap, printable(detail), hang + max(column, len(text)) + len(gap))

    def note(self, text: str, *, indent: int = 7) -> None:
        """A line below another, in its column."""
        self._wrap(" " * indent, printable(text), indent)

    def _wrap(self, start: str, text: str, hang: int) -> None:
        """Put `text` after `start`, further lines under column `hang`."""
        if self._width is None or self._width - hang < _NARROWEST // 2:
            self._lines.append((start + text).rstrip())
            return
        rows = _break(text, self._width - hang) or [""]
        self._lines.append((start + rows[0]).rstrip())
        self._lines.extend(" " * hang + row for row in rows[1:])

    def _paint(self, name: str, text: str) -> str:
        code = _CODES.get(name)
        if not self._colour or code is None or not text.strip():
            return text
        return f"\x1b[{code}m{text}\x1b[0m"


def _break(text: str, width: int) -> list[str]:
    """Break at blanks, and within a long word (an ARN, a number) at its own joints or anywhere."""
    rows: list[str] = []
    for row in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        rest = row
        while len(rest) > width:
            joints = [found.end() for found in re.finditer(r"[/:,.]", rest[:width])]
            cut = joints[-1] if joints and joints[-1] > width // 2 else width
            rows.append(rest[:cut])
            rest = rest[cut:]
        rows.append(rest)
    return rows


def write_json(document: object) -> None:
    """Write a document for programs to stdout."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
