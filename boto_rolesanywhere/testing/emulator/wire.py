"""A request as it arrived, and the parameters of CreateSession in it. Trust is judged elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote

from .answers import Refused, invalid

# Seconds, as documented for durationSeconds; the User Guide gives the bounds.
MIN_DURATION: Final = 900
MAX_DURATION: Final = 43200

_ROLE_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)  # as STS wants it
_ARNS = {
    "trustAnchorArn": re.compile(
        r"arn:aws(-[^:]+)?:rolesanywhere:[^:]*:[^:]*:(alias/)?trust-anchor/.+"
    ),
    "profileArn": re.compile(r"arn:aws(-[^:]+)?:rolesanywhere:[^:]*:[^:]*:(alias/)?profile/.+"),
    "roleArn": re.compile(r"arn:aws(-[^:]+)?:iam::[^:]*:role/.+"),
}


@dataclass(frozen=True)
class Received:
    """One HTTP request.

    Attributes:
        method: as sent.
        path: as sent, not decoded.
        query: as sent, not decoded; without the question mark.
        headers: lower-case names and values, in the order sent.
        body: the whole of it.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)

    @cached_property
    def query_pairs(self) -> tuple[tuple[str, str], ...]:
        """The query, percent-decoded. A plus is a plus, as everywhere in SigV4."""
        parts = (part.partition("=") for part in self.query.split("&") if part)
        return tuple((unquote(name), unquote(value)) for name, _, value in parts)

    @cached_property
    def members(self) -> dict[str, object] | None:
        """What the body holds; None if that is no JSON object. An empty body holds nothing."""
        try:
            content = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def parameter(self, name: str) -> object:
        """A parameter, from the query or else from the body; None if it is in neither.

        The service takes both. Which one it prefers is not documented.
        """
        found = next((value for key, value in self.query_pairs if key == name), None)
        return (self.members or {}).get(name) if found is None else found

    def text(self, name: str) -> str | None:
        """A parameter, if it is text."""
        value = self.parameter(name)
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """The parameters of one CreateSession.

    Attributes:
        trust_anchor_arn: or the ARN of an alias.
        profile_arn: or the ARN of an alias.
        role_arn: always the role's own.
        duration_seconds: None if not asked for.
        role_session_name: None if not asked for.
    """

    trust_anchor_arn: str
    profile_arn: str
    role_arn: str
    duration_seconds: int | None
    role_session_name: str | None


def read_session_request(received: Received) -> SessionRequest:
    """The parameters of CreateSession. `sessionName` is deprecated and no longer looked at.

    Raises:
        Refused: one is missing or malformed.
    """
    if received.members is None:
        raise _malformed("Request body is not a JSON object", "the body is no JSON object")
    return SessionRequest(
        trust_anchor_arn=_arn(received, "trustAnchorArn"),
        profile_arn=_arn(received, "profileArn"),
        role_arn=_arn(received, "roleArn"),
        duration_seconds=_duration(received),
        role_session_name=_session_name(received),
    )


def _malformed(message: str, reason: str) -> Refused:
    return Refused(invalid(message), reason)


def _arn(received: Received, name: str) -> str:
    value = received.parameter(name)
    if value is None or value == "":
        raise _malformed(f"Missing required parameter: {name}", f"{name} is in neither part")
    if not isinstance(value, str) or not _ARNS[name].fullmatch(value):
        raise _malformed(f"Invalid value for {name}", f"{name} is {value!r}")
    return value


def _duration(received: Received) -> int | None:
    value = received.parameter("durationSeconds")
    if value is None:
        return None
    in_query = any(key == "durationSeconds" for key, _ in received.query_pairs)
    if in_query and isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)  # there everything is text; in JSON it is a number
    if type(value) is not int or not MIN_DURATION <= value <= MAX_DURATION:
        raise _malformed(
            f"durationSeconds must be between {MIN_DURATION} and {MAX_DURATION}",
            f"durationSeconds is {value!r}",
        )
    return value


def _session_name(received: Received) -> str | None:
    value = received.parameter("roleSessionName")
    if value is None:
        return None
    if not isinstance(value, str) or not _ROLE_SESSION_NAME.fullmatch(value):
        raise _malformed(
            "roleSessionName must match [\\w+=,.@-]{2,64}", f"roleSessionName is {value!r}"
        )
    return value
