"""At which age a session is renewed, and when it is of no use."""

from __future__ import annotations

from typing import Final

from boto_rolesanywhere.records import NamedTuple

# Of the lifetime. Programs that were started together draw different points, so their renewals
# spread over up to a quarter of it and do not come together again.
_EARLIEST: Final = 0.5
_LATEST: Final = 0.75
# The shortest lifetime, and how many seconds before its end an SDK asks for another session, with a
# minute for the renewal: so the SDK finds it renewed. botocore asks 15 minutes before the end,
# which is too often for sessions shorter than half an hour; others ask 5 minutes before.
_SDKS: Final = ((1800.0, 960.0), (900.0, 360.0))
_LEAST_SPREAD: Final = 0.1  # of the lifetime, also where an SDK asks early
# Seconds before the end from which callers wait for the renewal; less of a very short session.
LONGEST_WAIT: Final = 5.0
_WAIT_SHARE: Final = 1 / 12


class RefreshWindows(NamedTuple):
    """When credentials of one lifetime are renewed, in seconds after they were received.

    Attributes:
        advisory: from then on they are renewed while everybody goes on using them.
        mandatory: from then on callers wait for the renewal, unless it hangs.
        expiry: from then on they are of no use.
    """

    advisory: float
    mandatory: float
    expiry: float

    @classmethod
    def for_lifetime(cls, lifetime: float, jitter: float) -> RefreshWindows:
        """The windows for `lifetime` seconds.

        The renewal is due at a random point between a half and three quarters of the lifetime, and
        before an SDK that was given the session would ask for another one.

        Args:
            lifetime: seconds from issue to expiration.
            jitter: 0 to 1; where between the two.
        """
        advisory = _drawn(0.0, lifetime, jitter)
        return cls(advisory, lifetime - min(LONGEST_WAIT, lifetime * _WAIT_SHARE), lifetime)

    def drawn_anew(self, age: float, jitter: float) -> RefreshWindows:
        """The same with another point of renewal, which is not before `age`.

        A process that was forked has its parent's. A renewal that is due, or was put off beyond
        the usual points, stays where it is.

        Args:
            age: seconds since the credentials were received.
            jitter: 0 to 1.
        """
        if not age < self.advisory <= _drawn(age, self.expiry, 1):
            return self
        return self._replace(advisory=_drawn(age, self.expiry, jitter))


def _drawn(age: float, lifetime: float, jitter: float) -> float:
    """The point of renewal of a session that is `age` seconds old."""
    lead = next((lead for shortest, lead in _SDKS if lifetime >= shortest), 0.0)
    latest = min(lifetime * _LATEST, lifetime - lead)
    earliest = max(age, min(lifetime * _EARLIEST, latest - lifetime * _LEAST_SPREAD))
    return earliest + (latest - earliest) * jitter
