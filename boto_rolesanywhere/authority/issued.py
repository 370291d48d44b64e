"""A certificate with its key and chain, as a value: what a `CertificateAuthority` hands out.

Encoding and writing it belongs here; making it does not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.errors import PassphraseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from .keys import AnyPrivateKey


def certificates_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as PEM, one block after the other."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def key_pem(key: AnyPrivateKey, passphrase: str | bytes | None = None) -> bytes:
    """The private key as PKCS #8 PEM, encrypted if there is a passphrase.

    Raises:
        PassphraseError: it is empty, or longer than OpenSSL takes.
    """
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    secret = passphrase.encode("utf-8") if isinstance(passphrase, str) else passphrase
    try:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret))
    except ValueError as error:
        raise PassphraseError(
            f"it cannot encrypt a key ({error})",
            code="passphrase-unusable",
            where="passphrase",
            expected="1 to 1023 bytes",
        ) from None


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner may read (mode 0600 from its first byte on)."""
    path.unlink(missing_ok=True)  # an older file would keep its own, perhaps wider, mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path


@dataclass(frozen=True, slots=True)
class IssuedPaths:
    """Where the files of an `IssuedCertificate` were written.

    Attributes:
        certificate: the end-entity certificate alone.
        private_key: PKCS #8 PEM, mode 0600.
        chain: the intermediates; None when there are none.
        bundle: the end-entity certificate and the intermediates, in one file.
    """

    certificate: Path
    private_key: Path
    chain: Path | None
    bundle: Path


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate, its private key, and the intermediates above it.

    Attributes:
        certificate: the end-entity certificate.
        private_key: its key (a key that does not fit, if the flaw ``wrong-key`` was asked for).
        chain: the intermediates from the issuer upward, without the root.
    """

    certificate: x509.Certificate
    private_key: AnyPrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def serial_number(self) -> int:
        """The certificate's serial number."""
        return self.certificate.serial_number

    @property
    def certificate_pem(self) -> bytes:
        """The end-entity certificate as PEM."""
        return certificates_pem((self.certificate,))

    @property
    def private_key_pem(self) -> bytes:
        """The private key as PKCS #8 PEM, not encrypted."""
        return key_pem(self.private_key)

    @property
    def chain_pem(self) -> bytes:
        """The intermediates as PEM; empty when there are none."""
        return certificates_pem(self.chain)

    @property
    def bundle_pem(self) -> bytes:
        """The end-entity certificate and then the intermediates, as PEM."""
        return self.certificate_pem + self.chain_pem

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        name: str = "client",
        passphrase: str | bytes | None = None,
    ) -> IssuedPaths:
        """Write certificate, key, chain and bundle as PEM files.

        Args:
            folder: is made, with mode 0700, if it does not exist.
            name: the files are ``{name}-cert.pem``, ``{name}-key.pem``, ``{name}-chain.pem`` and
                ``{name}-bundle.pem``.
            passphrase: encrypts the key file.

        Raises:
            OSError: a file cannot be written.
        """
        root = Path(folder)
        make_private_folder(root)
        paths = IssuedPaths(
            certificate=root / f"{name}-cert.pem",
            private_key=root / f"{name}-key.pem",
            chain=root / f"{name}-chain.pem" if self.chain else None,
            bundle=root / f"{name}-bundle.pem",
        )
        paths.certificate.write_bytes(self.certificate_pem)
        write_private(paths.private_key, key_pem(self.private_key, passphrase))
        if paths.chain:
            paths.chain.write_bytes(self.chain_pem)
        paths.bundle.write_bytes(self.bundle_pem)
        return paths
