"""The name under which a session is cached: a hash of all that decides which session it is.

It is worked out at each hit, so nothing heavy is imported here; see `cache_entry`.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH111, PTH116, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import stat
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# A path may hold bytes that are no UTF-8; Python has them as lone surrogates.
_UTF8: Final = ("utf-8", "surrogateescape")
_MAX_CERTIFICATE: Final = 4 * 1024 * 1024


def entry_key(
    *,
    trust_anchor: str,
    profile: str,
    role: str,
    region: str,
    certificate: str,
    duration: str = "",
    session_name: str = "",
    endpoint: str = "",
) -> str:
    """The name of the entry for these inputs: 64 hexadecimal digits.

    Args:
        trust_anchor: the trust anchor's ARN, like the next two without blanks around it.
        profile: the profile's ARN.
        role: the role's ARN.
        region: of the call.
        certificate: what `fingerprint` gave.
        duration: seconds in decimal digits, "" if it is left to the profile.
        session_name: "" if it is left to the service.
        endpoint: the one that is given, else what `configured_endpoint` gave.
    """
    inputs = (trust_anchor, profile, role, region, certificate, duration, session_name, endpoint)
    # The lengths keep ("ab", "c") and ("a", "bc") apart.
    return sha256("".join(f"{len(text)}:{text}" for text in inputs).encode(*_UTF8)).hexdigest()


def fingerprint_file(path: str) -> str | None:
    """The SHA-256 of a certificate file's bytes; None if it cannot be read.

    Of the bytes, since telling the certificate among them takes cryptography: so a change of
    anything in the file makes another entry.
    """
    try:
        path = os.path.expanduser(path)
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            return fingerprint_bytes(file.read(_MAX_CERTIFICATE))
    except (OSError, ValueError):
        return None


def fingerprint_bytes(content: bytes) -> str:
    """The same for a file's content."""
    return f"file {sha256(content).hexdigest()}"


def fingerprint_folder(path: str) -> str | None:
    """The SHA-256 over all files of a folder that certificates are chosen from; None likewise."""
    digest = sha256()
    try:
        folder = os.path.expanduser(path)
        for name in sorted(os.listdir(folder)):
            digest.update(
                f"{name}\0{fingerprint_file(os.path.join(folder, name))}\0".encode(*_UTF8)
            )
    except (OSError, ValueError):
        return None
    return f"folder {digest.hexdigest()}"


def fingerprint(certificate: str, module: str | None = None) -> str | None:
    """What tells one certificate from another without opening it.

    Args:
        certificate: a path, or a ``pkcs11:`` URI.
        module: the PKCS #11 library, for a URI.

    Returns:
        For a file, a hash of its bytes. For a URI, the URI: what is on the token is not looked at,
        so a certificate that was replaced there counts when the old session ends. None if the file
        cannot be read.
    """
    if certificate[:7].lower() == "pkcs11:":
        return f"token {certificate} {module or ''}"
    return fingerprint_file(certificate)
