"""The command line: finds the command by its name, runs it, and turns errors into one line.

Each command is a module of `commands` with ``add_arguments(parser)`` and ``run(arguments) -> int``.
Only the chosen one is imported, since the start-up time is part of every AWS CLI call; for the same
reason this module does not import even `typing`.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from .outcome import FAILED, INTERRUPTED, OK, PROGRAM, USAGE, complain, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Final, Protocol, TypeGuard

    from boto_rolesanywhere.errors import RolesAnywhereError

    class Command(Protocol):
        """The module of a command."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            """Declare the options; may set the parser's description and epilog."""
            ...

        def run(self, arguments: argparse.Namespace) -> int:
            """Run the command, and return the exit status.

            Raises:
                RolesAnywhereError: something is missing or wrong, or a call failed.
            """
            ...


# Name → the module in `commands`, and what the command does, in one line.
COMMANDS: Final = {
    "credential-process": (
        "credential_process",
        "print credentials for the AWS CLI and the SDKs",
    ),
    "inspect": ("inspect_", "show what AWS sees of a certificate; try policies"),
    "trust-policy": (
        "trust_policy",
        "print the trust policy of a role, or correct one",
    ),
    "doctor": ("doctor", "check everything that can be wrong"),
    "explain": ("explain", "say what an error's code means, and what to do"),
    "serve": ("serve", "serve credentials: IMDSv2 and container protocol"),
    "exec": ("exec_", "run a command with credentials"),
    "env": ("env", "print credentials as shell variables"),
    "update": ("update", "keep credentials fresh in the shared credentials file"),
    "configure": ("configure", "write a profile of the AWS config file"),
    "setup": ("setup", "make trust anchor, role and profile in an AWS account"),
    "teardown": ("teardown", "remove what setup made"),
    "ca": ("ca", "a CA of your own: make it, issue, renew, revoke"),
    "crl": ("crl", "revocation lists at AWS: bring them, look at them"),
    "revoke": ("revoke", "take a certificate back: CA, list and AWS at once"),
    "subjects": ("subjects", "show who asked for sessions, by which certificate"),
    "read-certificate-data": ("read_certificate_data", "show a certificate's data, or list many"),
    "sign-string": ("sign_string", "sign a fixed text, to try a private key"),
    "completion": ("completion", "print what a shell needs to complete words"),
    "version": ("version", "show the version"),
}

# Those that AWS's helper has too.
_OF_THE_HELPER: Final = (
    *("credential-process", "serve", "update"),
    *("sign-string", "read-certificate-data", "version"),
)
_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: without the program's name; None for the process's own.

    Returns:
        The exit status: 0, 1 (failed, with one line on stderr), 2 (wrong usage) or 130.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  # till the end
    try:
        try:
            status = _dispatch(words)
        except SystemExit as stop:  # argparse's, after --help or a usage error
            status = stop.code if isinstance(stop.code, int) else OK
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _hush()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _UNWRITABLE and not error.filename:
            _hush()
            complain(f"the output cannot be written ({error.strerror})")
            return FAILED
        if isinstance(error, OSError) and error.filename:  # a file that the system withholds
            from .refusals import unreadable

            error = unreadable(error, os.fsdecode(error.filename))
        if not _is_ours(error):
            raise
        complain(f"{error} [{error.code}]")
        # As AWS's helper, whose one status for mistakes is what SDKs and scripts know.
        return FAILED if words[:1] == ["credential-process"] else status_of(error)
    finally:
        _flush_stderr()
    return status


def _dispatch(words: list[str]) -> int:
    if not words:
        # Not on stdout and not 0: a credential_process line that lost its arguments ends here.
        sys.stderr.write(_help())
        return USAGE
    name, rest = words[0], words[1:]
    if name in ("-h", "--help", "help"):
        return _dispatch([rest[0], "--help"]) if name == "help" and rest else _print(_help())
    if name == "--version":
        from boto_rolesanywhere._version import __version__

        return _print(f"{PROGRAM} {__version__}\n")
    if name not in COMMANDS:
        return _dispatch_flags(words)
    return _credential_process(rest) if name == "credential-process" else _run(name, rest)


def _dispatch_flags(words: list[str]) -> int:
    """For words that begin with no command: flags may stand before it."""
    from .command_first import command_first
    from .flag_table import TAKES_VALUE

    if ordered := command_first(words, COMMANDS, TAKES_VALUE):
        return _dispatch(ordered)
    if words[0].partition("=")[0] in TAKES_VALUE:
        complain(f"no command was given. There are: {', '.join(COMMANDS)}.")
    else:
        complain(_unknown(words[0]))
    return USAGE


def _credential_process(words: list[str]) -> int:
    from .cached_answer import cached_answer

    answer = cached_answer(words, os.environ)
    if isinstance(answer, str):
        return _print(answer)
    if answer is None:
        return _run("credential-process", words)

    from boto_rolesanywhere.credentials.failure_mark import FailureMark

    if isinstance(answer, FailureMark):
        complain(f"{answer.message} {answer.note(time.time())} [{answer.code}]")
        return FAILED
    try:
        return _run("credential-process", words, turn=answer)
    finally:
        answer.close()


def _run(name: str, words: list[str], **defaults: object) -> int:
    if not sys.warnoptions:  # a warning of Python's shows a line of code: it is for programmers
        import warnings

        warnings.simplefilter("ignore")
    command = _load(name)
    parser = _parser(name, command)
    parser.set_defaults(**defaults)
    return command.run(parser.parse_args(words))


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of a command, with all that the command declares."""
    return _parser(name, _load(name))


def _load(name: str) -> Command:
    from importlib import import_module

    module: Command = import_module(f".{COMMANDS[name][0]}", f"{__name__}.commands")
    return module


def _parser(name: str, command: Command) -> argparse.ArgumentParser:
    from .parser import Parser

    parser = Parser(
        prog=f"{PROGRAM} {name}",
        allow_abbrev=False,  # an abbreviation in a script would break with the next option
    )
    command.add_arguments(parser)
    parser.passes_over_words = name in _OF_THE_HELPER
    return parser


def _help() -> str:
    from .help_text import columns, wrapped

    width = max(map(len, COMMANDS))
    table = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    text = f"""usage: {PROGRAM} COMMAND [options]

Credentials from AWS IAM Roles Anywhere, for a workload that holds an X.509 certificate.

commands:
{table}

example:
  {PROGRAM} inspect /etc/pki/workload.pem

Each command explains itself: {PROGRAM} COMMAND --help

From Python: import boto_rolesanywhere; session = boto_rolesanywhere.get_session(...)

When something fails, the message ends with a code: {PROGRAM} explain CODE
"""
    return f"{wrapped(text, columns())}\n"


def _unknown(name: str) -> str:
    import difflib

    if name.startswith("-"):  # without a value, which may be a secret
        name = name.partition("=")[0] if name.startswith("--") else name[:2]
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(COMMANDS)}."
    kind = "option" if name.startswith("-") else "command"
    return f"there is no {kind} {name!r}. {hint} See {PROGRAM} --help."


def _print(text: str) -> int:
    sys.stdout.write(text)
    return OK


def _is_ours(error: Exception) -> TypeGuard[RolesAnywhereError]:
    """Whether it is an error of ours, without loading botocore only to ask."""
    errors = sys.modules.get("boto_rolesanywhere.errors")
    return errors is not None and isinstance(error, errors.RolesAnywhereError)


def _hush() -> int:
    """End quietly when the reader went away; the interpreter would flush and complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _flush_stderr() -> None:
    """Drop what nobody reads: the interpreter would try again, and end with its own status 120."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
