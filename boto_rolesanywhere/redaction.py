"""Text of the user's that stands in an error: enough to see the mistake, and nothing secret."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
# The base64 of PEM, the base64 of DER, and DER in hex; what keys look like in a CI's settings.
_KEY: Final = re.compile(r"\s*(LS0tLS1|MI|30[0-9a-f]{2})[A-Za-z0-9+/=_\s-]{48,}", re.IGNORECASE)


def holds_secret(text: str) -> bool:
    """Whether `text` seems to be or to hold what nobody should read: a key, or a PIN."""
    return "-----BEGIN" in text or "pin-value" in text.lower() or bool(_KEY.fullmatch(text))


def shown(text: object) -> str:
    """`text` as it may stand in an error: quoted, cut if it is long, hidden if it is a secret."""
    if not isinstance(text, str):
        return repr(text)
    if holds_secret(text):
        return "a text that seems to be a secret"
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
