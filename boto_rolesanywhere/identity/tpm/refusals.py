"""Which passwords a TPM has refused in this process, so that none is tried twice.

Each wrong password may count towards the TPM's lock-out, which then stops every user of the
machine. The passwords are not kept, only digests of them under a key made for this process.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from boto_rolesanywhere.errors import PassphraseError

_process_key: Final = secrets.token_bytes(32)
_refused: Final[set[bytes]] = set()


def remember_refusal(key_id: bytes, password: bytes | None) -> None:
    """Note that the TPM refused `password` (None: no password) for the key."""
    _refused.add(_digest(key_id, password))


def check_not_refused(key_id: bytes, password: bytes | None, *, where: str) -> None:
    """Raise if this very try has failed before.

    Raises:
        PassphraseError: it has; the TPM must not be asked again.
    """
    if _digest(key_id, password) in _refused:
        raise PassphraseError(
            "the TPM has refused this password before, so it is not asked again"
            if password
            else "the TPM has refused the key without a password before, so it is not asked again",
            code="tpm-password-refused",
            where=where,
            remedy="Give the right password (each wrong one may count towards the TPM's "
            "lock-out). If it was the TPM that changed, start the process anew.",
        )


def _digest(key_id: bytes, password: bytes | None) -> bytes:
    # The lengths are fixed by the inner digest, so that no two pairs run together.
    inner = hashlib.sha256(key_id).digest() + (password or b"")
    return hashlib.blake2b(inner, key=_process_key).digest()
