"""Messages to systemd: sd_notify(3), for ``Type=notify``. Sends nothing without NOTIFY_SOCKET."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logger_of(__name__)

VARIABLE: Final = "NOTIFY_SOCKET"
_PATIENCE: Final = 2.0  # seconds for a manager that does not read


def notify(state: str, environ: Mapping[str, str]) -> bool:
    """Send `state` to the service manager.

    Args:
        state: as in sd_notify(3), for example ``READY=1``.
        environ: has NOTIFY_SOCKET: a path, or an abstract socket with ``@`` in front.

    Returns:
        Whether it was sent. A failure is only logged: the credentials are served all the same.
    """
    address = environ.get(VARIABLE, "")
    family: int | None = getattr(socket, "AF_UNIX", None)
    if family is None or not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as manager:
            manager.settimeout(_PATIENCE)
            manager.connect(address)
            manager.sendall(state.encode())
    except OSError as error:
        logger.warning("%s: the service manager was not told %s (%s)", VARIABLE, state, error)
        return False
    return True
