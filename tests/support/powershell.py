"""A parser of PowerShell's language: no registry has PowerShell itself by name."""

from __future__ import annotations

from typing import Final

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser, Query, QueryCursor

_LANGUAGE: Final = Language(tree_sitter_powershell.language())


def parsed(script: str) -> Node:
    """The script's tree; ValueError if it is none."""
    root = Parser(_LANGUAGE).parse(script.encode()).root_node
    if root.has_error:
        raise ValueError(f"no PowerShell: {root}")
    return root


def found(pattern: str, root: Node) -> dict[str, list[str]]:
    """The strings in single quotes that a query captures, by the capture's name, as they read."""
    nodes = QueryCursor(Query(_LANGUAGE, pattern)).captures(root)
    return {name: [_unquoted(each) for each in those] for name, those in nodes.items()}


def _unquoted(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()[1:-1].replace("''", "'")
