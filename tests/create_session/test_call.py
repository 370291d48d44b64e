"""The steps of a call, driven by hand: what it would send, without a network."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import botocore.session
import pytest

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.call import Clocks, Send, steps
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.transport import Answer, Limits, Request
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
    clock = CorrectedClock(lambda: now() + timedelta(hours=2))
    clocks = Clocks(clock, time.monotonic, lambda: 0.0, clock.learn)
    calls = [steps(config, identity, DRAFT, Limits(attempts=1), clocks) for _ in range(2)]
    for call in calls:
        assert isinstance(next(call), Send)

    for call in calls:
        again = call.send(refused())

        assert isinstance(again, Send)
        stamp = datetime.strptime(again.request.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
        assert abs(stamp - now()) < timedelta(minutes=1)
    for call in calls:
        with pytest.raises(SessionDeniedError):
            call.send(refused())
