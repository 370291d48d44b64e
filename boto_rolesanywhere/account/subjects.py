"""Who has asked for sessions, with which certificates, as AWS remembers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509

from boto_rolesanywhere.certificates.reading import quietly, serial_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from .administrator import Administrator


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """A certificate that a subject has asked with.

    Attributes:
        serial_number: in hexadecimal digits; as AWS writes it if the certificate cannot be read.
        issuer: as AWS writes it.
        seen_at: when it was used last.
        enabled: as AWS says.
        failed: as AWS says. AWS describes it as "whether the request was successful", which is
            the opposite of its name.
        not_after: when it ends; None if AWS gave no certificate that can be read.
    """

    serial_number: str
    issuer: str
    seen_at: datetime
    enabled: bool
    failed: bool | None
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who has asked: all certificates with one subject.

    Attributes:
        arn: as CreateSession answers it.
        name: the certificates' subject.
        enabled: as AWS says.
        created_at: when it asked for the first time.
        last_seen_at: when it asked last; None if AWS does not say.
        certificates: the newest use first.
    """

    arn: str
    name: str
    enabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    certificates: tuple[SeenCertificate, ...] = field(default=())

    def is_renewed(self, certificate: SeenCertificate) -> bool:
        """Whether the subject has also asked with a certificate that holds longer."""
        return any(
            other.not_after is not None
            and certificate.not_after is not None
            and other.not_after > certificate.not_after
            for other in self.certificates
        )


def subjects(
    administrator: Administrator, tell: Callable[[int, int], object] = lambda _at, _of: None
) -> Iterator[Subject]:
    """Every subject of the account in this Region, with its certificates.

    AWS takes one call a second for each, so a thousand subjects take a quarter of an hour.

    Args:
        administrator: asks.
        tell: takes how many have been read, and of how many, before each call.

    Raises:
        RolesAnywhereError: AWS refused a call.
    """
    summaries = list(administrator.pages("rolesanywhere", "ListSubjects", "subjects"))
    for number, summary in enumerate(summaries):
        tell(number, len(summaries))
        detail = administrator.call("rolesanywhere", "GetSubject", subjectId=summary["subjectId"])[
            "subject"
        ]
        yield _subject(detail)


def _subject(detail: dict[str, Any]) -> Subject:
    seen = sorted(detail.get("credentials", ()), key=lambda each: each["seenAt"], reverse=True)
    return Subject(
        detail["subjectArn"],
        detail.get("x509Subject", ""),
        bool(detail.get("enabled")),
        detail["createdAt"],
        detail.get("lastSeenAt"),
        tuple(map(_certificate, seen)),
    )


def _certificate(seen: dict[str, Any]) -> SeenCertificate:
    serial, end = str(seen.get("serialNumber", "")), None
    try:
        certificate = x509.load_pem_x509_certificate(seen.get("x509CertificateData", "").encode())
        serial = f"{serial_number(certificate):x}"
        end = quietly(lambda: certificate.not_valid_after_utc)
    except ValueError:
        pass  # AWS's own words remain
    return SeenCertificate(
        serial,
        seen.get("issuer", ""),
        seen["seenAt"],
        bool(seen.get("enabled")),
        seen.get("failed"),
        end,
    )
