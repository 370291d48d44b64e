"""The transport without botocore, for a command that makes one call and ends.

To import botocore takes longer than the rest of such a command. It is taken for a `Route` alone,
where no setting asks for more; the standard library's `http.client` sends.
"""

from __future__ import annotations

import http.client
import json
import ssl
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere._version import __version__

from . import trust
from .sending import body_of, within
from .transport import Answer, Limits, Request, TransportFault
from .way import Way

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from .plain_route import Route
    from .transport import FaultKind

_CONNECT_TIMEOUT: Final = 10.0  # seconds, as for the transport through botocore
_READ_TIMEOUT: Final = 30.0
_PIECE: Final = 4096
_PATH: Final = "/sessions"


class DirectTransport:
    """Sends each request over a connection of its own.

    Attributes:
        limits: the usual ones: other numbers are settings of botocore's.
        is_trusted: always: a route is TLS, which is verified, or on this machine.
    """

    limits = Limits()
    is_trusted = True

    def __init__(self, region: str, route: Route) -> None:
        """Send nothing yet. `region` is that of the call."""
        self._region = region
        self._route = route

    def proxy(self) -> None:
        """A plain route has none."""

    def way(self) -> Way:
        """How the call gets there, for errors."""
        route = self._route
        return Way(
            self._region,
            route.endpoint or None,
            route.origin,
            bundle=route.bundle or trust.bundle_file(),
            bundle_origin="AWS_CA_BUNDLE" if route.bundle else trust.BOTH,
        )

    def draft(self, parameters: Mapping[str, object]) -> Request:
        """The request for these parameters, unsigned."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"boto_rolesanywhere/{__version__} direct",
        }
        body = json.dumps(parameters).encode()
        return Request("POST", f"{self._route.url}{_PATH}", headers, body)

    def send(self, request: Request, seconds: float) -> Answer:
        """Send it in a thread of its own, which is abandoned when the time is over."""
        return within(seconds, lambda given_up: self._send(request, given_up))

    def _send(self, request: Request, given_up: threading.Event) -> Answer:
        connection = self._connected()
        try:
            connection.request(
                request.method,
                request.url.removeprefix(self._route.url),
                request.body,
                dict(request.headers),
            )
            # The answer holds the socket open for itself, also after its connection is closed.
            with connection.getresponse() as response:
                headers: dict[str, str] = {}
                for name, text in response.headers.items():
                    lower = name.lower()
                    headers[lower] = f"{headers[lower]}, {text}" if lower in headers else text
                pieces = iter(partial(response.read, _PIECE), b"")
                return Answer(response.status, headers, body_of(pieces, given_up, TimeoutError))
        except TransportFault:
            raise
        except Exception as error:
            raise _fault(error, self._route.url, "read-timeout") from error
        finally:
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        route = self._route
        failed: Exception = TransportFault("tls", "there are no CA certificates")
        for context in self._contexts():
            make: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
            if context is not None:
                make = partial(http.client.HTTPSConnection, context=context)
            connection = make(route.host, route.port, timeout=_CONNECT_TIMEOUT)
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as error:  # nothing was sent yet
                connection.close()
                failed = error
                continue
            except Exception as error:
                shaking_hands = connection.sock is not None
                connection.close()
                late: FaultKind = "read-timeout" if shaking_hands else "connect-timeout"
                raise _fault(error, route.url, late) from error
            connection.sock.settimeout(_READ_TIMEOUT)
            return connection
        raise _fault(failed, route.url, "connect-timeout") from failed

    def _contexts(self) -> Iterator[ssl.SSLContext | None]:
        """With which to try, in this order: whatever fails with a few CAs is tried with all."""
        route = self._route
        if not route.encrypted:
            yield None
            return
        try:
            file = route.bundle or trust.bundle_file() or ""
            if not (route.bundle or route.endpoint):
                few = trust.amazons_context(file)
                if few is not None:
                    yield few
            context = trust.context_of(file)
            if not route.bundle:
                trust.add_system_store(context)
            yield context
        except (OSError, ValueError) as error:
            raise TransportFault("tls", f"the CA certificates cannot be read ({error})") from error


def _fault(error: Exception, url: str, late: FaultKind) -> TransportFault:
    """The fault for what the standard library raised; `late` for its time-outs."""
    from .network_faults import beneath, known_fault

    if isinstance(error, TimeoutError):
        return TransportFault(late, f"{url} did not answer in time")
    kind: FaultKind = "other"
    if isinstance(error, ssl.SSLError):
        kind = "tls"
    elif isinstance(error, OSError | http.client.HTTPException):
        kind = "connection"
    reason = str(getattr(error, "strerror", None) or error).rstrip(".") or "there was no answer"
    return known_fault(kind, tuple(beneath(error))) or TransportFault(kind, reason)
