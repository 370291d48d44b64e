"""The server's own certificate, when the emulator speaks TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto_rolesanywhere.testing.ca import CertificateAuthority

if TYPE_CHECKING:
    from pathlib import Path

    from boto_rolesanywhere.authority.issued import IssuedCertificate
    from boto_rolesanywhere.clock import Clock

_NAMES = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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


def write_tls_files(issued: IssuedCertificate, folder: Path) -> TlsFiles:
    """Write a certificate that was issued for the server. Clients trust its authority already."""
    paths = issued.write(folder, name="server")
    return TlsFiles(certificate=paths.bundle, private_key=paths.private_key)


def make_tls_files(host: str, folder: Path, clock: Clock) -> TlsFiles:
    """A certificate for loopback names and `host`, by an authority made for it.

    Those that are in `folder` already are used again, unless they are old.
    """
    from cryptography import x509

    made = TlsFiles(
        certificate=folder / "server-bundle.pem",
        private_key=folder / "server-key.pem",
        ca_bundle=folder / "ca-bundle.pem",
    )
    try:
        certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
        good = certificate.not_valid_after_utc > clock() and made.private_key.exists()
    except (OSError, ValueError):
        good = False
    if not good:
        ca = CertificateAuthority("Emulator TLS CA", clock=clock)
        own = () if host in _LOOPBACK else (f"IP:{host}",)
        write_tls_files(ca.issue("localhost", san=(*_NAMES, *own)), folder)
        (folder / "ca-bundle.pem").write_bytes(ca.certificate_pem)
    return made
