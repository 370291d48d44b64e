"""Processes of Python that start in a few milliseconds: forked off one that has loaded everything.

`Process` and `run` take what `subprocess.Popen` and `subprocess.run` take. Of the child, all is its
own that is a process's own: arguments, environment, folder, umask, standard streams, signals, exit
status. Where a start is itself the point (what is imported, variables that Python reads then,
inherited files and signals), tests start Python with `subprocess`.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from fork_server import STATUS, read_at_start

PROGRAM: Final = Path(__file__).with_name("fork_server.py")
# The package, and what it loads in the middle of its work: else each process would load it again.
LOADED: Final = (
    "boto_rolesanywhere",
    "boto3.session",
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.decrepit.ciphers.algorithms",
    "cryptography.hazmat.primitives.serialization.pkcs12",
    "cryptography.hazmat.primitives.serialization.pkcs7",
    "email.policy",
    "filelock",
    "http.server",
    "pkcs11._pkcs11",
    "resource",
)


class _Server:
    """The process that forks; it is there from the first request to the end of the tests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket
        self._environ: dict[str, str]
        self._folder: Path

    def fork(self, request: Mapping[str, Any], streams: Sequence[int]) -> tuple[int, socket.socket]:
        """The pid of a new process, and the socket on which its end is told."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            self._start()
            payload = json.dumps(request).encode()
            socket.send_fds(self._control, [payload], [*streams, theirs.fileno()])
        pid = ours.recv(STATUS)
        assert pid, "the fork server has ended"
        return int.from_bytes(pid, "big"), ours

    def suits(self, environ: Mapping[str, str]) -> bool:
        """Whether a fork of it is as a new process with that environment would be."""
        with self._lock:
            self._start()
        return read_at_start(environ) == self._environ

    def door(self) -> Path:
        """The socket at which a program of any process asks for a fork: `forked_command.py`."""
        with self._lock:
            self._start()
        return self._folder / "door"

    def _start(self) -> None:
        if self._process:
            return
        self._environ = read_at_start(os.environ)
        self._folder = Path(tempfile.mkdtemp())
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.bind(str(self._folder / "door"))
            door.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", PROGRAM, str(door.fileno()), *LOADED],
                stdin=theirs,
                pass_fds=[door.fileno()],
            )
        atexit.register(self._stop, self._process)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        self._control.close()
        process.wait()
        shutil.rmtree(self._folder)


_SERVER: Final = _Server()


def forked_command() -> tuple[str, ...]:
    """A program that is boto-rolesanywhere, for the shells and programs that tests start."""
    program = str(Path(__file__).with_name("forked_command.py"))
    return (sys.executable, "-I", "-S", program, str(_SERVER.door()))


class Process(subprocess.Popen[Any]):
    """`python -m MODULE ARGUMENT...`, or a file's path, with the options of `subprocess.Popen`.

    Options that only a process of its own can have (`pass_fds`, `preexec_fn`, `start_new_session`)
    give one, and so does a system without what a fork server needs.
    """

    _end: socket.socket | None = None

    def __init__(
        self,
        *arguments: str | os.PathLike[str],
        module: str = "boto_rolesanywhere",
        strict: bool = False,
        **options: Any,  # noqa: ANN401  # of subprocess.Popen
    ) -> None:
        """Start it.

        Args:
            arguments: without the program.
            module: what runs; or the path of a file, which ends in ".py".
            strict: whether a warning is an error.
            options: as of `subprocess.Popen`.
        """
        self._module, self._strict = module, strict
        self._arguments = [os.fspath(argument) for argument in arguments]
        flags = ["-W", "error"] if strict else []
        own = {"pass_fds", "preexec_fn", "start_new_session"} & set(options)
        environ = options.get("env") or os.environ
        self._forks = not own and hasattr(os, "pidfd_open") and _SERVER.suits(environ)
        program = [module] if module.endswith(".py") else ["-m", module]
        super().__init__([sys.executable, *flags, *program, *self._arguments], **options)

    def _execute_child(self, *given: Any) -> None:  # noqa: ANN401
        if not self._forks:
            super()._execute_child(*given)  # type: ignore[misc]  # of no public type
            return
        folder, environ = given[5], given[6]
        pipes = given[10:16]  # each stream's end here and there, -1 where it is inherited
        theirs = (pipes[0], pipes[3], pipes[5])
        umask = os.umask(0)
        os.umask(umask)
        request = {
            "module": self._module,
            "arguments": self._arguments,
            "environ": dict(os.environ if environ is None else environ),
            "folder": os.fspath(folder or Path.cwd()),
            "umask": umask,
            "strict": self._strict,
        }
        streams = [number if number != -1 else own for own, number in enumerate(theirs)]
        self.pid, self._end = _SERVER.fork(request, streams)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # of no public type

    def _internal_poll(self, *given: object, **options: object) -> int | None:
        if self._end is None:
            return super()._internal_poll(*given, **options)  # type: ignore[misc,no-any-return]
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            self._handle_exitstatus(self._try_wait(0)[1])  # type: ignore[attr-defined]
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._end is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc,no-any-return]
        if wait_flags and not select.select([self._end], [], [], 0)[0]:
            return 0, 0
        status = self._end.recv(STATUS)
        assert status, "the fork server has ended"
        self._end.close()
        return self.pid, int.from_bytes(status, "big")


def run(
    *arguments: str | os.PathLike[str],
    input: str | bytes | None = None,  # noqa: A002  # its name in subprocess.run
    capture_output: bool = False,
    check: bool = False,
    timeout: float | None = 60,
    **options: Any,  # noqa: ANN401  # of subprocess.Popen
) -> subprocess.CompletedProcess[Any]:
    """Run to the end; what is not said here is as of `Process` and of `subprocess.run`."""
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with Process(*arguments, **options) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done
