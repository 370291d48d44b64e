"""From the answer of a success to a session."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from boto_rolesanywhere.credentials.session_value import (
    RolesAnywhereSession,
    optional_value,
    required_word,
)
from boto_rolesanywhere.errors import InvalidResponseError
from boto_rolesanywhere.settings.names import LONGEST_SESSION

from .diagnosis import service_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .transport import Answer
    from .way import Way


def session_of(answer: Answer, now: datetime, way: Callable[[], Way]) -> RolesAnywhereSession:
    """The session in an answer whose body is a JSON object.

    Args:
        answer: of a success.
        now: when it was received, aware.
        way: gives how the call got there, for the error.

    Raises:
        InvalidResponseError: it holds no usable credentials.
    """
    received = now.astimezone(timezone.utc)
    issued_at = service_time(answer.headers.get("date")) or received
    try:
        session = _session(answer.fields or {}, issued_at.astimezone(timezone.utc))
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        # The exception's own text may quote the body, which holds the credentials.
        problem = f"CreateSession was answered without usable credentials ({type(error).__name__})"
        raise InvalidResponseError(
            problem,
            code="answer-foreign",
            where=way().place,
            expected="credentialSet[0].credentials with four fields of printable ASCII",
            remedy=way().advice or "Check that the endpoint URL is that of IAM Roles Anywhere.",
        ) from None
    latest = received + timedelta(seconds=LONGEST_SESSION)
    if session.expiration > latest:  # AWS ends every session by then, whatever the answer says
        session = replace(session, expiration=latest)
    if not 0 < session.lifetime <= LONGEST_SESSION:  # the Date is a proxy's, or the clock is off
        session = replace(session, issued_at=received)
    if session.lifetime <= 0:
        raise InvalidResponseError(
            f"CreateSession gave credentials that ended at {session.expiration:%Y-%m-%dT%H:%M:%SZ},"
            f" and it was {session.issued_at:%Y-%m-%dT%H:%M:%SZ} when they were given",
            code="answer-foreign",
        )
    return session


def _session(fields: Mapping[str, Any], issued_at: datetime) -> RolesAnywhereSession:
    answered = fields["credentialSet"][0]
    credentials = answered["credentials"]
    user = answered.get("assumedRoleUser") or {}
    return RolesAnywhereSession(
        access_key_id=required_word(credentials, "accessKeyId"),
        secret_access_key=required_word(credentials, "secretAccessKey"),
        session_token=required_word(credentials, "sessionToken"),
        expiration=_time(required_word(credentials, "expiration")),
        issued_at=issued_at,
        role_arn=optional_value(answered, "roleArn", str),
        assumed_role_arn=optional_value(user, "arn", str),
        assumed_role_id=optional_value(user, "assumedRoleId", str),
        subject_arn=optional_value(fields, "subjectArn", str),
        source_identity=optional_value(answered, "sourceIdentity", str),
        packed_policy_size=optional_value(answered, "packedPolicySize", int),
    )


def _time(text: str) -> datetime:
    # datetime.fromisoformat reads a trailing Z only from Python 3.11 on.
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return time.astimezone(timezone.utc)
