"""Certificate revocation lists: making them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

from .drafts import signing_hash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

    from .drafts import Digest, Span
    from .keys import PrivateKey

# RFC 5280, section 5.3.1, without removeFromCRL, which stands in delta lists alone.
REASONS: Final = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
)


@dataclass(frozen=True, slots=True)
class Revoked:
    """One line of a list.

    Attributes:
        serial_number: of the revoked certificate.
        at: when it was revoked; None for the list's own time.
        reason: one of `REASONS`; None to say nothing.
    """

    serial_number: int
    at: datetime | None = None
    reason: str | None = None


def revocation_list(
    issuer: x509.Name,
    issuer_key: PrivateKey,
    revoked: Iterable[Revoked],
    span: Span,
    *,
    number: int,
    digest: Digest,
) -> x509.CertificateRevocationList:
    """A signed list.

    Args:
        issuer: the authority's subject.
        issuer_key: the authority's key.
        revoked: the lines; a list without lines is valid, and AWS refuses to import it.
        span: thisUpdate and nextUpdate.
        number: the CRL number, larger than that of every earlier list.
        digest: with which hash the key signs.

    Raises:
        ConfigurationError: a value is not usable.
    """
    from cryptography import x509

    algorithm = signing_hash(issuer_key, digest)
    try:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(span[0])
            .next_update(span[1])
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
        )
        for line in revoked:
            builder = builder.add_revoked_certificate(_entry(line, span[0]))
        return builder.sign(issuer_key, algorithm)  # type: ignore[arg-type]  # its hash union
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"cannot make this revocation list ({error})", code="authority-value-unusable"
        ) from None


def _entry(line: Revoked, list_time: datetime) -> x509.RevokedCertificate:
    from cryptography import x509

    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(line.serial_number)
        .revocation_date(line.at or list_time)
    )
    # RFC 5280, section 5.3.1: the extension should be absent instead of saying "unspecified".
    if line.reason is not None and line.reason != "unspecified":
        reason = x509.CRLReason(x509.ReasonFlags(line.reason))
        entry = entry.add_extension(reason, critical=False)
    return entry.build()
