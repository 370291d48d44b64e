"""One call through a `Transport`: drives its steps, and waits between its attempts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .call import Clocks, Pause, parameters, steps
from .transport import TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

    from .call import Send
    from .transport import Answer, Transport


def call(
    config: Config,
    identity: Identity,
    transport: Transport,
    clocks: Clocks,
    sleep: Callable[[float], None],
    *,
    share: float = 1.0,
) -> RolesAnywhereSession:
    """Call CreateSession.

    Args:
        config: of the call.
        identity: signs it.
        transport: sends it.
        clocks: the times and the chance; `learn` counts only if the transport is trusted.
        sleep: waits so many seconds.
        share: of the deadline that the call may take, above 0 to 1.

    Raises:
        RolesAnywhereError: as `steps`, and if the transport cannot be used.
    """
    draft = transport.draft(parameters(config))
    if not transport.is_trusted:
        clocks = Clocks(clocks.wall, clocks.monotonic, clocks.jitter)
    limits = transport.limits
    limits = limits._replace(deadline=limits.deadline * share)
    made = steps(config, identity, draft, limits, clocks, way=transport.way)
    return replace(_driven(made, transport, sleep), region=config.region)


def _driven(
    made: Generator[Send | Pause, Answer | TransportFault | None, RolesAnywhereSession],
    transport: Transport,
    sleep: Callable[[float], None],
) -> RolesAnywhereSession:
    outcome: Answer | TransportFault | None = None
    while True:
        try:
            step = made.send(outcome)
        except StopIteration as end:
            session: RolesAnywhereSession = end.value
            return session
        if isinstance(step, Pause):
            sleep(step.seconds)
            outcome = None
            continue
        try:
            outcome = transport.send(step.request, step.seconds)
        except TransportFault as fault:
            outcome = fault
            if fault.kind == "certificate":
                from .shown_certificate import with_issuer

                outcome = with_issuer(fault, step.request.url, transport.proxy())
