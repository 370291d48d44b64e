"""Which PINs and passwords a token or TPM has refused in this process, so that none is tried twice.

Tokens lock themselves after a few wrong PINs. A wrong password may count towards the TPM's
lock-out, which then stops every user of the machine. No secret is kept, only a digest of it under a
key made for this process.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

_process_key: Final = secrets.token_bytes(32)
_refused: Final[set[bytes]] = set()


def remember_refusal(device: bytes, secret: bytes | None) -> None:
    """Note that `device` (a token, a key in a TPM) refused `secret`; None: that there was none."""
    _refused.add(digest(device, secret))


def was_refused(device: bytes, secret: bytes | None) -> bool:
    """Whether this very try has failed before, so that `device` must not be asked again."""
    return digest(device, secret) in _refused


def digest(device: bytes, secret: bytes | None) -> bytes:
    """What stands for a secret of `device` without telling it."""
    # The inner digest has a fixed length, so that no two pairs run together.
    inner = hashlib.sha256(device).digest() + (secret or b"")
    return hashlib.blake2b(inner, key=_process_key).digest()
