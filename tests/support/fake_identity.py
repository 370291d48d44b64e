"""An identity without certificate and key, for tests of the signer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto_rolesanywhere.signing_key import Algorithm


@dataclass
class FakeIdentity:
    """Everything that the signer asks for; shows what it was given to sign."""

    algorithm: Algorithm = "AWS4-X509-ECDSA-SHA256"
    serial_number: str = "42"
    certificate_header: str = "Q0VSVA=="
    chain_header: str | None = None
    signed: bytes = b""

    def sign(self, data: bytes) -> bytes:
        self.signed = data
        return sha256(data).digest()
