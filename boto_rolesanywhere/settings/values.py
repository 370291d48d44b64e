"""The parsers of single settings: text, Region, duration, session name, endpoint URL.

`arns` has those of ARNs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import shown

from .arns import is_region
from .names import DURATION, LONGEST_SESSION, REGION, SESSION_NAME, SHORTEST_SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .names import Found, Setting

_DURATION: Final = range(SHORTEST_SESSION, LONGEST_SESSION + 1)  # seconds
# STS AssumeRole: RoleSessionName is 2 to 64 of these characters.
_SESSION_NAME: Final = r"[A-Za-z0-9_+=,.@-]{2,64}"


def region_of(found: Mapping[Setting, Found]) -> str | None:
    """The Region that is set, if any."""
    text = optional_text(found, REGION)
    if text is not None and not is_region(text):
        raise ConfigurationError(
            f"{shown(text)} is not a Region",
            code="setting-invalid",
            where=found[REGION].where,
            expected="for example eu-west-1",
        )
    return text


def duration_of(found: Mapping[Setting, Found]) -> int | None:
    """The session duration that is set, if any, in seconds."""
    if DURATION not in found:
        return None
    value, where = found[DURATION].value, found[DURATION].where
    value = value.strip() if isinstance(value, str) else value
    number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or number not in _DURATION:
        shortest, longest = _DURATION.start, _DURATION.stop - 1
        expected = (
            f"a whole number of seconds from {shortest} to {longest}"
            f" ({in_words(shortest)} to {in_words(longest)})"
        )
        problem = f"{shown(value)} is not a session duration"
        raise ConfigurationError(problem, code="setting-invalid", where=where, expected=expected)
    return number


def session_name_of(found: Mapping[Setting, Found]) -> str | None:
    """The role session name that is set, if any."""
    text = optional_text(found, SESSION_NAME)
    return None if text is None else require_session_name(text, found[SESSION_NAME].where)


def require_session_name(text: str, where: str) -> str:
    """The role session name itself."""
    if not re.fullmatch(_SESSION_NAME, text):
        expected = "2 to 64 letters, digits or any of _+=,.@-"
        problem = f"{shown(text)} is not a role session name"
        raise ConfigurationError(problem, code="setting-invalid", where=where, expected=expected)
    return text


def optional_text(found: Mapping[Setting, Found], setting: Setting) -> str | None:
    """The text of a setting that may be missing."""
    return text_of(found[setting], setting) if setting in found else None


def text_of(found: Found, setting: Setting) -> str:
    """The text of a setting, without blanks around it."""
    if not isinstance(found.value, str) or not found.value.strip():
        is_text = isinstance(found.value, str)
        problem = "it is empty" if is_text else f"it is a {type(found.value).__name__}"
        expected = f"the {setting.title} as text"
        raise ConfigurationError(
            problem, code="setting-not-text", where=found.where, expected=expected
        )
    return found.value.strip()
