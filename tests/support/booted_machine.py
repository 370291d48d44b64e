"""A machine for tests that has systemd as its first process: a container of this machine's /usr.

Its /etc, /var and network are its own, nothing is enabled in it, and it is gone when it is stopped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from filelock import FileLock
from installed import require

PATIENCE = 60  # seconds, for its start and for each command
IN_TIME = ("timeout", "--kill-after=5", str(PATIENCE))
# Two at once would take each other's control groups.
LOCK = FileLock(Path(tempfile.gettempdir()) / "boto-rolesanywhere-tests-machine.lock")
ITS_OWN = (
    *("--quiet", "--directory=/", "--volatile=yes", "--private-network"),
    *("--machine=trial", "--register=no", "--keep-unit"),
)
LOOPBACK_IS_UP = "read flags </sys/class/net/lo/flags && test $((flags & 1)) = 1"
IN_USR = Path(sys.base_prefix).is_relative_to("/usr")  # and so to be seen from the machine


class BootedMachine:
    """A running machine; `leader` is its first process, as this machine sees it."""

    def __init__(self, leader: int) -> None:
        self.leader = leader

    def run(self, *command: str) -> str:
        """Run a command in it as root; gives its output."""
        done = self._ran(*command)
        if done.returncode != 0:
            journal = self._ran("journalctl", "--no-pager", "--output=cat", "--lines=40").stdout
            pytest.fail(f"{command}: {done.stdout}{done.stderr}\nIts journal ends so:\n{journal}")
        return done.stdout

    def _ran(self, *command: str) -> subprocess.CompletedProcess[str]:
        entered = ["nsenter", f"--target={self.leader}", "--all", *IN_TIME]
        return subprocess.run([*entered, *command], capture_output=True, text=True, check=False)

    # Nothing is left to run inside: what outlives its nsenter is an orphan out here, and the other
    # machine cannot end until this one's first process has collected it, which need not be soon.
    @contextmanager
    def neighbour(self, *command: str) -> Iterator[IO[str]]:
        """Start a program of this machine that the other reaches as 127.0.0.1; gives its output."""
        entered = ["nsenter", f"--target={self.leader}", "--net", *command]
        with subprocess.Popen(entered, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.terminate()
                _gone(process)


@contextmanager
def booted_machine(folder: Path, files: Mapping[str, Path]) -> Iterator[BootedMachine]:
    """Boot one that has `files`, path there to path here, and this Python as /opt/python.

    Args:
        folder: for what it needs meanwhile.
        files: files and folders, read-only; those in /usr/local/bin hide what is there.
    """
    programs = folder / "bin"
    programs.mkdir()
    (folder / "preset").write_text("disable *\n")  # no service of this machine starts in it
    shown = {"/etc/systemd/system-preset/00-none.preset": folder / "preset"}
    for there, here in files.items():
        if there.startswith("/usr/local/bin/"):  # /usr is mounted read-only
            shutil.copy(here, programs)
        else:
            shown[there] = here
    if not IN_USR:
        shown["/opt/python"] = Path(sys.base_prefix)
    ready = folder / "ready"
    with LOCK, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(ready))
        told.settimeout(PATIENCE)
        command = [
            *(_nspawn(), *ITS_OWN, "--boot", "--notify-ready=yes", "--console=read-only"),
            f"--overlay-ro=/usr/local/bin:{programs}:/usr/local/bin",
            *(f"--bind-ro={here}:{there}" for there, here in shown.items()),
            *("systemd.firstboot=off", "systemd.unit=sysinit.target"),
        ]
        environment = {**os.environ, "NOTIFY_SOCKET": str(ready)}
        log = folder / "boot.log"
        with (
            log.open("w") as output,
            subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,
        ):
            leader = 0
            try:
                leader = int(_told(told, "X_NSPAWN_LEADER_PID"))
                _told(told, "READY")
            except TimeoutError:
                process.kill()
                pytest.fail(f"it did not boot:\n{log.read_text()}")
            else:
                # systemd goes on telling: of a job that takes long, three times a second. Unread,
                # that fills the queue, and nspawn waits for room in it, blind to all else.
                told.close()
                yield BootedMachine(leader)
            finally:
                if leader:  # with it goes all that runs there; to shut down would take 10 seconds
                    os.kill(leader, signal.SIGKILL)
                _gone(process)


def python_program(path: Path, arguments: str, packages: str) -> Path:
    """Write a program for the machine that starts its Python with packages from there."""
    base = sys.base_prefix if IN_USR else "/opt/python"
    version = sysconfig.get_python_version()
    path.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={packages} LD_LIBRARY_PATH={base}/lib\n"
        f'exec {base}/bin/python{version} {arguments} "$@"\n'
    )
    path.chmod(0o755)
    return path


def _nspawn() -> str:
    nspawn = shutil.which("systemd-nspawn")
    require(nspawn is not None, "systemd-nspawn")
    assert nspawn is not None
    # Not to a pipe, which what runs in the container could keep open.
    with tempfile.TemporaryFile("w+") as told:
        command = [*IN_TIME, nspawn, *ITS_OWN, "/bin/sh", "-c", LOOPBACK_IS_UP]
        tried = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, check=False
        )
        told.seek(0)
        if tried.returncode != 0:
            pytest.skip(f"no container with a network of its own starts here: {told.read()}")
    return nspawn


def _gone(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Wait for its end, which was asked for."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _told(told: socket.socket, wanted: str) -> str:
    """Wait for what is told under a name (sd_notify(3))."""
    while True:
        for line in told.recv(4096).decode().splitlines():
            name, _, value = line.partition("=")
            if name == wanted:
                return value
