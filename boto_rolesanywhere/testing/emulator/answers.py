"""What the service says: statuses, error codes and messages, and the shape of an HTTP answer.

Each refusal carries a mark. Messages without it were seen by users of the service; those with
``guess=True`` are published nowhere, so do not build on their words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DENIED = "AccessDeniedException"
INVALID = "ValidationException"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which the service refuses.

    Attributes:
        message: the service's words.
        code: the error type, sent in ``x-amzn-ErrorType``.
        status: the HTTP status.
        guess: True if the words (or, for a code of its own, the code) are our guess.
    """

    message: str
    code: str = DENIED
    status: int = 403
    guess: bool = False


class Refused(Exception):  # noqa: N818  # the field's word for it
    """Ends the work on a request; becomes the answer.

    Attributes:
        refusal: what is answered.
        reason: why, in more detail than the service gives. Recorded, never sent.
    """

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.reason = reason


# Seen by users of the service, in their reports.
INSUFFICIENT_CERTIFICATE = Refusal("Untrusted certificate. Insufficient certificate")
UNTRUSTED_SIGNER = Refusal("Untrusted signing certificate")
INVALID_SIGNATURE = Refusal("Invalid signature")
DURATION_ABOVE_ROLE = Refusal(
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
)
NO_SESSION_NAMES = Refusal("Not authorized to set roleSessionName")
INVALID_PROFILE = Refusal("Invalid or empty profile provided.")
ROLE_NOT_IN_PROFILE = Refusal("Requested Role isn't one of those listed in the Profile.")
NO_TRUST_ANCHOR = Refusal("Specified Trust Anchor wasn't found.")
REVOKED = Refusal("Certificate revoked")

# Guesses: that the service refuses is documented, its words are not.
EXPIRED = Refusal("Untrusted certificate. Certificate is expired", guess=True)
NOT_YET_VALID = Refusal("Untrusted certificate. Certificate is not yet valid", guess=True)
ANCHOR_DISABLED = Refusal("Specified Trust Anchor is disabled.", guess=True)
CHAIN_TOO_LONG = Refusal("Untrusted certificate. Certificate chain is too long", guess=True)
NO_TIP_SUBJECT = Refusal("Unable to resolve trusted identity propagation subject", guess=True)
UNSIGNED = Refusal("Missing Authentication Token", guess=True)
THROTTLED = Refusal("Rate exceeded", "ThrottlingException", 429, guess=True)
UNKNOWN_OPERATION = Refusal("Unknown operation", "UnknownOperationException", 404, guess=True)
INTERNAL = Refusal("Internal error", "InternalServerException", 500, guess=True)


def cannot_assume(role_arn: str) -> Refusal:
    """The role does not exist, or its trust policy does not let this certificate in."""
    return Refusal(f"Unable to assume role for {role_arn}")


def invalid(message: str) -> Refusal:
    """A parameter is missing or malformed. Code and status are documented, the words guessed."""
    return Refusal(message, INVALID, 400, guess=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, before it goes out.

    Attributes:
        status: the HTTP status.
        headers: all but Content-Length.
        body: the body.
    """

    status: int
    headers: Headers
    body: bytes


def json_answer(
    status: int, content: Mapping[str, object], now: datetime, error_type: str | None = None
) -> Answer:
    """An answer as the service gives it: JSON, a request id, its own Date."""
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", str(uuid4())),
        ("Date", format_datetime(now, usegmt=True)),
    ]
    if error_type:
        headers.append(("x-amzn-ErrorType", error_type))
    return Answer(status, tuple(headers), json.dumps(content, separators=(",", ":")).encode())


def refusal_answer(refusal: Refusal, now: datetime) -> Answer:
    """The answer that says no."""
    return json_answer(refusal.status, {"message": refusal.message}, now, refusal.code)
