"""Declaring options: switches, lists, and values of one form, which are refused in words."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def add_switch(group: argparse._ActionsContainer, flag: str, text: str) -> None:
    """Declare ``--flag``, which may also be written ``--flag=true`` (see `parser`)."""
    group.add_argument(flag, action="store_true", help=text)


def add_repeated(
    group: argparse._ActionsContainer,
    flag: str,
    metavar: str,
    text: str,
    value: Callable[[str], object] = str,
) -> None:
    """Declare a flag that may be given several times; `value` reads what is added each time."""
    group.add_argument(flag, metavar=metavar, action="append", default=[], type=value, help=text)


def whole(unit: str, least: int, most: int, more: str = "") -> Callable[[str], int]:
    """A parser of whole numbers, from `least` to `most`; `more` ends the refusal."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"it must be a number of {unit} from {least} to {most}{more}"
            )
        return int(text)

    return parse


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """A parser of texts that match `pattern`, which `expected` says in words."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"it must {expected}")
        return text

    return parse
