"""A forked command is as one that was started: it hands on the same to the program that it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import processes
import pytest
from commands import COMMAND, arns, identity

from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.faults import Hang

# What a process has of its own, but for its number.
PORTRAIT = """
env | grep -v '^AWS_' | sort
pwd; umask; id -u; cat; echo "on stderr" >&2
grep -E '^(Sig[BCIP]|Threads)' /proc/self/status
readlink /proc/self/fd/* | tr -d 0-9
exit 3
"""


def test_what_a_command_hands_on(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "a value; of two")
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o037)
    words = ["exec", *identity(ca.issue().write("pki")), *arns(emulator), "sh", "-c", PORTRAIT]
    try:
        forked = processes.run(
            *words, input="the input\n", text=True, capture_output=True, env={**os.environ}
        )
        started = subprocess.run(
            [sys.executable, "-m", "boto_rolesanywhere", *words],
            input="the input\n",
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ},
        )
    finally:
        os.umask(before)

    assert forked.stdout == started.stdout
    assert "MINE=a value; of two\n" in forked.stdout
    assert f"{tmp_path}\n0037\n" in forked.stdout
    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr)
    assert (forked.returncode, forked.stderr) == (3, "on stderr\n")


def test_the_end_of_a_process_is_seen(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    flags = [*identity(ca.issue().write(tmp_path)), *arns(emulator)]
    with emulator.injected(Hang()), processes.Process("env", *flags) as process:
        emulator.wait_for_requests(1)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        process.kill()
        assert process.wait(30) == -signal.SIGKILL


def test_a_program_of_a_shell_is_forked_as_well(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "a value; of two")
    monkeypatch.chdir(tmp_path)
    words = ["exec", *identity(ca.issue().write("pki")), *arns(emulator), "sh", "-c", PORTRAIT]
    started, forked = (
        subprocess.run(
            ["sh", "-c", 'umask 037; echo "the input" | "$@"', "-", *program, *words],
            text=True,
            capture_output=True,
            check=False,
        )
        for program in (COMMAND, processes.forked_command())
    )

    assert "MINE=a value; of two\n" in forked.stdout
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


@pytest.mark.parametrize("environ", [{}, {"LC_ALL": "C"}], ids=["forked", "started"])
def test_a_program_of_a_shell_ends_by_the_signal_that_it_gets(
    environ: dict[str, str], emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    waiting = ["sh", "-c", "echo waits; exec sleep 60"]
    words = ["exec", *identity(ca.issue().write(tmp_path)), *arns(emulator), *waiting]
    with subprocess.Popen(
        [*processes.forked_command(), *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.terminate()
        assert process.wait(30) == -signal.SIGTERM
        assert process.stdout.read() == ""
