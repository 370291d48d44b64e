"""The PINs and passwords that a token or TPM has refused in this process: none is tried twice.

Tokens lock themselves after a few wrong PINs. A wrong password may count towards the TPM's
lock-out, which then stops every user of the machine. This module keeps no secret, only its digest
under a key made for this process.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

_process_key: Final = secrets.token_bytes(32)
_refused: Final[set[bytes]] = set()


def remember_refusal(device: bytes, secret: bytes | None) -> None:
    """Note that `device` (a token, a key in a TPM) refused `secret` (None: no secret)."""
    _refused.add(digest(device, secret))


def was_refused(device: bytes, secret: bytes | None) -> bool:
    """Whether `device` has refused `secret` before."""
    return digest(device, secret) in _refused


def digest(device: bytes, secret: bytes | None) -> bytes:
    """A digest that stands for a secret of `device`."""
    # The inner digest has a fixed length, so that no two pairs run together.
    inner = hashlib.sha256(device).digest() + (secret or b"")
    return hashlib.blake2b(inner, key=_process_key).digest()
