"""The session that CreateSession gives, as a value. No botocore here: a cache reads it cheaply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_T = TypeVar("_T")


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
        region: whose IAM Roles Anywhere made it; of several, the first that could.
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
    region: str | None = None

    @property
    def account_id(self) -> str | None:
        """The account of the assumed role, which is a part of some services' endpoints."""
        parts = (self.assumed_role_arn or self.role_arn or "").split(":")
        return parts[4] if len(parts) > 4 and parts[4].isdecimal() else None  # noqa: PLR2004  # arn:partition:service:region:account

    @property
    def lifetime(self) -> float:
        """Seconds from issue to expiration."""
        return (self.expiration - self.issued_at).total_seconds()


def required_word(values: Mapping[str, object], name: str) -> str:
    """A value that every variable, file and shell takes as one word.

    Raises:
        LookupError, ValueError: it is missing or something else; without the value.
    """
    value = values[name]
    if not (isinstance(value, str) and value.isascii() and value.isprintable()):
        raise ValueError(name)
    if value.split() != [value]:
        raise ValueError(name)
    return value


def optional_value(values: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    """A value of this type; None if it is missing, of another, or text that is not printable."""
    value = values.get(name)
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        return None
    return value if type(value) is kind else None
