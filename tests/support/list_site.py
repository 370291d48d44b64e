"""A web site that publishes lists, and certificates that name it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from boto_rolesanywhere.testing import CertificateAuthority


class Site(BaseHTTPRequestHandler):
    """Serves what a test puts there: bytes, or the place that a path has moved to."""

    pages: ClassVar[dict[str, bytes | str]] = {}

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        if isinstance(page, bytes):
            self.send_response(200)
            if self.path.startswith("/gzip"):
                page = gzip.compress(page)
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            try:
                self.wfile.write(page)
            except OSError:  # the reader has had enough
                return
        elif page is not None:
            self.send_response(302)
            if page:
                self.send_header("Location", page)
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_site() -> Iterator[str]:
    """The site's URL, as long as it runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
    Site.pages.clear()


def with_points(ca: CertificateAuthority, *urls: str) -> x509.Certificate:
    """A certificate that names these distribution points."""
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url) for url in urls],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    plain = ca.issue("app1").certificate
    builder = x509.CertificateBuilder(
        issuer_name=plain.issuer,
        subject_name=plain.subject,
        public_key=plain.public_key(),
        serial_number=plain.serial_number,
        not_valid_before=plain.not_valid_before_utc,
        not_valid_after=plain.not_valid_after_utc,
        extensions=list(plain.extensions),
    ).add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(ca.private_key, hashes.SHA256())  # type: ignore[arg-type]  # EC here
