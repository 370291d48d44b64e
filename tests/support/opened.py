"""An identity that was opened, and whether it signs."""

from __future__ import annotations

from datetime import datetime, timezone

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.identity.identity import Identity

NOW = datetime.now(timezone.utc)


def signs(identity: Identity) -> bool:
    signature = identity.sign(b"data")
    return verify_signature(identity.certificate.public_key(), signature, b"data")
