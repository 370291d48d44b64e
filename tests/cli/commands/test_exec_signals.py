"""Who hears which signal under ``exec``."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress

import processes
import pytest
from exec_runs import PATIENCE, both_ways, python, run, words_of

# Says which signals it got, in their order, and ends at SIGTERM.
LISTEN = """
import os, signal, sys, time
def tell(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # print() may be at work already
    if number == signal.SIGTERM:
        sys.exit(3)
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"):
    signal.signal(getattr(signal, name), tell)
os.write(1, b"listening\\n")
while True:
    time.sleep(0.1)  # pause() would sleep through a signal that comes right before it
"""


def listening(
    arguments: Sequence[str], stdin: int = subprocess.DEVNULL, **options: object
) -> subprocess.Popen[str]:
    process = processes.Process(
        *words_of(arguments, [sys.executable, "-c", LISTEN]),
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]  # what Popen takes, passed on
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process  # type: ignore[no-any-return]  # follows from the line above


@both_ways
def test_signals_reach_the_command(flags: list[str], way: list[str]) -> None:
    names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"]
    process = listening([*flags, *way])
    assert process.stdout is not None
    for name in names:
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"

    assert process.wait(PATIENCE) == 3
    assert process.stdout.read() == ""
    process.stdout.close()


def test_a_second_signal_does_not_change_the_status(flags: list[str]) -> None:
    code = "signal.signal(signal.SIGTERM, lambda *_: os._exit(3)); os.write(1, b'ready\\n')"
    waiting = f"import os, signal, time; {code}; time.sleep({PATIENCE})"
    process = processes.Process(
        *words_of([*flags, "--serve"], [sys.executable, "-c", waiting]),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(20):  # the first ends the command; the others come while we clear up
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)

    assert process.wait(PATIENCE) == 3
    process.stdout.close()


@pytest.mark.skipif(
    not hasattr(signal, "sigtimedwait"), reason="the sender of a signal is not told"
)
def test_what_is_typed_at_the_terminal_reaches_the_command_once(flags: list[str]) -> None:
    ours, terminal = pty.openpty()

    def make_it_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = listening(
        [*flags, "--serve"],
        terminal,
        start_new_session=True,
        preexec_fn=make_it_the_terminal,
    )
    assert process.stdout is not None
    # Stopped, so that the command has long handled its own when this program sees the other.
    process.send_signal(signal.SIGSTOP)
    os.write(ours, b"\x03")
    assert process.stdout.readline() == "SIGINT\n"
    process.send_signal(signal.SIGCONT)
    # Had the other been passed on, it would come before this one, which is.
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == "SIGTERM\n"

    assert process.wait(PATIENCE) == 3
    process.stdout.close()
    os.close(ours)
    os.close(terminal)


@both_ways
def test_the_command_has_the_signals_of_its_caller(flags: list[str], way: list[str]) -> None:
    code = """
import signal
held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(len(held), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""
    done = python([*flags, *way], code)
    assert done.stdout == "0 True\n"

    pipe = run([*flags, *way], "sh", "-c", "kill -PIPE $$; echo survived")
    status = 128 + signal.SIGPIPE if way else -signal.SIGPIPE
    assert (pipe.stdout, pipe.returncode) == ("", status)
