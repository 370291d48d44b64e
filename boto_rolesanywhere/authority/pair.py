"""Replacing a certificate and its key so that whoever opens the two files finds a pair.

No file system replaces two files in one step. So the file of the key holds both keys, the old one
and the new one, while the certificate is exchanged: `identity` takes the one of several keys that
is the certificate's. Whenever the process is killed, the two files hold a pair, and the next
renewal leaves the new key alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cryptography import x509

from boto_rolesanywhere.atomic_file import make_private_folder, write_atomically
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.private_keys import decode_key
from boto_rolesanywhere.identity.files.reading import read_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boto_rolesanywhere.identity.files.pem import Block


def replace_pair(certificate_path: Path, certificates: bytes, key_path: Path, key: bytes) -> None:
    """Put a new certificate and its key in the place of the old ones, which need not be there.

    Both files get mode 0600, folders that are missing 0700.

    Args:
        certificate_path: of the certificate's file.
        certificates: PEM of the new certificate, and of its chain.
        key_path: of the key's file.
        key: PEM of the new key.

    Raises:
        OSError: a file cannot be written. What is there is a pair.
    """
    make_private_folder(key_path.parent)
    with alone_in(key_path.parent):
        if kept := _keys_in_use(certificate_path, key_path):
            # The old key first: until the certificate is exchanged, it is the one that programs
            # need which read one key of a file.
            write_file(key_path, kept + key)
            write_file(certificate_path, certificates)
        write_file(key_path, key)
        if not kept:
            write_file(certificate_path, certificates)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for another process that replaces files in this folder, so that pairs are not mixed.

    Not on Windows, nor where the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which ends the lock, as the end of the process does


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one step, with mode 0600; folders that are missing get mode 0700.

    Raises:
        OSError: it cannot be written.
    """
    make_private_folder(path.parent)
    write_atomically(path.parent.resolve() / path.name, content)


def _keys_in_use(certificate_path: Path, key_path: Path) -> bytes:
    """PEM of the old keys that may be the old certificate's; empty if there is none.

    A key that does not open without a passphrase may be.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        contents = open_contents(read_part(key_path, "private key"), None)
    except (OSError, ValueError, RolesAnywhereError):
        return b""
    blocks = [block for block in contents.keys if _may_be_of(block, certificate)]
    return b"".join([*(block.to_pem() for block in blocks), contents.tpm_key or b""])


def _may_be_of(block: Block, certificate: x509.Certificate) -> bool:
    try:
        return decode_key(block, "the old key", None).public_key() == certificate.public_key()
    except (ValueError, RolesAnywhereError):
        return True
