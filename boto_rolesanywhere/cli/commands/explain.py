"""``explain``: what an error's code means and what to do about it, from the package's own entries.

TROUBLESHOOTING.md is made from the same entries.
"""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.outcome import OK, PROGRAM, USAGE, complain
from boto_rolesanywhere.cli.terminal import Page

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

_DESCRIPTION: Final = """\
Explain an error: every error names its code, and each code has an entry with the literal
messages, the cause and what to do. Nothing is asked of any service."""
_EPILOG: Final = f"""\
examples:
  {PROGRAM} explain key-not-of-certificate
  {PROGRAM} explain                          # all codes, by subject"""
_MESSAGE: Final = "- "


@dataclass(frozen=True, slots=True)
class Explanation:
    """The entry of one code.

    Attributes:
        code: the error's.
        group: the subject that it belongs to.
        messages: what the error says, literally; ``…`` stands for what differs each time.
        cause: why it comes, in Markdown.
        remedy: what to do, in Markdown.
    """

    code: str
    group: str
    messages: tuple[str, ...]
    cause: str
    remedy: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.usage = "%(prog)s [CODE]"
    parser.add_argument(
        "code", nargs="?", metavar="CODE", help="of the error; all codes are listed without it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the entry, or the list of codes."""
    found = explanations()
    page = Page.for_stream(sys.stdout)
    code = (arguments.code or "").strip("[]. ").lower()  # as an error's line ends with it
    if arguments.code is None:
        _list(found.values(), page)
    elif code in found:
        _show(found[code], page)
    else:
        near = difflib.get_close_matches(code, found, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"`{PROGRAM} explain` lists them."
        complain(f"there is no code {arguments.code!r}. {hint}")
        return USAGE
    page.write(sys.stdout)
    return OK


def explanations() -> dict[str, Explanation]:
    """Every entry, by its code, in the order of the codes."""
    folder = resources.files("boto_rolesanywhere") / "explanations"
    texts = {file.name.removesuffix(".md"): file.read_text("utf-8") for file in folder.iterdir()}
    return {code: _parse(code, texts[code]) for code in sorted(texts)}


def _parse(code: str, text: str) -> Explanation:
    group, messages, cause, remedy = text.strip().split("\n\n")
    return Explanation(
        code=code,
        group=group,
        messages=tuple(line.removeprefix(_MESSAGE)[1:-1] for line in messages.splitlines()),
        cause=cause.removeprefix("**Cause.** "),
        remedy=remedy.removeprefix("**What to do.** "),
    )


def _list(found: Iterable[Explanation], page: Page) -> None:
    listed = list(found)
    for group in dict.fromkeys(entry.group for entry in listed):
        page.heading(group)
        page.fields((entry.code, entry.messages[0]) for entry in listed if entry.group == group)


def _show(entry: Explanation, page: Page) -> None:
    page.heading(entry.code)
    for message in entry.messages:
        page.note(message, indent=2)
    page.heading("Cause")
    page.note(_plain(entry.cause), indent=2)
    page.heading("What to do")
    page.note(_plain(entry.remedy), indent=2)


def _plain(markdown: str) -> str:
    """The text as a terminal shows it: links by their text alone."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
