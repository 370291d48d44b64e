"""The command as a process, as users start it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from pathlib import Path

import processes
from fork_server import READ_AT_START

from boto_rolesanywhere.authority.issued import IssuedPaths
from boto_rolesanywhere.testing import Emulator

COMMAND = (sys.executable, "-m", "boto_rolesanywhere")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment that a process needs, without AWS's variables, and `more`."""
    kept = ("PATH", "SYSTEMROOT", "SOFTHSM2_CONF", *READ_AT_START)
    return {
        **{name: value for name, value in os.environ.items() if name.startswith(kept)},
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


def run(
    *arguments: str | Path, env: Mapping[str, str], program: tuple[str, ...] = COMMAND
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, or another program with it inside."""
    if program == COMMAND:
        return processes.run(*arguments, env=dict(env), capture_output=True)
    return subprocess.run(
        [*program, *map(str, arguments)], env=dict(env), capture_output=True, check=False
    )


def ended(*arguments: str, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the test's own environment; it must end with `status`, unwarned."""
    done = processes.run(
        *arguments,
        strict=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | environ,
    )
    assert done.returncode == status, done.stderr
    return done


def parsed(path: Path) -> RawConfigParser:
    """A config or credentials file."""
    parser = RawConfigParser()
    parser.read(path)
    return parser


def arns(emulator: Emulator) -> tuple[str, ...]:
    """The flags for what the emulator serves."""
    return (
        *("--trust-anchor-arn", emulator.trust_anchor_arn),
        *("--profile-arn", emulator.profile_arn),
        *("--role-arn", emulator.role_arn),
        *("--endpoint", emulator.endpoint_url),
    )


def identity(paths: IssuedPaths) -> tuple[str, ...]:
    """The flags for a certificate and its key."""
    return ("--certificate", str(paths.certificate), "--private-key", str(paths.private_key))


def complaint(done: subprocess.CompletedProcess[bytes], status: int = 1) -> str:
    """The one line that a failed command leaves on stderr."""
    text = done.stderr.decode()
    assert done.returncode == status, text
    assert done.stdout == b""
    assert text.startswith("boto-rolesanywhere: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    return text


def at_terminal(words: list[str], answers: list[str], status: int = 0) -> str:
    """The complaints of a command that asks at a terminal and finally succeeds."""
    ours, theirs = pty.openpty()
    process = processes.Process(
        *words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    _, told = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == status, told
    return told
