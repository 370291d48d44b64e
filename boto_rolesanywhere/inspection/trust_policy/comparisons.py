"""How each operator family compares one value of the request with one value of the policy.

`operators` handles negation, sets of values and absent keys. IAM User Guide,
"IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from .variables import Pattern

Comparison: TypeAlias = Callable[[Pattern, str], bool]

_ARN_PARTS: Final = 6


class NotComparableError(Exception):
    """A value is not of the operator's type; stays within this package."""


def arn_like(wanted: Pattern, seen: str) -> bool:
    """Each of the six parts by itself, with ``*`` and ``?``: no wildcard crosses a colon."""
    parts, values = wanted.parts(":", _ARN_PARTS), seen.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS:
        raise NotComparableError(f"{wanted.text!r} has not the six parts of an ARN")
    return len(values) == _ARN_PARTS and all(
        part.matches(value) for part, value in zip(parts, values, strict=True)
    )


def boolean(wanted: Pattern, seen: str) -> bool:
    """Of ``true`` and ``false``."""
    return _boolean(seen) == _boolean(wanted.text)


def ip_address(wanted: Pattern, seen: str) -> bool:
    """Whether the address lies in the range; without a prefix length the range is one address."""
    try:
        network = ipaddress.ip_network(wanted.text, strict=False)
        return ipaddress.ip_address(seen) in network
    except ValueError as error:
        raise NotComparableError(str(error)) from None


def binary_equals(wanted: Pattern, seen: str) -> bool:
    """The bytes that both stand for in base64."""
    try:
        return base64.b64decode(seen, validate=True) == base64.b64decode(wanted.text, validate=True)
    except (binascii.Error, ValueError):
        raise NotComparableError("a value is not base64") from None


def numeric(holds: Callable[[Decimal, Decimal], bool]) -> Comparison:
    """A comparison of integers or decimals."""
    return lambda wanted, seen: holds(_number(seen), _number(wanted.text))


def date(holds: Callable[[datetime, datetime], bool]) -> Comparison:
    """A comparison of times: ISO 8601, or seconds since 1970."""
    return lambda wanted, seen: holds(_time(seen), _time(wanted.text))


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise NotComparableError(f"{text!r} is neither 'true' nor 'false'")
    return text.lower() == "true"


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise NotComparableError(f"{text!r} is not a number")
    return number


def _time(text: str) -> datetime:
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), timezone.utc)
        # Python 3.10 reads neither the "Z" nor the bare date's missing zone as UTC.
        time = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise NotComparableError(f"{text!r} is not a time in ISO 8601 or epoch seconds") from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
