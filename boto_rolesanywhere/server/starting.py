"""The first session of a server, which may start before the network does.

At the start of a machine, name resolution and routes come late. So a call that reached nobody is
made again for a while; an answer of AWS's that says no ends the start at once.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import EndpointError, RolesAnywhereError, ServiceError
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto_rolesanywhere.credentials.keeper import Keeper

logger = logger_of(__name__)

_LONGEST_PAUSE: Final = 5.0
_OVERLOADED: Final = 429
_SERVERS_FAULT: Final = 500


def start(
    keeper: Keeper,
    until: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Start the keeper; call again after 1, 2, 4 and then every 5 seconds while nobody answers.

    Args:
        keeper: of the role.
        until: on the clock `monotonic`; no attempt begins after it.
        monotonic: a clock in seconds that never goes back.
        sleep: waits for that many seconds.

    Raises:
        RolesAnywhereError: the first session could not be made, of the last attempt.
    """
    pause = 1.0
    while True:
        try:
            keeper.start()
        except RolesAnywhereError as error:
            if not _may_pass(error) or monotonic() + pause > until:
                raise
            if pause == 1.0:
                left = max(0, until - monotonic())
                logger.warning("%s: trying again for %s: %s", keeper.name, in_words(left), error)
        else:
            return
        sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _may_pass(error: RolesAnywhereError) -> bool:
    if isinstance(error, ServiceError):
        return error.status == _OVERLOADED or error.status >= _SERVERS_FAULT
    return isinstance(error, EndpointError) and error.code == "endpoint-unreachable"
