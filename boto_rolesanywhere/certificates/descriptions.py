"""A certificate's names for messages; never an error, whatever stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .odd import readable
from .reading import quietly

if TYPE_CHECKING:
    from cryptography import x509


def describe_subject(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it."""
    return _described(certificate, "subject")


def describe_issuer(certificate: x509.Certificate) -> str:
    """The issuer as RFC 4514 writes it."""
    return _described(certificate, "issuer")


def _described(certificate: x509.Certificate, field: str) -> str:
    try:
        # Parsed here, with warnings for odd names.
        text: str = quietly(lambda: getattr(certificate, field)).rfc4514_string()
    except (ValueError, TypeError):
        try:
            text = getattr(readable(certificate)[0], field).rfc4514_string()
        except (ValueError, TypeError):
            return f"an unreadable {field}"
    return text or f"an empty {field}"
