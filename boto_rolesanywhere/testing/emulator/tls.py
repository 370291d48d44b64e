"""The server's own certificate, when the emulator speaks TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto_rolesanywhere.testing.ca import CertificateAuthority

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from boto_rolesanywhere.testing.clock import Clock

_NAMES = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What the server shows, and what clients trust.

    Attributes:
        certificate: PEM file of the server's certificate, with its chain.
        private_key: PEM file of its key.
        ca_bundle: PEM file of the authority; None if clients trust it already.
    """

    certificate: Path
    private_key: Path
    ca_bundle: Path | None = None


def make_tls_files(host: str, folder: TemporaryDirectory[str], clock: Clock) -> TlsFiles:
    """A certificate for loopback names and `host`, by an authority made for it, in `folder`."""
    ca = CertificateAuthority("Emulator TLS CA", clock=clock)
    own = () if host in ("127.0.0.1", "::1", "localhost") else (f"IP:{host}",)
    paths = ca.issue("localhost", san=(*_NAMES, *own)).write(folder.name, name="server")
    bundle = Path(folder.name) / "ca-bundle.pem"
    bundle.write_bytes(ca.certificate_pem)
    return TlsFiles(certificate=paths.bundle, private_key=paths.private_key, ca_bundle=bundle)
