"""Terraform's language: blocks and values as text, escaped and laid out as `terraform fmt` does.

HCL Native Syntax Specification, "Template Expressions": in a quoted text and in a heredoc, ``${``
and ``%{`` begin a template unless their first character is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_KEYWORDS: Final = frozenset({"for", "null", "true", "false"})
_NAMED: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
_TEMPLATE: Final = re.compile(r"([$%])\{")
_END: Final = "EOT"
_SEVERAL: Final = 2  # from so many on, each has a line of its own


@dataclass(frozen=True, slots=True)
class Expression:
    """Text that is already of the language: a reference or a call."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of Terraform's, with one argument."""

    function: str
    argument: Value


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A text of several lines, shown as they are; its first line does not begin with a blank.

    Attributes:
        parts: text, and expressions whose values stand between.
    """

    parts: tuple[str | Expression, ...]


Scalar: TypeAlias = str | bool | int | float | Expression | None
Value: TypeAlias = Union[Scalar, Call, Heredoc, "Sequence[Value]", "Mapping[str, Value]"]


@dataclass(frozen=True, slots=True)
class Block:
    """A block, such as ``resource "aws_iam_role" "this" { … }``.

    Attributes:
        body: attributes (name and value) and blocks, in their order.
    """

    kind: str
    labels: tuple[str, ...]
    body: tuple[tuple[str, Value] | Block, ...]


def render(parts: Sequence[Block | str]) -> str:
    """The text of a file; a text among its parts is a comment, for whoever reads the file."""
    return "\n".join("\n".join(_lines_of(part)) + "\n" for part in parts)


def quoted(text: str) -> str:
    """A text between quotation marks."""
    escaped = "".join(_NAMED.get(char) or _shown(char) for char in text)
    return f'"{_literal(escaped)}"'


def _shown(char: str) -> str:
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _literal(text: str) -> str:
    return _TEMPLATE.sub(r"\1\1{", text)


def _lines_of(part: Block | str) -> Iterator[str]:
    if isinstance(part, str):
        yield from (f"# {line}".rstrip() for line in part.splitlines())
        return
    yield " ".join((part.kind, *map(quoted, part.labels), "{"))
    yield from (f"  {line}".rstrip() for line in _body(part))
    yield "}"


def _body(block: Block) -> Iterator[str]:
    """Attributes that follow each other, and each block, with an empty line in between."""
    paragraphs: list[Iterator[str]] = []
    for is_block, entries in groupby(block.body, lambda entry: isinstance(entry, Block)):
        if is_block:
            paragraphs += [_lines_of(entry) for entry in entries if isinstance(entry, Block)]
        else:
            attributes = [entry for entry in entries if isinstance(entry, tuple)]
            paragraphs.append(_aligned([(name, _value(value)) for name, value in attributes]))
    for number, lines in enumerate(paragraphs):
        if number:
            yield ""
        yield from lines


def _aligned(attributes: list[tuple[str, list[str]]]) -> Iterator[str]:
    """Align the equals signs of attributes on consecutive lines.

    A heredoc counts as one line.
    """
    for several, group in groupby(attributes, key=lambda attribute: _is_several(attribute[1])):
        listed = list(group)
        width = 0 if several else max(len(name) for name, _ in listed)
        for name, lines in listed:
            yield f"{name.ljust(width)} = {lines[0]}"
            yield from lines[1:]


def _is_several(lines: list[str]) -> bool:
    return len(lines) > 1 and not lines[0].startswith("<<")


def _value(value: Value) -> list[str]:
    if isinstance(value, Call):
        lines = _value(value.argument)
        lines[0] = f"{value.function}({lines[0]}"
        lines[-1] += ")"
        return lines
    if isinstance(value, Heredoc):
        return _heredoc(value.parts)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _list(value)
    return [_scalar(value)]


def _scalar(value: Scalar) -> str:
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else str(value)


def _heredoc(parts: Sequence[str | Expression]) -> list[str]:
    text = "".join(
        f"${{{part.text}}}" if isinstance(part, Expression) else _literal(part) for part in parts
    )
    lines = text.splitlines()
    end = _END
    while any(line.strip() == end for line in lines):
        end += "_"
    return [f"<<-{end}", *(f"  {line}" for line in lines), end]


def _list(values: Sequence[Value]) -> list[str]:
    items = [_value(value) for value in values]
    if len(items) < _SEVERAL and all(len(item) == 1 for item in items):
        return [f"[{', '.join(item[0] for item in items)}]"]
    lines = [f"  {line}" for item in items for line in (*item[:-1], f"{item[-1]},")]
    return ["[", *lines, "]"]


def _object(entries: Mapping[str, Value]) -> list[str]:
    if not entries:
        return ["{}"]
    attributes = [(_key(key), _value(value)) for key, value in entries.items()]
    return ["{", *(f"  {line}" for line in _aligned(attributes)), "}"]


def _key(text: str) -> str:
    plain = _IDENTIFIER.fullmatch(text) and text not in _KEYWORDS
    return text if plain else quoted(text)
