"""How long before its end a session is renewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# botocore's window before the end; taken only where the lifetime leaves room for it.
_LONGEST_ADVISORY: Final = 15 * 60.0


_LONGEST_MANDATORY: Final = 5 * 60.0


@dataclass(frozen=True, slots=True)
class RefreshWindows:
    """When credentials of one lifetime are renewed, in seconds after they were given.

    Attributes:
        advisory: from here on one caller renews them while the others go on with them.
        mandatory: from here on the others wait for the renewal, unless it hangs.
        expiry: from here on they are of no use.
    """

    advisory: float
    mandatory: float
    expiry: float

    @classmethod
    def for_lifetime(cls, lifetime: float, jitter: float) -> RefreshWindows:
        """The windows for `lifetime` seconds.

        A quarter of the lifetime before the end, at most 15 minutes: so a 900-second session is
        renewed once in its life, not at each use.

        Args:
            lifetime: seconds from issue to expiration.
            jitter: 0 to 1; spreads the renewals of programs that were started together, by up to
                a fifth of the advisory window.
        """
        advisory = min(_LONGEST_ADVISORY, lifetime / 4) * (1 - jitter / 5)
        mandatory = min(_LONGEST_MANDATORY, lifetime / 12)
        return cls(lifetime - advisory, lifetime - mandatory, lifetime)
