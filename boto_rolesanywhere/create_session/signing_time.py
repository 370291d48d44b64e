"""The time by which botocore's own clients sign, set right like that of CreateSession.

botocore's signers ask the machine's clock and have no setting for another. They keep the time that
they sign for in the request's context, and that is where it is corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSRequest
    from botocore.session import Session as BotocoreSession

    from .corrected_clock import CorrectedClock

_TIMESTAMP: Final = "timestamp"
_FORMAT: Final = "%Y%m%dT%H%M%SZ"


def correct_signing(
    session: BotocoreSession,
    clock: Callable[[], CorrectedClock],
    learn_time: Callable[[], object] | None = None,
) -> None:
    """Let the clients that `session` makes from now on sign by another clock, presigned URLs too.

    Not what is signed without botocore's event ``before-sign`` (the forms of
    ``generate_presigned_post``), nor with the extra ``crt``.

    Args:
        session: botocore's.
        clock: gives the clock whose time counts; asked at each signature.
        learn_time: corrects it, before the first signature alone; None if something else does.
    """
    waiting = [] if learn_time is None else [learn_time]

    def before_sign(request: AWSRequest, **_: object) -> None:
        for learn in tuple(waiting):
            waiting.clear()
            learn()
        request.context = _Corrected(request.context, clock)

    session.register("before-sign", before_sign)  # type: ignore[arg-type]  # takes its event's arguments


class _Corrected(dict[str, Any]):
    """A request's context whose time of signing is the corrected one, whatever a signer sets."""

    def __init__(self, context: Mapping[str, Any], clock: Callable[[], CorrectedClock]) -> None:
        super().__init__(context)
        self._clock = clock

    def __setitem__(self, name: str, value: object) -> None:
        # Looked up as late as this: the signer gets its credentials first, and by their call the
        # offset is known.
        if name == _TIMESTAMP and (clock := self._clock()).offset:
            value = clock().strftime(_FORMAT)
        super().__setitem__(name, value)
