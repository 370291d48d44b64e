"""The words of a command line as AWS's helper takes them: flags may stand before the command.

Source: the documentation of the packages github.com/spf13/cobra and pflag. A cached answer passes
through here: nothing heavy is imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


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
