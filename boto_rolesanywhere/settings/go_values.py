"""Values of a command line as AWS's helper reads them: as Go's pflag does.

Sources: the documentation of ``strconv.ParseBool`` and ``strconv.ParseInt`` (base 0). A cached
answer passes through here: nothing heavy is imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
