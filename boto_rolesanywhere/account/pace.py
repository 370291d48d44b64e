"""How fast the control plane is called: one call a second in each group of operations.

The groups are those of the User Guide, "Quotas": trust anchors, profiles, revocation lists,
subjects, tags.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from boto_rolesanywhere.settings.urls import is_this_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest

_INTERVAL: Final = 1.0  # seconds
# What the names of a group's operations have in them; the first that matches counts.
_GROUPS: Final = (
    # "Resource": TagResource, UntagResource, ListTagsForResource
    ("Resource", "tags"),
    ("TrustAnchor", "trust anchors"),
    ("NotificationSettings", "trust anchors"),  # a guess: AWS lists no group for them
    ("Profile", "profiles"),
    ("AttributeMapping", "profiles"),  # a guess, too
    ("Crl", "revocation lists"),
    ("Subject", "subjects"),
)


@dataclass(slots=True, kw_only=True)
class Pace:
    """Holds calls back until their group may be called again.

    Attributes:
        monotonic: gives the time in seconds.
        sleep: waits so many seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    _free_at: dict[str, float] = field(default_factory=dict, init=False)

    def wait(self, request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        """A handler of botocore's ``before-send``, which it calls for each attempt."""
        if is_this_machine(urlsplit(request.url).hostname or ""):
            return  # an emulator
        operation = event_name.rpartition(".")[2]
        group = next((group for part, group in _GROUPS if part in operation), operation)
        now = self.monotonic()
        free_at = self._free_at.get(group, now)
        if free_at > now:
            self.sleep(free_at - now)
        self._free_at[group] = max(free_at, now) + _INTERVAL
