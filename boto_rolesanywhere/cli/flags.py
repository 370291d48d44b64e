"""The flags that all commands take: declaring them, reading which were given, and ``--debug``.

`flag_table` has their names and help texts, `inputs` turns them into settings.
"""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from boto_rolesanywhere.redaction import printable

from . import flag_table
from .flag_table import NO_VERIFY
from .options import add_switch
from .outcome import PROGRAM


def add_flags(parser: argparse.ArgumentParser, *, calls: bool = True) -> None:
    """Declare the flags of certificate, key and call, in their groups.

    Args:
        parser: the command's.
        calls: whether the command calls AWS. One that does not takes those of the call too, so
            that a command line can be tried, but its help does not show them.
    """
    parser.usage = "%(prog)s [flags]"
    for heading, rows in flag_table.FLAGS.items():
        hidden = heading in flag_table.OF_THE_CALL and not calls
        group = parser if hidden else parser.add_argument_group(heading)
        for flag, metavar, shown in rows:
            text = argparse.SUPPRESS if hidden else shown
            if metavar is None:
                add_switch(group, flag, text)
            elif flag == flag_table.SELECTOR:
                # Unquoted, as AWS's documentation shows it, it comes in several words.
                group.add_argument(flag, metavar=metavar, nargs="+", help=text)
            else:
                group.add_argument(flag, metavar=metavar, help=text)


def given_flags(arguments: argparse.Namespace) -> dict[str, str]:
    """The flags that were given, with their values; a switch has an empty one.

    Raises:
        ConfigurationError: two were given that exclude each other.
    """
    flags: dict[str, str] = {}
    for flag in flag_table.TAKES_VALUE:
        value: object = getattr(arguments, flag[2:].replace("-", "_"), None)
        if isinstance(value, list):
            value = " ".join(value)
        if value is not None and value is not False:
            flags[flag] = "" if value is True else str(value)
    if pair := flag_table.conflict(flags):
        from .refusals import both_given

        raise both_given(*pair, "Leave one of them out.")
    return flags


class _Printable(logging.Formatter):
    """Escapes what could forge a line or steer the terminal, in other packages' messages too."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  # logging's
        # A traceback keeps its lines; none begins where a message does.
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {printable(line)}" for line in lines)


def hush_urllib3() -> None:
    """Drop its warning that TLS is not checked: it comes at each call, with a line of code."""
    import warnings

    from urllib3.exceptions import InsecureRequestWarning

    warnings.simplefilter("ignore", InsecureRequestWarning)


def prepare(arguments: argparse.Namespace) -> None:
    """Set up messages on stderr: warnings, and with ``--debug`` everything. Call it first."""
    handler = logging.StreamHandler(sys.stderr)
    if arguments.debug:
        handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    else:
        handler.setFormatter(_Printable(f"{PROGRAM}: %(message)s"))
        logger = logging.getLogger("boto_rolesanywhere")
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
    if arguments.no_verify_ssl:
        hush_urllib3()
        logging.getLogger("boto_rolesanywhere.cli").warning(
            "%s: the endpoint's TLS certificate is not checked; whoever is on the way can read the"
            " credentials.",
            NO_VERIFY,
        )
