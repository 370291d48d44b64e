"""What is wanted in an AWS account: a trust anchor, a role, a profile. Values alone.

`setup` makes them, and other programs write them down as code. None means: not said. AWS's default
holds for what is made, and what exists stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CertificateField = Literal["x509Subject", "x509Issuer", "x509SAN"]
CERTIFICATE_FIELDS: Final[tuple[CertificateField, ...]] = ("x509Subject", "x509Issuer", "x509SAN")
# User Guide, "Certificate attribute mapping": those of a profile that is made.
DEFAULT_MAPPINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "x509Subject": ("*",),
    "x509Issuer": ("*",),
    "x509SAN": ("DNS", "URI", "Name/*"),
}
NotificationEvent = Literal["CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY"]
TipSource = Literal["x509Subject/CN", "x509SAN/URI"]
TipType = Literal["workload", "user"]

INLINE_POLICY: Final = "boto-rolesanywhere"


@dataclass(frozen=True, slots=True)
class Notification:
    """When AWS tells that a certificate ends (EventBridge, CloudWatch, Health).

    Attributes:
        event: whose certificate.
        threshold: days before, 1 to 360; None: AWS's 45.
        enabled: False to be told nothing.
    """

    event: NotificationEvent
    threshold: int | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAnchor:
    """A trust anchor.

    Attributes:
        name: for people; letters, digits, blanks, ``-`` and ``_``.
        alias: by which it is found again.
        bundle: the CA certificates in PEM, at most two; None if `pca_arn` says it.
        pca_arn: of a CA in AWS Private CA.
        refresh: whether AWS reads the source anew: a Private CA that was renewed.
        crl_distribution_points: whether AWS asks the certificates' CRL distribution points.
        notifications: those to set; others stay.
        tags: ours and the user's.
    """

    name: str
    alias: str
    bundle: str | None = None
    pca_arn: str | None = None
    refresh: bool = False
    crl_distribution_points: bool | None = None
    notifications: Sequence[Notification] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> dict[str, object]:
        """In the shape that CreateTrustAnchor takes."""
        if self.pca_arn is not None:
            return {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": self.pca_arn}}
        return {
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": {"x509CertificateData": self.bundle},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRole:
    """An IAM role that certificates of the trust anchor can assume.

    Attributes:
        name: of the role.
        path: with a slash at both ends.
        certificates: which certificates. Each entry holds session tags with their values, such as
            ``{"x509Subject/CN": "app1"}``, all of which a certificate must have; one entry is
            enough. Empty: every certificate of the trust anchor.
        policy_arns: managed policies to attach; others stay attached.
        inline_policy: the document of the inline policy `INLINE_POLICY`.
        max_session_duration: seconds, 3600 to 43200.
        permissions_boundary: the ARN of a policy; only for a role that is made.
        tags: ours and the user's.
    """

    name: str
    path: str = "/"
    certificates: Sequence[Mapping[str, str]] = ()
    policy_arns: Sequence[str] = ()
    inline_policy: Mapping[str, object] | None = None
    max_session_duration: int | None = None
    permissions_boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrustedIdentity:
    """Trusted identity propagation: which field names the workload or user to other services."""

    source: TipSource
    subject_type: TipType = "workload"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedProfile:
    """An IAM Roles Anywhere profile, for one role.

    Attributes:
        name: for people.
        alias: by which it is found again.
        duration: seconds of a session, 900 to 43200.
        session_policy: the document that limits every session; False: what is there limits no
            longer.
        managed_policy_arns: managed policies that limit every session.
        accept_session_name: whether a call may choose the role session's name.
        mappings: by certificate field the specifiers that become session tags; other fields stay.
        trusted_identity: trusted identity propagation; False turns it off.
        tags: ours and the user's.
    """

    name: str
    alias: str
    duration: int | None = None
    session_policy: Mapping[str, object] | Literal[False] | None = None
    managed_policy_arns: Sequence[str] | None = None
    accept_session_name: bool | None = None
    mappings: Mapping[CertificateField, Sequence[str]] = field(default_factory=dict)
    trusted_identity: TrustedIdentity | Literal[False] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that one `setup` makes. The profile's only role is `role`."""

    anchor: WantedAnchor
    role: WantedRole
    profile: WantedProfile
