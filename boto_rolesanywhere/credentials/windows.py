"""How long before its end a session is renewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Seconds before the end, as botocore has them; shorter if the lifetime is short.
_LONGEST_ADVISORY: Final = 15 * 60.0


_LONGEST_MANDATORY: Final = 5 * 60.0


@dataclass(frozen=True, slots=True)
class RefreshWindows:
    """When credentials of one lifetime are renewed, in seconds after they were received.

    Attributes:
        advisory: from then on one caller renews them while the others go on using them.
        mandatory: from then on the others wait for the renewal, unless it hangs.
        expiry: from then on they are of no use.
    """

    advisory: float
    mandatory: float
    expiry: float

    @classmethod
    def for_lifetime(cls, lifetime: float, jitter: float) -> RefreshWindows:
        """The windows for `lifetime` seconds.

        The renewal begins a quarter of the lifetime before the end, at most 15 minutes: so a
        session of 900 seconds is renewed once in its life, not at each use.

        Args:
            lifetime: seconds from issue to expiration.
            jitter: 0 to 1; spreads the renewals of programs that were started together, by up to
                a fifth of the advisory window.
        """
        advisory = min(_LONGEST_ADVISORY, lifetime / 4) * (1 - jitter / 5)
        mandatory = min(_LONGEST_MANDATORY, lifetime / 12)
        return cls(lifetime - advisory, lifetime - mandatory, lifetime)
