"""One call of CreateSession: its attempts, and what their outcomes amount to.

It sends, waits and tells the time by what it is given alone: a `Transport` and `Clocks`.
"""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import logger_of

from .answer import session_of
from .attempts import is_passing, is_refusal, pause_after
from .diagnosis import CLOCK_TOLERANCE
from .signer import host_header, sign
from .transport import Answer, Request, TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.errors import RolesAnywhereError
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

    from .corrected_clock import CorrectedClock
    from .transport import Limits, Transport

logger = logger_of(__name__)


class Clocks(NamedTuple):
    """The times and the chance that a call depends on.

    Attributes:
        wall: gives the time. A refusal's Date corrects it, if the transport is trusted.
        monotonic: gives seconds that never go back.
        jitter: gives a random number from 0 to 1.
        sleep: waits so many seconds.
    """

    wall: CorrectedClock
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep


def parameters(config: Config) -> dict[str, Any]:
    """What CreateSession is asked, by the names of its model."""
    optional = {"durationSeconds": config.duration, "roleSessionName": config.session_name}
    return {
        "trustAnchorArn": str(config.trust_anchor),
        "profileArn": str(config.profile),
        "roleArn": str(config.role),
        # Without a duration AWS takes the profile's own; a default sent here would cut it short.
        **{name: value for name, value in optional.items() if value is not None},
    }


def call(
    config: Config,
    identity: Identity,
    transport: Transport,
    clocks: Clocks,
    *,
    share: float = 1.0,
) -> RolesAnywhereSession:
    """Call CreateSession.

    A refusal by which the clock turns out to be off is answered with one more attempt, signed by
    the service's time.

    Args:
        config: of the call.
        identity: signs each attempt, which may therefore take as long as the key.
        transport: sends them.
        clocks: the times and the chance.
        share: of the deadline that the call may take, above 0 to 1.

    Raises:
        RolesAnywhereError: its subclass says why there is no session.
    """
    draft, limits = transport.draft(parameters(config)), transport.limits
    invocation, made, corrected = str(uuid.uuid4()), 0, False
    ends_at = clocks.monotonic() + limits.deadline * share
    while True:
        made += 1
        began, signed_at = clocks.monotonic(), clocks.wall()
        mark = attempt_headers(invocation, made, limits)
        request = signed(draft, mark, identity, config.region, signed_at)
        ends_at += clocks.monotonic() - began
        outcome = _outcome(transport, request, ends_at - clocks.monotonic())
        if isinstance(outcome, Answer) and outcome.is_success:
            session = session_of(outcome, clocks.wall(), transport.way)
            return replace(session, region=config.region)
        if isinstance(outcome, Answer) and is_refusal(outcome) and not corrected:
            # Another call may have learnt the time since this one was signed.
            passed = (clocks.wall() - signed_at).total_seconds()
            moved = abs(passed - (clocks.monotonic() - began)) > CLOCK_TOLERANCE
            corrected = (transport.is_trusted and clocks.wall.learn(outcome)) or moved
            if corrected:
                limits = limits._replace(attempts=limits.attempts + 1)
                continue
        pause = pause_after(outcome, made, limits, ends_at - clocks.monotonic(), clocks.jitter)
        if pause is None:
            error = _error_of(outcome, config, identity, clocks.wall(), transport)
            raise error from error.__cause__
        logger.debug(
            "Attempt %d of %d at CreateSession failed (%s); the next in %s",
            made,
            limits.attempts,
            outcome.kind if isinstance(outcome, TransportFault) else f"HTTP {outcome.status}",
            in_words(pause),
        )
        clocks.sleep(pause)


def _outcome(transport: Transport, request: Request, seconds: float) -> Answer | TransportFault:
    try:
        return transport.send(request, seconds)
    except TransportFault as fault:
        if fault.kind != "certificate":
            return fault
        from .shown_certificate import with_issuer

        return with_issuer(fault, request.url, transport.proxy())


def _error_of(
    outcome: Answer | TransportFault,
    config: Config,
    identity: Identity,
    now: datetime,
    transport: Transport,
) -> RolesAnywhereError:
    from .service_errors import error_of  # few calls fail

    error = error_of(outcome, config, identity, now, transport.way())
    error.passing = is_passing(outcome)
    return error


def attempt_headers(invocation: str, made: int, limits: Limits) -> dict[str, str]:
    """What AWS's SDKs say of an attempt. It changes from one to the next, so it is not signed."""
    return {
        "amz-sdk-invocation-id": invocation,
        "amz-sdk-request": f"attempt={made}; max={limits.attempts}",
    }


def signed(
    draft: Request, mark: dict[str, str], identity: Identity, region: str, now: datetime
) -> Request:
    """The request with the headers that sign it.

    Args:
        draft: the request before.
        mark: more headers, which are not signed.
        identity: signs.
        region: the scope's.
        now: the time of signing, aware.
    """
    # Host is set here, since HTTP clients write a host name that ends with a dot in different ways.
    ours = {"host": host_header(draft.url)}
    headers = {name: text for name, text in draft.headers.items() if name.lower() not in ours}
    headers["Host"] = ours["host"]
    added = sign(
        draft.method,
        draft.url,
        headers.items(),
        draft.body,
        identity=identity,
        region=region,
        now=now,
    )
    return draft._replace(headers={**headers, **mark, **added})
