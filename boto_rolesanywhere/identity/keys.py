"""From the encoding of a private key to an object of `cryptography`.

What that library reads by itself is left to it. Where the bytes came from, and which certificate
the key belongs to, is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..certificates import quietly
from ..errors import PassphraseError, PrivateKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from .file import Part
    from .pem import Block
    from .sources import Secret


def decode_key(block: Block, part: Part, secret: Secret | None) -> PrivateKeyTypes:
    """The private key in `block`, which stands in `part`.

    Raises:
        PassphraseError: it is encrypted, and the passphrase is missing or wrong.
        PrivateKeyError: it cannot be read.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    passphrase = ask(secret, part) if is_encrypted(block) else None
    try:
        return quietly(lambda: load_pem_private_key(block.to_pem(), passphrase))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if "password" in str(error):
            raise wrong_passphrase(secret, part) from None
        raise PrivateKeyError(f"cannot be read ({error})", where=part.where) from None


def is_encrypted(block: Block) -> bool:
    """Whether it takes a passphrase to read it."""
    return block.label == "ENCRYPTED PRIVATE KEY" or any(
        name == "Proc-Type" and "ENCRYPTED" in value for name, value in block.headers
    )


def ask(secret: Secret | None, part: Part) -> bytes:
    """The passphrase for `part`, which is encrypted."""
    if secret is None:
        raise PassphraseError(
            "it is encrypted, and no passphrase was given",
            where=part.where,
            remedy="Give it as the argument `passphrase`, in AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE, "
            "or by rolesanywhere_private_key_passphrase_file or _env in the AWS config file.",
        )
    return secret.reveal()


def wrong_passphrase(secret: Secret | None, part: Part) -> PassphraseError:
    """The error for a passphrase that does not open `part`."""
    origin = secret.origin if secret else "passphrase"
    return PassphraseError(f"the passphrase (from {origin}) does not open it", where=part.where)
