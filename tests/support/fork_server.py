"""Starts Python modules as processes without starting Python: one process that forks for each.

`processes.py` runs this file, and asks it over the socket that is its standard input. Programs of
other processes (`forked_command.py`) ask it by the listening socket that is its first argument.
Whatever is imported here is loaded once a run of the tests; each child then becomes what
`python -m MODULE` would be: its arguments, environment, folder, umask and standard streams are its
own, it has no other open file, and it ends as Python ends.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, Any

MOST = 1 << 20  # bytes of a request: arguments and environment
STATUS = 8  # bytes of a pid, and of a status as waitpid gives it
# The interpreter, the loader and OpenSSL read these when they start.
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "COVERAGE_", "OPENSSL_", "MALLOC_")


def read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables that a fork cannot have otherwise than its parent."""
    return {name: text for name, text in environ.items() if name.startswith(READ_AT_START)}


def serve(control: socket.socket, door: socket.socket) -> dict[str, Any] | None:
    """Fork for each request until the tests are done; gives the request in a child alone."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(door, select.POLLIN)
    running: dict[int, tuple[int, socket.socket]] = {}  # by a descriptor that tells of its end
    while True:
        for ready, _ in poll.poll():
            if ready in running:
                poll.unregister(ready)
                pid, asker = running.pop(ready)
                os.close(ready)
                _, status = os.waitpid(pid, 0)
                with asker:
                    _tell(asker, status)
                continue
            asked = _at(door) if ready == door.fileno() else _from(control)
            if asked is None:
                if ready == door.fileno():
                    continue
                control.close()
                return None
            request, streams, asker = asked
            assert len(list(Path("/proc/self/task").iterdir())) == 1, (
                "what forks must have one thread"
            )
            pid = os.fork()
            if pid == 0:
                for own in (control, door, asker, *(asker for _, asker in running.values())):
                    own.detach()  # else it would close whatever has its number one day
                return {**request, "streams": streams}
            for descriptor in streams:
                os.close(descriptor)
            _tell(asker, pid)
            ended = os.pidfd_open(pid)
            running[ended] = (pid, asker)
            poll.register(ended, select.POLLIN)


Asked = tuple[dict[str, Any], list[int], socket.socket]  # streams, and who is told of the end


def _from(control: socket.socket) -> Asked | None:
    """A request of the tests; None once they are done."""
    payload, descriptors, _, _ = socket.recv_fds(control, MOST, 4)
    if not payload:
        return None
    return json.loads(payload), descriptors[:3], socket.socket(fileno=descriptors[3])


def _at(door: socket.socket) -> Asked | None:
    """A request of `forked_command.py`; None if a fork would not be what it asks for."""
    asker, _ = door.accept()
    payload, streams, _, _ = socket.recv_fds(asker, MOST, 3)
    request = _read(payload)
    if read_at_start(request["environ"]) == read_at_start(os.environ):
        return request, streams, asker
    for descriptor in streams:
        os.close(descriptor)
    with asker:
        _tell(asker, 0)
    return None


def _read(payload: bytes) -> dict[str, Any]:
    """What `forked_command.py` sends: words with NUL in between."""
    module, folder, umask, count, *words = payload.decode(errors="surrogateescape").split("\0")
    variables = [word.partition("=") for word in words[int(count) :]]
    return {
        "module": module,
        "arguments": words[: int(count)],
        "environ": {name: value for name, _, value in variables},
        "folder": folder,
        "umask": int(umask),
        "strict": False,
    }


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # the test does not wait for its process
        asker.sendall(number.to_bytes(STATUS, "big"))


def become(request: dict[str, Any]) -> None:
    """Turn this child into a process that was just started."""
    for number, descriptor in enumerate(request["streams"]):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = sys.__stdin__ = _stream(0, sys.__stdin__)
    sys.stdout = sys.__stdout__ = _stream(1, sys.__stdout__)
    sys.stderr = sys.__stderr__ = _stream(2, sys.__stderr__)
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    if not request["strict"]:
        sys.warnoptions.clear()
        warnings.resetwarnings()
    sys.argv[1:] = request["arguments"]


def _stream(number: int, like: IO[str]) -> IO[str]:
    """As Python opens its standard streams; encodings follow from variables, which are equal."""
    return open(
        number,
        "w" if number else "r",
        buffering=1 if number == 2 or (number == 1 and os.isatty(1)) else -1,
        encoding=like.encoding,
        errors=like.errors,
        newline="\n" if number else None,
        closefd=False,
    )


def load(names: list[str]) -> None:
    """Import modules, and of a package all that is in it; without those of an extra that is not."""
    for name in names:
        with suppress(ModuleNotFoundError):
            module = import_module(name)
            for found in walk_packages(getattr(module, "__path__", ()), f"{name}."):
                if not found.name.endswith(("__main__", "pytest_plugin")):
                    with suppress(ImportError):
                        import_module(found.name)


def main() -> None:
    """Serve until the tests end; in a child, run the module."""
    del sys.path[0]  # the folder of this file
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as of a program in the foreground
    control = socket.socket(fileno=os.dup(0))
    door = socket.socket(fileno=int(sys.argv[1]))
    for own in (control, door):
        os.set_inheritable(own.fileno(), False)
    load(sys.argv[2:])
    gc.collect()
    gc.freeze()  # else the first collection of each child copies all of it
    try:
        request = serve(control, door)
    except KeyboardInterrupt:
        return
    if request is not None:
        become(request)
        module = request["module"]
        try:
            if module.endswith(".py"):
                runpy.run_path(module, run_name="__main__")
            else:
                runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as stop:
            if isinstance(stop.code, int):
                end(stop.code)
            raise


def end(status: int) -> None:
    """Do what Python does at its end, but for taking all modules apart, which is most of it."""
    threading._shutdown()
    atexit._run_exitfuncs()
    gc.collect()  # what was not closed is told now
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"Exception ignored on flushing sys.stdout: {error!r}\n")
        status = 120
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
