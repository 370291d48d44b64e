"""certbot as the ACME client of somebody who types what the pages say."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from installed import PROGRAMS, require
from loopback_names import resolving
from pages import Reader

# certbot's settings, which a user has in /etc/letsencrypt/cli.ini.
SETTINGS = """\
config-dir = {folder}/letsencrypt
work-dir = {folder}/letsencrypt/work
logs-dir = {folder}/letsencrypt/logs
http-01-address = {address}
"""


@contextmanager
def certbot(reader: Reader) -> Iterator[str]:
    """Where a DNS server is for which every name is the reader's machine; as ``HOST:PORT``.

    ACME's servers ask on port 80. The machine is an address of the loopback that only this process
    uses, so that a web server of the tests' machine, or other tests, are not in the way.
    """
    require((PROGRAMS / "bin" / "certbot").exists(), "certbot")
    address = "127.80.{}.{}".format(*os.getpid().to_bytes(4, "big")[2:])
    require(_may_listen(address), "the right to listen on port 80")
    reader.install("certbot", PROGRAMS / "bin" / "certbot")
    settings = reader.folder / ".config" / "letsencrypt" / "cli.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS.format(folder=reader.folder, address=address))
    with resolving(address) as names:
        yield names


def _may_listen(address: str) -> bool:
    try:
        socket.create_server((address, 80)).close()
    except PermissionError:
        return False
    return True
