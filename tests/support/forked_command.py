"""The program boto-rolesanywhere of those who type what pages say: forked off the fork server.

`python -I -S forked_command.py SOCKET ARGUMENT...`, which `processes.forked_command` gives. The
command has this process's arguments, environment, folder, umask and standard streams, and it gets
the signals that ask this process to end. It imports nothing but C modules: that would take most of
the time. Where the environment is not that of the fork server, Python is started as by a user.
"""

import _signal
import _socket
import os
import sys

MODULE = "boto_rolesanywhere"
PASSED_ON = (_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM)
STATUS = 8


def main() -> None:
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    server.connect(sys.argv[1])
    arguments = sys.argv[2:]
    umask = os.umask(0)
    os.umask(umask)
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    folder = os.getcwd()  # noqa: PTH109  # pathlib takes longer to load than all of this
    words = [MODULE, folder, str(umask), str(len(arguments)), *arguments, *variables]
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg(
        ["\0".join(words).encode(errors="surrogateescape")],
        [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)],
    )
    pid = int.from_bytes(server.recv(STATUS), "big")
    if not pid:
        os.execv(sys.executable, [sys.executable, "-m", MODULE, *arguments])
    for number in PASSED_ON:
        if _signal.getsignal(number) is not _signal.SIG_IGN:
            _signal.signal(number, lambda number, _frame: os.kill(pid, number))
    end(int.from_bytes(server.recv(STATUS), "big"))


def end(status: int) -> None:
    """End as the command did, by a signal if it did."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != _signal.SIGKILL:
            _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


main()
