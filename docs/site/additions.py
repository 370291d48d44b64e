"""What a site shows beyond the Markdown: the sidebar, each command's options, the docstrings.

All is added to a page's text as Sphinx reads it, from the one place that has it already: the index
page, the parsers, the packages' ``__all__``.
"""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import TYPE_CHECKING

from boto_rolesanywhere import cli
from boto_rolesanywhere.errors import RolesAnywhereError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

INDEX = "docs/README"
API = "docs/api"
# Public, as docs/architecture.md lists them; None: all of __all__.
PACKAGES = {
    "boto_rolesanywhere": None,
    "boto_rolesanywhere.create_session.signer": (
        "sign",
        "canonical_request",
        "string_to_sign",
        "SigningIdentity",
    ),
    "boto_rolesanywhere.doctor": None,
    "boto_rolesanywhere.testing": None,
    "boto_rolesanywhere.testing.faults": None,
}
_SECTION = re.compile(r"^## (.+)\n((?:(?!^## ).*\n?)*)", re.MULTILINE)
_PAGE = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)\.md\)")


def add(_app: Sphinx, name: str, source: list[str]) -> None:
    """Add to a page what belongs to it."""
    command = name.removeprefix("docs/")
    if name == INDEX:
        source[0] += "\n".join(sidebar(source[0]))
    elif name == API:
        source[0] += "\n".join(docstrings())
    elif command in cli.COMMANDS:
        source[0] += "\n".join(options(command))


def sidebar(index: str) -> Iterator[str]:
    """A group for each section of the index, with the pages that it links, each once."""
    seen: set[str] = set()
    for title, section in _SECTION.findall(index):
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n"
        for text, page in _PAGE.findall(section):
            if page not in seen:
                yield f"{text} <{page}>"
            seen.add(page)
        yield "```\n"


def options(command: str) -> Iterator[str]:
    """The parser of a command, and those of its actions, as sections."""
    parser = cli._parser(command, cli._load(command))
    yield "\n## All options\n"
    yield from _of(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                yield f"\n### `{command} {name}`\n"
                yield from _of(each)


def _of(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from _prose(parser.description or "")
    yield f"```text\n{parser.format_usage().rstrip()}\n```\n"
    for group in parser._action_groups:
        rows = [action for action in group._group_actions if is_shown(action)]
        if rows and group.title not in {None, "options", "positional arguments"}:
            yield f"**{escaped(str(group.title))}**\n"
        if rows:
            yield from _prose(group.description or "")
        for action in rows:
            yield from _row(parser, action)
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```\n"


def _prose(text: str) -> Iterator[str]:
    """Paragraphs; one with columns stays as it is."""
    for paragraph in filter(None, text.split("\n\n")):
        columns = "\n " in f"\n{paragraph}"
        yield f"```text\n{paragraph}\n```\n" if columns else f"{escaped(paragraph)}\n"


def is_shown(action: argparse.Action) -> bool:
    """Whether `--help` lists it, and it is no list of actions."""
    hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction)
    return not hidden and not isinstance(action, argparse._SubParsersAction)


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> Iterator[str]:
    """An option, and what its help says, as --help shows them."""
    formatter = parser._get_formatter()
    yield f"`{formatter._format_action_invocation(action)}`"
    said = formatter._expand_help(action) if action.help else "—"
    yield f": {escaped(' '.join(said.split()))}\n"


def escaped(text: str) -> str:
    """Plain text, in Markdown; options as code."""
    plain = re.sub(r"([\\`*_{}\[\]()<>#+!|~$])", r"\\\1", text)
    return re.sub(r"(?<![\w-])(--[a-z][a-z0-9-]*)", r"`\1`", plain)


def docstrings() -> Iterator[str]:
    """Directives of autodoc for all public names: functions, classes, then errors."""
    for name, chosen in PACKAGES.items():
        module = import_module(name)
        public = [each for each in chosen or module.__all__ if not each.startswith("__")]
        yield f"\n## {name}\n\n```{{eval-rst}}\n.. currentmodule:: {name}\n"
        for _, directive in sorted(_directive(each, getattr(module, each)) for each in public):
            yield directive
        yield "```\n"


def _directive(name: str, value: object) -> tuple[int, str]:
    """The directive of a public name, and its rank on the page."""
    if not isinstance(value, type):
        return 0, f".. auto{'function' if callable(value) else 'data'}:: {name}\n"
    if not issubclass(value, Exception):
        return 1, f".. autoclass:: {name}\n   :members:\n"
    if value.__init__ is not RolesAnywhereError.__init__ or value is RolesAnywhereError:
        return 2, f".. autoexception:: {name}\n   :members:\n"
    return 3, f".. autoexception:: {name}()\n"  # made as the first is


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what adds to the pages."""
    app.connect("source-read", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
