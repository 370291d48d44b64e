"""The session that CreateSession gives, as a value. No botocore here: a cache reads it cheaply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesAnywhereSession:
    """Temporary credentials and what the service said about them. Its repr hides the secrets.

    Attributes:
        access_key_id: begins with ``ASIA``.
        secret_access_key: a secret.
        session_token: a secret.
        expiration: when the credentials end, aware, in UTC, by the service's clock.
        issued_at: when they were issued, aware, in UTC, by the service's clock (its ``Date``), so
            that `expiration` minus this is the lifetime even where the local clock is wrong.
        role_arn: the role, with its path.
        assumed_role_arn: ``arn:…:sts::…:assumed-role/NAME/SESSION``.
        assumed_role_id: the role's unique id and the session name.
        subject_arn: the subject that the certificate stands for, in IAM Roles Anywhere.
        source_identity: what CloudTrail shows; from the certificate's subject.
        packed_policy_size: percent of the space for session policies and tags that is used.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: datetime
    issued_at: datetime
    role_arn: str | None = None
    assumed_role_arn: str | None = None
    assumed_role_id: str | None = None
    subject_arn: str | None = None
    source_identity: str | None = None
    packed_policy_size: int | None = None

    @property
    def lifetime(self) -> float:
        """Seconds from issue to expiration."""
        return (self.expiration - self.issued_at).total_seconds()
