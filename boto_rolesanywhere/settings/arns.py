"""The three ARNs of a CreateSession call, and a CA's: parses each, checks what belongs together.

Pure text: nothing here knows what AWS has behind an ARN.
"""

from __future__ import annotations

from string import ascii_letters, ascii_lowercase, digits
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import shown

from .places import slip_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    Kind = Literal["trust-anchor", "profile", "role", "certificate-authority"]

# AWS General Reference, "Amazon Resource Names": six fields; the last may hold colons.
_FIELDS: Final = 6
_ACCOUNT_DIGITS: Final = 12
_LOWER: Final = frozenset(ascii_lowercase)
_NAME: Final = frozenset(f"{ascii_letters}{digits}_+=,.@-")
_RESOURCE_ID: Final = _NAME | {"/"}
# What the resource of each kind begins with, and its service.
SERVICES: Final[dict[Kind, str]] = {
    "trust-anchor": "rolesanywhere",
    "profile": "rolesanywhere",
    "role": "iam",
    "certificate-authority": "acm-pca",
}


class Arn(NamedTuple):
    """An ARN in its six fields, the first being the word ``arn``.

    Attributes:
        partition: for example ``aws``, ``aws-cn``, ``aws-us-gov``.
        service: ``rolesanywhere``, ``iam`` or ``acm-pca``.
        region: empty for IAM.
        account: twelve digits.
        resource: for example ``trust-anchor/<uuid>``, or ``role/path/Name`` with its path.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def is_alias(self) -> bool:
        """Whether it names a trust anchor or profile by its alias, which no IAM policy matches."""
        return self.resource.startswith("alias/")

    def __str__(self) -> str:
        return ":".join(("arn", *self))


def parse_arn(kind: Kind, text: str, *, where: str | None = None, remedy: str | None = None) -> Arn:
    """Parse the ARN of a trust anchor or profile (or its alias), a role with its path, or a CA.

    Args:
        kind: what it should name.
        text: the ARN, perhaps with blanks around it.
        where: the setting that it is from, for the error; its kind if left out.
        remedy: what to do if it is wrong.

    Raises:
        ConfigurationError: naming `where` and what is wrong with it.
    """
    service = SERVICES[kind]
    starts = (f"{kind}/", f"alias/{kind}/")[: 2 if service == "rolesanywhere" else 1]
    fields = text.strip().split(":", _FIELDS - 1)
    if len(fields) == _FIELDS and fields[0] == "arn":
        arn = Arn(*fields[1:])
        problem = _problem(arn, service, starts)
    else:
        problem = "is not an ARN"
    if problem:
        raise ConfigurationError(
            f"{shown(text)} {problem}",
            code="arn-invalid",
            where=where or f"{kind.replace('-', ' ')} ARN",
            expected="arn:aws:iam::123456789012:role/NAME"
            if kind == "role"
            else f"arn:aws:{service}:REGION:ACCOUNT:{kind}/ID",
            remedy=remedy or slip_of(text.strip(), "ARN"),
        )
    return arn


def require_agreement(anchor: Arn, profile: Arn, role: Arn | None = None) -> None:
    """Check the documented rules of AWS for which ARNs go together.

    Trust anchor, profile and endpoint are in one Region and account (User Guide, "Creating a trust
    anchor and profile"), and all three ARNs in one partition.

    Without `role`, the other two alone are compared.

    Raises:
        ConfigurationError: naming both ARNs and the field they differ in.
    """
    pairs = (
        ("partition", "profile", anchor.partition, profile.partition),
        ("account", "profile", anchor.account, profile.account),
        ("Region", "profile", anchor.region, profile.region),
        ("partition", "role", anchor.partition, role.partition if role else anchor.partition),
    )
    for field, kind, ours, theirs in pairs:
        if ours != theirs:
            raise ConfigurationError(
                f"the trust anchor is in {field} {ours!r} and the {kind} in {theirs!r}",
                code="arns-disagree",
                where=f"trust anchor and {kind} ARN",
                expected=f"one {field} for both",
            )


def _problem(arn: Arn, service: str, kinds: Sequence[str]) -> str | None:
    """What is wrong with an ARN that should name something of `kinds`; None for nothing."""
    kind = next((kind for kind in kinds if arn.resource.startswith(kind)), "")
    rest = arn.resource[len(kind) :]
    name_is_right = _is_role(rest) if service == "iam" else _consists_of(rest, _RESOURCE_ID)
    region_is_right = not arn.region if service == "iam" else is_region(arn.region)
    checks = (
        (_is_partition(arn.partition), "has no valid partition in its second field"),
        (arn.service == service, f"is of the service {shown(arn.service)}"),
        (_is_account(arn.account), "has no twelve-digit account in its fifth field"),
        (kind, f"names a {shown(arn.resource.split('/')[0])}"),
        (arn.resource != kind, "ends too soon"),
        (
            name_is_right,
            f"has a character after {kind!r} that names do not have",
        ),
        (
            region_is_right,
            "has a Region, which IAM's ARNs do not"
            if service == "iam"
            else "has no valid Region in its fourth field",
        ),
    )
    return next((problem for is_right, problem in checks if not is_right), None)


# Not patterns: to compile them would take longer than all the checks of a call.


def is_region(text: str) -> bool:
    """Whether `text` is formed as the name of a Region, such as ``us-gov-west-1``."""
    first, *words, number = text.split("-") if "-" in text else ("", "")
    lower = len(first) > 1 and all(_consists_of(word, _LOWER) for word in (first, *words))
    return lower and bool(words) and number.isascii() and number.isdecimal()


def _is_partition(text: str) -> bool:
    first, *words = text.split("-")
    return first == "aws" and all(_consists_of(word, _LOWER) for word in words)


def _is_account(text: str) -> bool:
    return len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdecimal()


def _is_role(text: str) -> bool:
    """IAM API Reference, CreateRole: the path may hold all printable ASCII, the name less."""
    path, _, name = text.rpartition("/")
    return _consists_of(name, _NAME) and path.isascii() and path.isprintable() and " " not in path


def _consists_of(text: str, characters: frozenset[str]) -> bool:
    return bool(text) and characters.issuperset(text)
