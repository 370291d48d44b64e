"""What is inside an input: certificates and keys, whatever container they came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..certificates import quietly
from .pem import Block, PemError, as_plain_text, scan

if TYPE_CHECKING:
    from cryptography import x509

    from .file import Part

CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
KEY_LABELS = frozenset(
    {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found in one input."""

    certificates: tuple[x509.Certificate, ...] = ()
    keys: tuple[Block, ...] = field(default=(), repr=False)
    tpm_key: bytes | None = field(default=None, repr=False)


def open_contents(part: Part) -> Contents:
    """The certificates and keys of `part`."""
    from cryptography import x509

    try:
        blocks = scan(as_plain_text(part.data))
    except PemError as error:
        raise part.error(str(error)) from None
    try:
        certificates = tuple(
            quietly(lambda der=block.der: x509.load_der_x509_certificate(der))
            for block in blocks
            if block.label in CERTIFICATE_LABELS
        )
    except ValueError as error:
        raise part.error(f"a certificate in it cannot be read ({error})") from None
    tpm = next((block.to_pem() for block in blocks if block.label == "TSS2 PRIVATE KEY"), None)
    return Contents(
        certificates, tuple(block for block in blocks if block.label in KEY_LABELS), tpm
    )
