"""The types of keys that the installed `cryptography` makes; ML-DSA came with version 48."""

from __future__ import annotations

from typing import Final

from boto_rolesanywhere.authority.keys import KeyType, generate_key
from boto_rolesanywhere.errors import ConfigurationError


def _makes(key_type: KeyType) -> bool:
    try:
        generate_key(key_type)
    except ConfigurationError:
        return False
    return True


_ALL: Final[tuple[KeyType, ...]] = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
MLDSA: Final[tuple[KeyType, ...]] = tuple(each for each in _ALL if _makes(each))
# Small ones: what differs between sizes of RSA is the time that they take.
QUICK: Final[tuple[KeyType, ...]] = ("P-256", "P-384", "P-521", "RSA-2048", *MLDSA)
