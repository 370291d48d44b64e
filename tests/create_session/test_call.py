"""A call over a transport that keeps what it is to send: no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import botocore.session
import pytest

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.call import Clocks, call
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.transport import Answer, Limits, Request
from boto_rolesanywhere.create_session.way import Way
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
DRAFT = Request("POST", "https://private.example/sessions", {}, b"{}")


def now() -> datetime:
    return datetime.now(timezone.utc)


def refused() -> Answer:
    headers = {"content-type": "application/json", "date": format_datetime(now(), usegmt=True)}
    return Answer(403, headers, b'{"message": "Invalid signature"}')


class Refusing:
    """Refuses every request, and first does what else is to happen meanwhile."""

    limits = Limits(attempts=1)
    is_trusted = True

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.sent: list[Request] = []
        self._meanwhile = meanwhile

    def way(self) -> Way:
        return Way("eu-west-1")

    def proxy(self) -> None:
        return None

    def draft(self, parameters: Mapping[str, object]) -> Request:
        assert parameters
        return DRAFT

    def send(self, request: Request, seconds: float) -> Answer:
        assert seconds > 0
        self.sent.append(request)
        if len(self.sent) == 1:
            self._meanwhile()
        return refused()

    def stamps(self) -> list[datetime]:
        dates = (request.headers["X-Amz-Date"] for request in self.sent)
        return [datetime.strptime(date, "%Y%m%dT%H%M%S%z") for date in dates]


def test_calls_that_were_signed_together_learn_the_time_together(ca: CertificateAuthority) -> None:
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    identity = open_identity(sources, now=now())
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
    }
    config = config_of(look_up(botocore.session.Session(), arguments=arguments))
    assert config is not None
    clocks = Clocks(CorrectedClock(lambda: now() + timedelta(hours=2)))

    def denied(transport: Refusing) -> None:
        with pytest.raises(SessionDeniedError):
            call(config, identity, transport, clocks)

    second = Refusing()
    first = Refusing(meanwhile=lambda: denied(second))
    denied(first)

    for transport in (first, second):
        wrong, right = transport.stamps()
        assert wrong - now() > timedelta(hours=1)
        assert abs(right - now()) < timedelta(minutes=1)
