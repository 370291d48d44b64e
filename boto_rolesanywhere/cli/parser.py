"""argparse's parser, which reports a mistake as the command reports every error: in one line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn

from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.go_values import boolean

from .flag_table import CONFIG_PROFILE, FLAGS
from .help_text import Help
from .outcome import PROGRAM, USAGE, complain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TORN = (
    "A line break came with the arguments: in ~/.aws/config, a line that is continued with a"
    " backslash does not arrive whole. Write credential_process on one line."
)
# What word processors make of hyphens.
_DASHES = ("\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")
# What people write to name a profile of the config file.
_OF_THE_AWS_CLI = ("--profile", "--aws-profile", "--profile-name")
# As the flags of all commands are: --pkcs11-pin, --role-arn.
_LIKE_A_FLAG = re.compile("--(?=.{1,30}$)[a-z]+[0-9]{0,2}(-[a-z]+)*")


class Parser(argparse.ArgumentParser):
    """A parser for one command.

    Attributes:
        usage_status: the exit status for wrong usage.
        passes_over_words: whether words that no flag takes are passed over with a warning, as
            AWS's helper does: a comment at the end of a line of ~/.aws/config arrives so.
        words: those that it parses, or has parsed.
    """

    usage_status: int = USAGE
    passes_over_words: bool = False

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # argparse's
        super().__init__(**{"formatter_class": Help, **options})
        self.words: list[str] = []

    def format_help(self) -> str:
        """The help, with the command's own options before those of all commands."""
        self._action_groups.sort(key=lambda group: group.title in FLAGS)
        return super().format_help()

    def parse_args(  # type: ignore[override]  # without a namespace of the caller's
        self, args: Sequence[str] | None = None
    ) -> argparse.Namespace:
        """Parse; of what no flag takes, only the flags' names are reported.

        argparse would print the values too, and a mistyped flag may carry a passphrase.
        """
        words = list(sys.argv[1:] if args is None else args)
        arguments, strangers = self.parse_known_args(words)
        arguments.words = words
        if any("\n" in word or word.endswith("\\") for word in strangers):
            from boto_rolesanywhere.settings.process_line import torn_line

            place = torn_line(os.environ)
            seen = f" Look at {place}." if place else ""
            self._end(f"there is something that no flag takes. {_TORN}{seen}")
        if self.passes_over_words and strangers and all(map(_is_harmless, strangers)):
            complain(f"{self._name}: {_surplus(strangers)}: passed over.")
        elif strangers:
            chosen = next((each for each in self._parsers_of_actions() if each.words), self)
            chosen.refuse(words, strangers)
        return arguments

    def _parsers_of_actions(self) -> Iterator[Parser]:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  # no public name
                yield from action.choices.values()

    def refuse(self, words: Sequence[str], strangers: Sequence[str]) -> NoReturn:
        """End the program with an error about the words that no flag takes."""
        self.error(self._meant_profile(words, strangers) or self._unknown(strangers))

    def parse_known_args(  # type: ignore[override]  # of no type but its own
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse words as AWS's helper, a Go program, takes them, so that its lines go on working.

        A value may begin with ``-``, but be no flag of the command's; a switch may have a value in
        any of Go's spellings.
        """
        words = sys.argv[1:] if args is None else args
        self.words = self._plain(words)
        return super().parse_known_args(self.words, namespace)

    def _plain(self, words: Sequence[str]) -> list[str]:
        """The words in the forms that argparse takes: values that begin with ``-`` behind ``=``."""
        plain: list[str] = []
        rest = list(words)
        while rest and rest[0] != "--" and (rest[0].startswith("-") or not self._has_own_words):
            word = rest.pop(0)
            flag, equals, value = word.partition("=")
            action = self._option_string_actions.get(flag)
            if action is not None and action.const is True and not equals:
                if rest and boolean(rest[0]) and not self._has_places:  # the helper passes it over
                    rest.pop(0)
            elif action is not None and action.const is True and boolean(value) is not None:
                plain = [each for each in plain if each != flag]
                if not boolean(value):  # as if it had not been given
                    continue
                word = flag
            elif (
                action is not None and action.nargs is None and not equals and self._is_value(rest)
            ):
                word = f"{flag}={rest.pop(0)}"
            plain.append(word)
        return plain if rest == ["--"] else [*plain, *rest]

    def _is_value(self, rest: Sequence[str]) -> bool:
        """Whether a value comes next; if it is a flag of the command's, a value was forgotten."""
        return bool(rest) and rest[0].partition("=")[0] not in self._option_string_actions

    @property
    def _has_places(self) -> bool:
        """Whether the command takes words without a flag."""
        return any(not action.option_strings for action in self._actions)

    @property
    def _has_own_words(self) -> bool:
        """Whether what follows the first word is for an action of the command or a program."""
        return any(
            action.nargs in (argparse.PARSER, argparse.REMAINDER) for action in self._actions
        )

    def _meant_profile(self, words: Sequence[str], strangers: Sequence[str]) -> str | None:
        """The advice for ``--profile NAME``, as the AWS CLI has it; None if that is not there."""
        for place, word in enumerate(words):
            flag, _, value = word.partition("=")
            if flag in _OF_THE_AWS_CLI and word in strangers:
                value = value or " ".join(words[place + 1 : place + 2])
                meant = names.PROFILE.flag if value.startswith("arn:") else CONFIG_PROFILE
                if meant in self._option_string_actions:
                    return f"there is no flag {flag} (did you mean {meant}?)"
        return None

    def _unknown_flags(self) -> str | None:
        """The error for flags that do not exist; None if there is none among the words."""
        words = list(takewhile(lambda word: word != "--", self.words))
        if self._has_own_words:
            words = list(takewhile(lambda word: word.startswith("-"), words))
        known = self._option_string_actions
        strangers = [
            word for word in words if word.startswith("--") and word.partition("=")[0] not in known
        ]
        if not strangers:
            return None
        return self._meant_profile(words, strangers) or self._unknown(strangers)

    def _unknown(self, strangers: Sequence[str]) -> str:
        flags = [word.partition("=")[0] for word in strangers if word.startswith("--")]
        flags += [
            word.partition("=")[0]
            for word in strangers
            if f"-{word}".partition("=")[0] in self._option_string_actions
        ]
        if not flags and any(word.startswith(_DASHES) for word in strangers):
            return "a flag begins with two hyphens (--), and one here with a dash"
        if not flags:
            return _surplus(strangers)
        return f"there is no flag {', '.join(map(self._named, flags))}"

    def _named(self, flag: str) -> str:
        """The flag, with the nearest that there is; without what may be a value glued to it."""
        known = [text for action in self._actions for text in action.option_strings]
        begins = [text for text in known if flag.startswith(text) and text.startswith("--")]
        import difflib  # here, since few command lines are wrong

        # Without the hyphens, which would make any two flags alike.
        bare = {text.lstrip("-"): text for text in known if text.startswith("--")}
        close = difflib.get_close_matches(flag.lstrip("-"), bare, n=1)
        near = [*sorted(begins, key=len)[-1:], *(bare[text] for text in close)][:1]
        if not near:
            return flag if _LIKE_A_FLAG.fullmatch(flag) else "of that name"
        # A slip of the finger adds a letter at most.
        shown = flag if len(flag) <= len(near[0]) + 1 else "of that name"
        return f"{shown} (did you mean {near[0]}?)"

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more, and end the program."""
        if message.endswith("required") or "are required" in message:
            # If a flag is misspelt, that says more than which one is missing.
            message = self._unknown_flags() or message
        # argparse quotes the value of a switch that takes none, and a word that is no choice.
        message = re.sub("ignored explicit argument .*", "it is true or false", message)
        message = re.sub(
            r"invalid choice: .* \(choose from (.*)\)", r"it must be one of \1", message
        )
        self._end(f"{message}. See {self.prog} --help.")

    def _end(self, message: str) -> NoReturn:
        complain(f"{self._name}: {message}")
        raise SystemExit(self.usage_status)

    @property
    def _name(self) -> str:
        return self.prog.removeprefix(f"{PROGRAM} ")


def _surplus(words: Sequence[str]) -> str:
    return f"{len(words)} argument{'s' * (len(words) > 1)} that no flag takes"


def _is_harmless(word: str) -> bool:
    """Whether it is a plain word: no misspelt flag, and no "false" behind a switch."""
    return not word.startswith(("-", *_DASHES)) and boolean(word) is not False
