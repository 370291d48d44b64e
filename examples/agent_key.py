"""A private key that another process keeps: an agent behind a Unix socket, and its client.

The agent runs as a user that may read the key, the workload as one that may use the socket only:

    python agent_key.py serve --key app-private.key --socket /run/app/agent.sock

    session = boto_rolesanywhere.get_session(
        cert="app-cert.pem", key=AgentKey("/run/app/agent.sock"), ...
    )

The socket's mode is 0600. Every program that may open it may sign: share it with care
(chgrp, an ACL).

The protocol: a message is its length (4 bytes, big-endian) and its body. A request's body is ``P``
(public key) or ``S`` and the data to sign; the answer's is ``+`` and the result, or ``-`` and what
went wrong. One request a connection.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import socketserver
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from boto_rolesanywhere.errors import KeyDeviceError, PrivateKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

PATIENCE = 10.0  # seconds that either side waits for the other
LONGEST = 1 << 20  # bytes of a message


class AgentKey:
    """A `SigningKey` that asks an agent. Each signature has a connection of its own.

    Args:
        path: the agent's socket.

    Raises:
        KeyDeviceError: the agent does not answer, or refuses.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._closed = False
        self._public_key = load_der_public_key(self._ask(b"P"))

    def public_key(self) -> PublicKeyTypes:
        """The public key, asked for once."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Have the agent sign `data`."""
        if self._closed:
            raise PrivateKeyError(
                "the agent's key was closed", code="signing-failed", where=self.path
            )
        return self._ask(b"S" + data)

    def close(self) -> None:
        """Refuse to sign from now on. Nothing else is held."""
        self._closed = True

    def _ask(self, request: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE)
                connection.connect(self.path)
                send(connection, request)
                answer = receive(connection)
        except (OSError, ValueError) as error:
            raise KeyDeviceError(
                f"the agent does not answer: {error}",
                code="signing-failed",
                where=self.path,
                remedy="Start it: python agent_key.py serve --key KEY --socket PATH",
            ) from error
        if answer[:1] != b"+":
            reason = answer[1:].decode(errors="replace")
            raise KeyDeviceError(
                f"the agent refused: {reason}", code="signing-failed", where=self.path
            )
        return answer[1:]

    def __repr__(self) -> str:
        return f"<AgentKey {self.path}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AgentKey cannot be pickled: make one in the other process")


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message."""
    connection.sendall(struct.pack(">I", len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Receive one message.

    Raises:
        ValueError: it is torn, or too long.
    """
    (length,) = struct.unpack(">I", _exactly(connection, 4))
    if length > LONGEST:
        raise ValueError(f"a message of {length} bytes is too long")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise ValueError("the connection ended early")
        parts += part
    return bytes(parts)


class Agent(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Signs for whoever may open its socket."""

    daemon_threads = True
    request_queue_size = 128  # of Unix sockets, connect() fails at once when the queue is full

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, path: Path) -> None:
        self.key = key
        before = os.umask(0o177)  # the socket is made with mode 0600: no moment for anyone else
        try:
            super().__init__(str(path), Handler)
        finally:
            os.umask(before)

    def answer(self, request: bytes) -> bytes:
        """The answer to a request."""
        if request == b"P":
            public = self.key.public_key()
            return b"+" + public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if request[:1] == b"S":
            return b"+" + self.sign(request[1:])
        return b"-this request is not known"

    def sign(self, data: bytes) -> bytes:
        """A signature as AWS wants it."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), SHA256())
        return self.key.sign(data, ec.ECDSA(SHA256()))


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    server: Agent

    def handle(self) -> None:
        """Answer its request. A client that hangs or talks nonsense is dropped."""
        self.request.settimeout(PATIENCE)
        try:
            send(self.request, self.server.answer(receive(self.request)))
        except (OSError, ValueError) as error:
            print(f"agent: {error}", file=sys.stderr, flush=True)


def remove_stale(socket_path: Path) -> None:
    """Remove the socket of an agent that was killed; one that answers keeps its own."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_path))
        except ConnectionRefusedError:
            socket_path.unlink()
        except FileNotFoundError:
            pass


def serve(key_path: Path, socket_path: Path) -> None:
    """Serve until SIGTERM or SIGINT; the socket is removed then."""
    try:
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, TypeError, ValueError) as error:
        sys.exit(f"agent: {key_path}: {error}")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        sys.exit(f"agent: {key_path}: an RSA or EC key is needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        remove_stale(socket_path)
        agent = Agent(key, socket_path)
    except OSError as error:
        sys.exit(f"agent: {socket_path}: {error}")
    try:
        print(f"agent: listening at {socket_path}", flush=True)
        agent.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        agent.server_close()
        socket_path.unlink(missing_ok=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("serve", help="keep a key, and sign with it")
    command.add_argument("--key", type=Path, required=True, help="PEM, RSA or EC, not encrypted")
    command.add_argument("--socket", type=Path, required=True, help="where to listen")
    arguments = parser.parse_args()
    serve(arguments.key, arguments.socket)


if __name__ == "__main__":
    main()
