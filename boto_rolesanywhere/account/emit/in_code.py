"""A setup in code: where it is made, what stands for an ARN, and what a language cannot say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.tags import OURS
from boto_rolesanywhere.account.wanted import CERTIFICATE_FIELDS, DEFAULT_MAPPINGS, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

# What only AWS can say; `parts` finds these marks in a text.
ANCHOR_ARN: Final = "(ARN of the trust anchor)"
PROFILE_ARN: Final = "(ARN of the profile)"
ROLE_ARN: Final = "(ARN of the role)"
_ARNS: Final = re.compile("|".join(map(re.escape, (ANCHOR_ARN, PROFILE_ARN, ROLE_ARN))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where code is run, as far as that is known when it is written.

    Attributes:
        config: the profile for ``~/.aws/config``, with the marks above for the ARNs.
        region: None: that of the environment in which the code runs.
        account: twelve digits; None: any.
        partition: for example ``aws``, ``aws-cn``.
    """

    config: str
    region: str | None = None
    account: str | None = None
    partition: str = "aws"


def parts(text: str) -> list[str]:
    """The text, cut before and after each mark."""
    return [part for part in re.split(f"({_ARNS.pattern})", text) if part]


def in_code(wanted: Wanted) -> Wanted:
    """The same setup, as far as a language of code can say it.

    The tags by which `setup` and `teardown` know what `setup` made are not in it. Where something
    is mapped, all is: AWS's default stands for the fields of which nothing is said.
    """
    anchor, role, profile = wanted.anchor, wanted.role, wanted.profile
    mapped = {
        field: profile.mappings.get(field, DEFAULT_MAPPINGS[field]) for field in CERTIFICATE_FIELDS
    }
    return Wanted(
        replace(anchor, tags=_own(anchor.tags), crl_distribution_points=None),
        replace(role, tags=_own(role.tags)),
        replace(
            profile,
            tags=_own(profile.tags),
            trusted_identity=None,
            mappings={field: specifiers for field, specifiers in mapped.items() if specifiers}
            if profile.mappings
            else {},
        ),
    )


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in OURS}


def notes(wanted: Wanted, language: str) -> tuple[str, ...]:
    """What `language` has no word for, a sentence each, with the command that does it instead."""
    found = [
        f"{language} cannot give aliases. The three ARNs are among the outputs.",
    ]
    if wanted.anchor.crl_distribution_points is not None:
        on = "" if wanted.anchor.crl_distribution_points else "no-"
        found.append(
            f"{language} cannot say whether CRL distribution points are asked. Afterwards:"
            " aws rolesanywhere update-trust-anchor --trust-anchor-id ID"
            f" --{on}crl-dp-revocation-enabled"
        )
    if wanted.profile.trusted_identity is not None:
        found.append(
            f"{language} cannot configure trusted identity propagation. Afterwards: aws"
            " rolesanywhere update-profile --profile-id ID --tip-configuration …"
        )
    return tuple(found)
