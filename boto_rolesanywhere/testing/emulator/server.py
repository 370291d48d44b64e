"""Start, stop, start again on the same port."""

from __future__ import annotations

import socket
import ssl
import weakref
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError

from .delivery import Listener

if TYPE_CHECKING:
    from collections.abc import Callable

    from .service import Service
    from .tls import TlsFiles


class Server:
    """Serves on one address, in threads of its own, as often as it is started.

    Attributes:
        host: the address.
        port: the port; 0 until the first start if it was left to the system.
    """

    def __init__(self, service: Service, host: str, port: int, tls: TlsFiles | None) -> None:
        """Serve nothing yet.

        Args:
            service: answers the requests.
            host: the address to bind.
            port: 0 leaves the choice to the system.
            tls: what it shows; None for plain HTTP.
        """
        self.host = host
        self.port = port
        self._service = service
        self._tls = tls
        self._listener: Listener | None = None
        self._release_port: Callable[[], object] = _nothing

    @property
    def is_running(self) -> bool:
        """Whether it is started."""
        return self._listener is not None

    def start(self) -> None:
        """Serve.

        Raises:
            ConfigurationError: the port is taken, or the TLS files cannot be used.
        """
        context = self._context()
        self._release_port()
        try:
            self._listener = Listener((self.host, self.port), self._service, context)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"cannot listen on {self.host} port {self.port} ({reason})",
                code="server-port-taken",
                where="port",
                remedy="Choose another port, or 0 for any that is free.",
            ) from None
        self.port = self._listener.server_address[1]

    def stop(self) -> None:
        """Close the listener and every connection. The port stays taken, and refuses."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.stop()
        # Bound but not listening: clients are refused, and nobody else gets the port meanwhile.
        with socket.socket(listener.address_family) as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((self.host, self.port))
            self._release_port = weakref.finalize(self, socket.close, held.detach())

    def close(self) -> None:
        """Stop, and give the port back."""
        self.stop()
        self._release_port()

    def release(self) -> None:
        """Answer the requests that hang now."""
        if self._listener is not None:
            self._listener.release()

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self._tls.certificate, self._tls.private_key)
        except OSError as error:  # those of `ssl` among them
            raise ConfigurationError(
                f"the emulator did not start ({error})", code="server-not-started"
            ) from None
        return context


def _nothing() -> None:
    """Stands where there is nothing to release."""
