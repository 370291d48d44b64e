"""argparse's parser, which reports a mistake as the command reports every error: in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .outcome import PROGRAM, USAGE, complain

_TORN = (
    "A line break came with the arguments: in ~/.aws/config, a line that is continued with a"
    " backslash does not arrive whole. Write credential_process on one line."
)


class Parser(argparse.ArgumentParser):
    """A parser for one command.

    Attributes:
        usage_status: the exit status for wrong usage.
    """

    usage_status: int = USAGE

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more, and end the program."""
        torn = "\n" in message or message.endswith("\\")
        command = self.prog.removeprefix(f"{PROGRAM} ")
        complain(f"{command}: {message}. {_TORN if torn else f'See {self.prog} --help.'}")
        raise SystemExit(self.usage_status)
