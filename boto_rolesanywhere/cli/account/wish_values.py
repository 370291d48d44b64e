"""The values of setup's options: each parsed, or refused in words.

The patterns are those of the service's model and of IAM's API Reference.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.wanted import CERTIFICATE_FIELDS
from boto_rolesanywhere.cli.options import matching, whole
from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.redaction import shown
from boto_rolesanywhere.settings.names import LONGEST_SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto_rolesanywhere.account.wanted import CertificateField

# The model's TagKey and TagValue; IAM takes these too.
_TAG: Final = re.compile(r"([ a-zA-Z0-9_.:/+@-]{1,128})=([ a-zA-Z0-9_.:/=+@-]{0,256})")

# The model's AliasName, without its empty one; aws/… is AWS's own.
alias: Final = matching(
    r"(?!.{257}|.*//|[aA][wW][sS]/)[A-Za-z](?:[A-Za-z0-9_/-]*[A-Za-z0-9_-])?",
    "be letters, digits, _, - or / between two others, and begin with a letter",
)
# IAM API Reference, CreateRole; without the comma, which no tag takes.
role_name: Final = matching(r"[A-Za-z0-9_+=.@-]{1,64}", "be up to 64 letters, digits or _+=.@-")
# IAM API Reference: the ARN of a managed policy, AWS's or an account's own.
policy_arn: Final = matching(
    r"arn:aws[a-z-]*:iam::(?:aws|[0-9]{12}):policy/[!-~]{1,512}",
    "be the ARN of a managed policy, as arn:aws:iam::aws:policy/ReadOnlyAccess",
)
role_path: Final = matching(r"/|/[!-~]+/", "begin and end with a slash, as /apps/")
_notice: Final = whole("days", 1, 360, ", or off")


def name_from(alias: str) -> str:
    """A name as the service takes it: letters, digits, blanks, ``-`` and ``_``."""
    return re.sub("[^ A-Za-z0-9_-]", "-", alias)[:255]


def alias_from(role: str) -> str:
    """The alias of a role's profile."""
    text = re.sub("[^A-Za-z0-9_-]", "-", role)
    return text if text[0].isalpha() else f"role-{text}"


def tag(text: str) -> tuple[str, str]:
    """A tag of the user's: key and value."""
    found = _TAG.fullmatch(text)
    if found is None or found[1].startswith(("aws:", "boto-rolesanywhere:")):
        raise argparse.ArgumentTypeError(
            "it must be KEY=VALUE, of letters, digits, blanks and _.:/=+@-"
        )
    return found[1], found[2]


def mapping(text: str) -> tuple[CertificateField, tuple[str, ...]]:
    """A certificate's field, and what of it becomes session tags."""
    field, _, names = text.partition("=")
    specifiers = tuple(name.strip() for name in names.split(",") if name.strip())
    if field not in CERTIFICATE_FIELDS or not specifiers:
        raise argparse.ArgumentTypeError(
            f"{shown(text)}: it must be one of {', '.join(CERTIFICATE_FIELDS)}, = and names such as"
            " CN,OU"
        )
    return field, specifiers


def notice(text: str) -> int:
    """The days of a notification's threshold; 0 for off."""
    return 0 if text == "off" else _notice(text)


def seconds(shortest: int) -> Callable[[str], int]:
    """A parser of seconds, from `shortest` to a session's longest."""
    more = f" ({in_words(shortest)} to {in_words(LONGEST_SESSION)})"
    return whole("seconds", shortest, LONGEST_SESSION, more)
