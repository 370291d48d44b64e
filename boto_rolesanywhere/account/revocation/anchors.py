"""What AWS has: a trust anchor, its CA certificates, and the lists that were imported for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509

from boto_rolesanywhere.account.found import REVOCATION_LIST, listed, tags_of
from boto_rolesanywhere.account.tags import SYNCHRONISED
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.settings.arns import parse_arn

from .lists import RevocationList, read_list
from .private_ca_lists import authorities

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from boto_rolesanywhere.account.administrator import Administrator


@dataclass(frozen=True, slots=True)
class Anchor:
    """A trust anchor.

    Attributes:
        arn: its canonical ARN, never an alias.
        name: as it was made with.
        enabled: a disabled one refuses everybody.
        asks_distribution_points: ``crlDpRevocationEnabled``: AWS also looks a certificate up in
            the list at its own CRL distribution point.
        certificates: of its CAs, one or two.
    """

    arn: str
    name: str
    enabled: bool
    asks_distribution_points: bool
    certificates: tuple[x509.Certificate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Imported:
    """A list that was imported for a trust anchor.

    Attributes:
        arn: of the list.
        crl_id: the last part of the ARN.
        name: need not be unique.
        enabled: a disabled one is not looked at.
        is_ours: whether ``crl sync`` keeps it.
        updated_at: when it was imported or changed last; None if AWS does not say.
        listed: the list; None if it cannot be read here.
    """

    arn: str
    crl_id: str
    name: str
    enabled: bool
    is_ours: bool
    updated_at: datetime | None
    listed: RevocationList | None

    def __str__(self) -> str:
        issuer = self.listed.issuer if self.listed else "unreadable"
        return f"{self.name!r} ({self.crl_id}, {issuer})"


def read_anchor(administrator: Administrator, arn: str) -> Anchor:
    """The trust anchor of an ARN or alias.

    Raises:
        ConfigurationError: the ARN is none, or the trust anchor has no CA of yours.
        RolesAnywhereError: AWS refused a call.
    """
    parse_arn("trust-anchor", arn, where="--trust-anchor")
    detail = administrator.call("rolesanywhere", "GetTrustAnchor", trustAnchorId=arn)["trustAnchor"]
    return Anchor(
        detail["trustAnchorArn"],
        detail["name"],
        detail["enabled"],
        bool(detail.get("crlDpRevocationEnabled")),
        _certificates(administrator, detail),
    )


def imported_lists(administrator: Administrator, anchor: Anchor) -> tuple[Imported, ...]:
    """The lists of a trust anchor, the oldest first.

    Raises:
        RolesAnywhereError: AWS refused a call.
    """
    details = [
        detail
        for detail in listed(administrator, REVOCATION_LIST)
        if detail["trustAnchorArn"] == anchor.arn
    ]
    details.sort(key=lambda detail: str(detail.get("createdAt", "")))
    return tuple(_imported(administrator, detail) for detail in details)


def _imported(administrator: Administrator, detail: Mapping[str, Any]) -> Imported:
    try:
        crl = read_list(detail["crlData"], detail["name"])
    except CertificateError:  # whoever imported it, it is not for us to judge
        crl = None
    return Imported(
        detail["crlArn"],
        detail["crlId"],
        detail["name"],
        detail["enabled"],
        SYNCHRONISED in tags_of(administrator, detail["crlArn"]),
        detail.get("updatedAt"),
        crl,
    )


def _certificates(
    administrator: Administrator, detail: Mapping[str, Any]
) -> tuple[x509.Certificate, ...]:
    source = detail["source"]
    data = source.get("sourceData", {})
    if "x509CertificateData" in data:
        return tuple(x509.load_pem_x509_certificates(data["x509CertificateData"].encode()))
    if "acmPcaArn" in data:
        return authorities(administrator, data["acmPcaArn"])[:1]
    raise ConfigurationError(
        f"the trust anchor's source is {source.get('sourceType')}, whose CA is not known here",
        code="crl-source-unusable",
        where=detail["trustAnchorArn"],
        expected="CERTIFICATE_BUNDLE or AWS_ACM_PCA",
    )
