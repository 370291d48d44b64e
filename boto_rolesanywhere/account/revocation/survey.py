"""Judges what AWS has: are a trust anchor's lists in force, and is a certificate on one of them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from boto_rolesanywhere.certificates.reading import extension_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .anchors import Anchor, Imported


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that a person should look at.

    Attributes:
        text: what it is.
        remedy: what to do.
    """

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Named:
    """A list that names a certificate.

    Attributes:
        imported: the list.
        revoked_at: as the list has it.
        reason: by its name in RFC 5280; None if the list gives none.
    """

    imported: Imported
    revoked_at: datetime
    reason: str | None


def concerns_of(anchor: Anchor) -> Iterator[Concern]:
    """What is to be looked at in a trust anchor."""
    if not anchor.enabled:
        yield Concern(
            "the trust anchor is disabled, and refuses every certificate",
            "Enable it: aws rolesanywhere enable-trust-anchor.",
        )


def concerns_of_list(imported: Imported, now: datetime) -> Iterator[Concern]:
    """What is to be looked at in a list."""
    if not imported.enabled:
        yield Concern(
            "it is disabled, and AWS does not look at it",
            "Enable it with `crl sync`, or `aws rolesanywhere enable-crl`; or remove it.",
        )
    if imported.listed is None:
        yield Concern("it cannot be read", "See what `aws rolesanywhere get-crl` shows.")
    elif imported.listed.next_update is not None and imported.listed.next_update < now:
        yield Concern(
            "its next update is over, and certificates revoked since then are accepted",
            "Run `crl sync`; look why it did not run.",
        )


def naming(lists: Sequence[Imported], serial: int, issuer: bytes | None = None) -> Iterator[Named]:
    """The lists that name a serial number.

    Args:
        lists: of the trust anchor.
        serial: the number.
        issuer: the DER of the name of the certificate's CA; None for any.
    """
    for imported in lists:
        listed = imported.listed
        if listed is None or (issuer is not None and not listed.is_of(issuer)):
            continue
        entry = listed.entry(serial)
        if entry is not None:
            found = extension_of(entry, x509.CRLReason)
            reason = found.reason.value if found else None
            yield Named(imported, entry.revocation_date_utc, reason)
