"""Where a setup will be made, and what stands in code for what only AWS can say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

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
