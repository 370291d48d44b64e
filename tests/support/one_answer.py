"""A server that gives one answer to whatever is asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from boto_rolesanywhere.testing import IssuedPaths


@contextmanager
def answering(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    asked: list[Mapping[str, str]] | None = None,
    tls: IssuedPaths | None = None,
    clients: Path | None = None,
) -> Iterator[str]:
    """Its URL; the headers of each request are added to `asked`.

    With `tls` it speaks TLS, with `clients` to those alone whose certificate that CA issued.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if asked is not None:
                asked.append(self.headers)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815  # a name of `http.server`

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.private_key)
            if clients is not None:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        place = "http://127.0.0.1" if tls is None else "https://localhost"
        yield f"{place}:{server.server_port}"
        server.shutdown()
