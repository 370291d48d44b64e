"""Running a command: in place of this process, or as a child.

A child gets the signals that this process gets, and its exit status becomes this process's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from .outcome import complain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

# As POSIX shells report them (XCU 2.8.2).
_CANNOT_RUN: Final = 126
_NOT_FOUND: Final = 127
_SIGNALLED: Final = 128
_TICK: Final = 1.0  # seconds from one look at the child to the next, if no signal comes
_FORWARDED: Final = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# CPython ignores these signals; the programs that it starts expect the default.
_IGNORED_BY_PYTHON: Final = ("SIGPIPE", "SIGXFSZ")


def replace_process(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Become `command`, so that signals reach it and its exit status is seen.

    Returns:
        The exit status if the command could not be started. On Windows, which cannot replace a
        process, the command's exit status.
    """
    if sys.platform == "win32":
        return _run_on_windows(command, environ)
    for name in _IGNORED_BY_PYTHON:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), dict(environ))  # noqa: S606  # no shell is wanted
    except OSError as error:
        return _not_started(command[0], error)


@contextmanager
def signals_held() -> Iterator[Collection[int]]:
    """Hold back the signals that `run_child` passes on, in this thread and those started in it.

    They are still held back after the command has ended: this program returns the command's exit
    status even if a signal arrives while it clears up.

    Yields:
        The signals that were held back before.
    """
    if sys.platform == "win32":
        yield ()
        return
    # A handler, since nobody can wait for a child where SIGCHLD is ignored.
    before_child = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _watched())
    try:
        yield before
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGCHLD, before_child)
        raise


def run_child(
    command: Sequence[str], environ: Mapping[str, str], held_before: Collection[int]
) -> int:
    """Run `command` on this terminal, pass signals on to it, and wait until it ends.

    Args:
        command: the program, looked up in PATH, and its arguments. No shell sees them.
        environ: its environment.
        held_before: what `signals_held` gave.

    Returns:
        Its exit status; 128 and the signal's number if a signal ended it; 127 or 126 if it could
        not be started.
    """
    if sys.platform == "win32":
        return _run_on_windows(command, environ)
    try:
        child = os.posix_spawnp(
            command[0],
            list(command),
            dict(environ),
            setsigmask=held_before,
            setsigdef=[getattr(signal, name) for name in _IGNORED_BY_PYTHON],
        )
    except OSError as error:
        return _not_started(command[0], error)
    while True:
        number, shared = _next_signal()
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _SIGNALLED - code
        if number not in (None, signal.SIGCHLD) and not shared:
            os.kill(child, number)


def _watched() -> list[signal.Signals]:
    return [signal.SIGCHLD, *(getattr(signal, name) for name in _FORWARDED)]


def _next_signal() -> tuple[int | None, bool]:
    """Wait for a signal.

    Returns:
        The signal, and whether the child has it too because the terminal sent it to both. The
        signal is None after a while, since a thread of a library may have taken the signal that
        this one waits for.
    """
    if hasattr(signal, "sigtimedwait"):
        info = signal.sigtimedwait(_watched(), _TICK)
        # sigaction(2): the kernel's own codes are above 0, those of kill(2) are not.
        return (None, False) if info is None else (info.si_signo, info.si_code > 0)
    # macOS does not tell who sent it. At a terminal, somebody has nearly always typed these two.
    number = signal.sigwait(_watched())
    return number, number in (signal.SIGINT, signal.SIGQUIT) and os.isatty(0)


def _run_on_windows(command: Sequence[str], environ: Mapping[str, str]) -> int:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the console sends Ctrl-C to both
    try:
        return subprocess.call(list(command), env=dict(environ))  # noqa: S603  # that is the job
    except OSError as error:
        return _not_started(command[0], error)
    finally:
        signal.signal(signal.SIGINT, before)


def _not_started(program: str, error: OSError) -> int:
    found = not isinstance(error, FileNotFoundError)
    complain(f"exec: {program!r} cannot be run ({error.strerror})")
    return _CANNOT_RUN if found else _NOT_FOUND
