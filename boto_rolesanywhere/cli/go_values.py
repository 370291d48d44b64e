"""Values and words of a command line as AWS's helper reads them: as Go's pflag does.

Sources: the documentation of ``strconv.ParseBool`` and ``strconv.ParseInt`` (base 0), and that of
the package github.com/spf13/pflag. A cached answer passes through here: nothing heavy is imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Final

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def boolean(text: str) -> bool | None:
    """The value of a switch that is written ``--flag=text``; None if it is none."""
    return _BOOLEANS.get(text)


def whole_number(text: str) -> int | None:
    """The number that a text spells, for example ``3600``, ``0xE10`` or ``3_600``; None for none.

    As in Go, a 0 before other digits makes it octal.
    """
    if not text.isascii() or text != text.strip():
        return None
    digits = text.lstrip("+-")
    if digits.startswith("0") and (digits[1:2].isdigit() or digits[1:2] == "_"):
        text = text.replace("0", "0o", 1)  # as Python spells it
    try:
        return int(text, 0)
    except ValueError:
        return None


def command_first(
    words: Sequence[str], commands: Collection[str], takes_value: Mapping[str, bool]
) -> list[str] | None:
    """The words with the command's name before the flags that stood before it; None without one.

    Args:
        words: without the program's name.
        commands: the names of all commands.
        takes_value: flags, and whether they take a value. A flag that is not among them takes the
            next word, if that is no command.
    """
    at = 0
    while at < len(words) and words[at] not in commands:
        flag, equals, _ = words[at].partition("=")
        if not flag.startswith("--") or flag == "--":
            return None
        at += 1
        takes = False if equals else takes_value.get(flag)
        if takes:
            at += 1
        while takes is not False and at < len(words) and _may_be_value(words[at], commands):
            at += 1
    return [words[at], *words[:at], *words[at + 1 :]] if at < len(words) else None


def _may_be_value(word: str, commands: Collection[str]) -> bool:
    return not word.startswith("-") and word not in commands
