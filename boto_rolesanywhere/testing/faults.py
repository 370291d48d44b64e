"""What can go wrong, to hand to `Emulator.inject`."""

from __future__ import annotations

from boto_rolesanywhere.testing.emulator.faults import (
    EmptyBody,
    ErrorStatus,
    Fault,
    Hang,
    HtmlBody,
    MalformedJson,
    MissingFields,
    Reset,
    SlowBody,
    TruncatedBody,
)

__all__ = [
    "EmptyBody",
    "ErrorStatus",
    "Fault",
    "Hang",
    "HtmlBody",
    "MalformedJson",
    "MissingFields",
    "Reset",
    "SlowBody",
    "TruncatedBody",
]
