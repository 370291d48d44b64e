"""One call of CreateSession, without I/O: what to send next, and what the answers amount to.

`steps` is a generator. It yields what its driver shall do, send a request or wait, and is given
what came of it. The synchronous client and an asynchronous one drive the same steps.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import logger_of

from .answer import session_of
from .attempts import is_passing, is_refusal, pause_after
from .diagnosis import CLOCK_TOLERANCE
from .signer import host_header, sign
from .transport import Answer, Request, TransportFault

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

    from .transport import Limits
    from .way import Way

logger = logger_of(__name__)


class Send(NamedTuple):
    """Send `request` and give `steps` its Answer or TransportFault, within `seconds`."""

    request: Request
    seconds: float


class Pause(NamedTuple):
    """Wait so many `seconds`, then give `steps` None."""

    seconds: float


def _learns_nothing(_: Answer) -> bool:
    return False


class Clocks(NamedTuple):
    """The times and the chance that a call depends on.

    Attributes:
        wall: gives the time, aware.
        monotonic: gives seconds that never go back.
        jitter: gives a random number from 0 to 1.
        learn: corrects `wall` by a refusal's Date, and says whether that changed it; left out, it
            does not, since the Date cannot be trusted.
    """

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]
    jitter: Callable[[], float]
    learn: Callable[[Answer], bool] = _learns_nothing


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


def steps(
    config: Config,
    identity: Identity,
    draft: Request,
    limits: Limits,
    clocks: Clocks,
    *,
    way: Callable[[], Way | None] = lambda: None,
) -> Generator[Send | Pause, Answer | TransportFault | None, RolesAnywhereSession]:
    """Make the attempts of one call; returns the session.

    A refusal by which the clock turns out to be off is answered with one more attempt, signed by
    the service's time.

    Args:
        config: of the call.
        identity: signs each attempt. A generator's step may therefore take as long as the key.
        draft: the request before it is signed.
        limits: how often and how long to try.
        clocks: the times and the chance.
        way: tells how the requests get there, for errors; None: what `config` says of it.

    Raises:
        RolesAnywhereError: its subclass says why there is no session.
    """
    invocation, made, corrected = str(uuid.uuid4()), 0, False
    ends_at = clocks.monotonic() + limits.deadline
    while True:
        made += 1
        began, signed_at = clocks.monotonic(), clocks.wall()
        mark = attempt_headers(invocation, made, limits)
        request = signed(draft, mark, identity, config.region, signed_at)
        ends_at += clocks.monotonic() - began
        outcome = yield Send(request, ends_at - clocks.monotonic())
        if outcome is None:
            raise TypeError("the driver gave no outcome of a request")
        if isinstance(outcome, Answer) and outcome.is_success:
            return session_of(outcome, clocks.wall())
        if isinstance(outcome, Answer) and is_refusal(outcome) and not corrected:
            # Another call may have learnt the time since this one was signed.
            passed = (clocks.wall() - signed_at).total_seconds()
            moved = abs(passed - (clocks.monotonic() - began)) > CLOCK_TOLERANCE
            corrected = clocks.learn(outcome) or moved
            if corrected:
                limits = limits._replace(attempts=limits.attempts + 1)
                continue
        pause = pause_after(outcome, made, limits, ends_at - clocks.monotonic(), clocks.jitter)
        if pause is None:
            from .service_errors import error_of

            error = error_of(outcome, config, identity, clocks.wall(), way())
            error.passing = is_passing(outcome)
            raise error from error.__cause__
        logger.debug(
            "Attempt %d of %d at CreateSession failed (%s); the next in %.1f seconds",
            made,
            limits.attempts,
            outcome.kind if isinstance(outcome, TransportFault) else f"HTTP {outcome.status}",
            pause,
        )
        yield Pause(pause)


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
