"""The authority and the client certificate of the emulator's command, made or found in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.ca import CertificateAuthority

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def authority_and_files(
    options: argparse.Namespace,
) -> tuple[CertificateAuthority | bytes, dict[str, str]]:
    """What the trust anchor is made of, and the files that were written, by setting."""
    files: dict[str, str] = {}
    if options.write is not None:
        options.write = options.write.absolute()  # what is printed may be pasted anywhere
        if options.ca is None and _is_there(options.write, "ca-cert.pem", "ca-key.pem"):
            options.ca, options.ca_key = options.write / "ca-cert.pem", options.write / "ca-key.pem"
            files.update(ca_certificate=str(options.ca), ca_private_key=str(options.ca_key))
    if options.ca is None:
        if options.write is None:
            raise ConfigurationError(
                "nobody could sign for an authority that is written nowhere",
                code="emulator-options",
                remedy="Give --write DIR, or --ca FILE with an authority of your own.",
            )
        ca = CertificateAuthority(key_type=options.key_type)
        paths = ca.write(options.write)
        files.update(zip(("ca_certificate", "ca_private_key"), map(str, paths), strict=True))
    elif options.ca_key is None:
        if options.write is not None:
            raise ConfigurationError(
                "--write cannot issue a certificate without the authority's key",
                code="emulator-options",
                remedy="Give --ca-key FILE as well, or leave --write out.",
            )
        return options.ca.read_bytes(), files
    else:
        secret = options.ca_key_passphrase_file
        ca = CertificateAuthority.from_pem(
            options.ca.read_bytes(),
            options.ca_key.read_bytes(),
            passphrase=secret.read_bytes().rstrip(b"\r\n") if secret else None,
        )
    if options.write is not None:
        files |= _client(options, ca)
    return ca, files


def _client(options: argparse.Namespace, ca: CertificateAuthority) -> dict[str, str]:
    """The client's files, made unless they are there."""
    folder = options.write
    if not _is_there(folder, "client-cert.pem", "client-key.pem"):
        ca.issue("client", key_type=options.key_type).write(folder)
    chain = folder / "client-chain.pem"
    return {
        "certificate": str(folder / "client-cert.pem"),
        "private_key": str(folder / "client-key.pem"),
        **({"certificate_chain": str(chain)} if chain.exists() else {}),
    }


def _is_there(folder: Path, certificate: str, key: str) -> bool:
    """Whether both files of a pair are there.

    Raises:
        ConfigurationError: one of them is, and would be overwritten.
    """
    there = [name for name in (certificate, key) if (folder / name).exists()]
    if len(there) == 1:
        raise ConfigurationError(
            "it is there without its other half, and is not overwritten",
            code="emulator-options",
            where=str(folder / there[0]),
            expected=f"both of {certificate} and {key}, or none",
            remedy="Name another folder for --write, or move the file away.",
        )
    return bool(there)
