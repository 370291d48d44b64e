"""What one call tries again, when, and for how long: the same on every release of botocore."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

import botocore.session
import pytest
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.attempts import pause_after, retry_after
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.call import Clocks
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.transport import Answer, Limits, TransportFault
from boto_rolesanywhere.errors import EndpointError, RolesAnywhereError, ServiceError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults

JSON = {"content-type": "application/json"}
LIMITS = Limits(attempts=5, deadline=60.0)


def refusal(status: int, code: str = "", **headers: str) -> Answer:
    named = {"x-amzn-errortype": code} if code else {}
    return Answer(status, {**JSON, **named, **headers}, b'{"message": "no"}')


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (TransportFault("name", ""), True),
        (TransportFault("connection", ""), True),
        (TransportFault("connect-timeout", ""), True),
        (TransportFault("read-timeout", ""), True),
        (TransportFault("truncated", ""), True),
        (TransportFault("proxy", ""), True),
        (TransportFault("too-late", ""), False),
        (TransportFault("too-long", ""), False),
        (TransportFault("certificate", ""), False),
        (TransportFault("tls", ""), False),
        (TransportFault("other", ""), False),
        (refusal(500), True),
        (refusal(502), True),
        (refusal(503, "ServiceUnavailableException"), True),
        (refusal(504), True),
        (refusal(408), True),
        (Answer(502, {"content-type": "text/html"}, b"<html>"), True),
        (Answer(201, {"content-length": "90"}, b'{"credentialSet":'), True),
        (Answer(403, {**JSON, "content-length": "90"}, b'{"message":'), True),
        (Answer(201, {}, b'{"credentialSet":'), True),
        (Answer(200, {"content-type": "text/html"}, b"<html>"), False),
        (Answer(301, {"location": "http://x"}, b""), False),
        (refusal(400, "ValidationException"), False),
        (refusal(403, "AccessDeniedException"), False),
        (refusal(404, "ResourceNotFoundException"), False),
        # One request for each: another would take from the same quota.
        (refusal(429), False),
        (refusal(400, "ThrottlingException"), False),
        (refusal(400, "com.amazon#TooManyRequestsException:http://internal"), False),
        (refusal(503, "Throttling"), False),
    ],
)
def test_what_may_pass_is_tried_again(outcome: Answer | TransportFault, again: bool) -> None:
    pause = pause_after(outcome, 1, LIMITS, 60.0, lambda: 0.5)

    assert (pause is not None) == again


def test_pauses_have_full_jitter_and_double() -> None:
    fault = TransportFault("connection", "")

    def pauses(jitter: float) -> list[float | None]:
        made = range(1, 9)
        return [pause_after(fault, each, Limits(9), 60.0, lambda: jitter) for each in made]

    assert pauses(1.0) == [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert pauses(0.25) == [0.125, 0.25, 0.5, 1, 2, 2, 2, 2]
    assert set(pauses(0.0)) == {0.0}


def test_the_attempts_and_the_deadline_end_it() -> None:
    fault = TransportFault("connection", "")

    assert pause_after(fault, 5, LIMITS, 60.0, lambda: 0.5) is None
    assert pause_after(fault, 4, LIMITS, 2.1, lambda: 0.5) == 2.0
    assert pause_after(fault, 4, LIMITS, 2.0, lambda: 0.5) is None


DATE = {"date": "Fri, 02 Jan 2026 03:04:05 GMT"}


@pytest.mark.parametrize(
    ("headers", "fields", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after": "7"}, {"retryAfterSeconds": 9}, 7.0),
        ({}, {"retryAfterSeconds": 9}, 9.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:35 GMT", **DATE}, {}, 30.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:00 GMT", **DATE}, {}, 0.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:35 GMT"}, {}, None),
        ({"retry-after": "soon"}, {}, None),
        ({"retry-after": "-1"}, {}, None),
        ({"retry-after": "\u0667"}, {}, None),
        ({}, {"retryAfterSeconds": -1}, None),
        ({}, {"retryAfterSeconds": True}, None),
        ({}, {"retryAfterSeconds": "9"}, None),
        ({}, {}, None),
    ],
)
def test_the_services_own_pause_is_read(
    headers: dict[str, str], fields: dict[str, object], seconds: float | None
) -> None:
    answer = Answer(503, {**JSON, **headers}, json.dumps(fields).encode())

    assert retry_after(answer) == seconds
    if seconds:
        assert pause_after(answer, 1, LIMITS, 60.0, lambda: 0.5) == seconds + 0.25
        assert pause_after(answer, 1, LIMITS, seconds, lambda: 0.5) is None


@dataclass
class Time:
    """A monotonic clock that only pauses move; it notes them."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def creator_for(
    ca: CertificateAuthority, emulator: Emulator, time: Time
) -> Callable[..., SessionCreator]:
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    identity = open_identity(sources, now=datetime.now(timezone.utc))

    def make(url: str | None = None, **options: object) -> SessionCreator:
        arguments: Arguments = {
            "cert": b"in the identity",
            "anchor": emulator.trust_anchor_arn,
            "profile": emulator.profile_arn,
            "role": emulator.role_arn,
            "endpoint_url": url or emulator.endpoint_url,
        }
        session = botocore.session.Session()
        config = config_of(look_up(session, arguments=arguments))
        assert config is not None
        return SessionCreator(
            config,
            lambda: identity,
            client_config=ClientConfig(**options) if options else None,  # type: ignore[arg-type]  # any
            session=private_session(session),
            clocks=Clocks(CorrectedClock(), time.monotonic, lambda: 1.0, time.sleep),
        )

    return make


def statuses(emulator: Emulator) -> list[int | None]:
    return [record.status for record in emulator.requests]


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        (faults.ErrorStatus(500, "InternalServerException"), 5),
        (faults.ErrorStatus(503), 5),
        (faults.HtmlBody(502), 5),
        (faults.HtmlBody(504), 5),
        (faults.Reset(), 5),
        (faults.TruncatedBody(), 5),
        (faults.MalformedJson(), 5),
        (faults.ErrorStatus(429, "TooManyRequestsException"), 1),
        (faults.ErrorStatus(400, "ThrottlingException"), 1),
        (faults.ErrorStatus(400, "RequestTimeTooSkewed"), 1),
        (faults.ErrorStatus(403, "AccessDeniedException"), 1),
        (faults.HtmlBody(403), 1),
        (faults.HtmlBody(200), 1),
        (faults.MissingFields(), 1),
    ],
    ids=repr,
)
def test_an_outage_costs_the_same_requests_and_pauses_on_every_botocore(
    emulator: Emulator,
    creator_for: Callable[..., SessionCreator],
    time: Time,
    fault: faults.Fault,
    requests: int,
) -> None:
    with emulator.injected(fault), pytest.raises(RolesAnywhereError):
        creator_for().create()

    assert len(emulator.requests) == requests
    assert time.pauses == [0.5, 1, 2, 4][: requests - 1]


@pytest.mark.parametrize(
    "fault",
    [
        faults.ErrorStatus(503),
        faults.HtmlBody(502),
        faults.Reset(),
        faults.TruncatedBody(),
        faults.MalformedJson(),
    ],
    ids=repr,
)
def test_a_call_survives_what_passes_before_its_last_attempt(
    emulator: Emulator, creator_for: Callable[..., SessionCreator], fault: faults.Fault
) -> None:
    emulator.inject(fault, times=4)

    assert creator_for().create().subject_arn
    agents = [record.headers["amz-sdk-request"] for record in emulator.requests]
    assert agents == [f"attempt={number}; max=5" for number in range(1, 6)]
    assert len({record.headers["amz-sdk-invocation-id"] for record in emulator.requests}) == 1


def test_nobody_listening_is_tried_again_too(
    emulator: Emulator, creator_for: Callable[..., SessionCreator], time: Time
) -> None:
    creator = creator_for()
    emulator.stop()

    with pytest.raises(EndpointError, match="did not reach"):
        creator.create()
    assert time.pauses == [0.5, 1, 2, 4]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_botocores_own_retries_take_no_part(
    emulator: Emulator, creator_for: Callable[..., SessionCreator], time: Time, mode: str
) -> None:
    # In standard mode botocore's quota for retries would be empty after some calls.
    creator = creator_for(retries={"mode": mode})
    with emulator.injected(faults.ErrorStatus(503)):
        for _ in range(30):
            with pytest.raises(ServiceError):
                creator.create()

    assert len(emulator.requests) == 150


@pytest.mark.parametrize(
    ("options", "environment", "attempts"),
    [
        ({"retries": {"total_max_attempts": 2}}, None, 2),
        ({"retries": {"max_attempts": 2}}, None, 3),
        ({"retries": {"max_attempts": 0}}, None, 1),
        ({"retries": {"total_max_attempts": 2}}, "4", 2),
        ({"retries": {"mode": "legacy"}}, None, 5),
        ({}, "3", 3),
        ({}, "1", 1),
        ({}, None, 5),
    ],
)
def test_the_user_says_how_many_attempts(
    emulator: Emulator,
    creator_for: Callable[..., SessionCreator],
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    environment: str | None,
    attempts: int,
) -> None:
    if environment:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", environment)
    with emulator.injected(faults.ErrorStatus(503)), pytest.raises(ServiceError):
        creator_for(**options).create()

    assert len(emulator.requests) == attempts


def test_the_services_own_pause_is_obeyed_within_the_deadline(
    emulator: Emulator, creator_for: Callable[..., SessionCreator], time: Time
) -> None:
    emulator.inject(faults.ErrorStatus(503, retry_after_seconds=20))
    emulator.inject(faults.ErrorStatus(503, retry_after_seconds=60))

    with pytest.raises(ServiceError) as caught:
        creator_for().create()

    assert time.pauses == [20.5]
    assert statuses(emulator) == [503, 503]
    assert caught.value.retry_after == 60


@pytest.mark.parametrize(
    ("options", "deadline"),
    [
        ({}, 60),
        ({"read_timeout": 20}, 60),
        ({"read_timeout": 300}, 310),
        ({"read_timeout": 300, "connect_timeout": 100}, 400),
        ({"read_timeout": None}, 60),
    ],
)
def test_the_deadline_leaves_time_for_one_whole_attempt(
    creator_for: Callable[..., SessionCreator], options: dict[str, object], deadline: float
) -> None:
    assert creator_for(**options)._own_transport().limits.deadline == deadline


def test_a_key_that_waits_for_a_touch_takes_nothing_from_the_deadline(
    emulator: Emulator, creator_for: Callable[..., SessionCreator], time: Time
) -> None:
    creator = creator_for()
    touched = creator._identity()

    class Slow:
        """An identity whose key is touched after a minute and a half."""

        def __getattr__(self, name: str) -> object:
            return getattr(touched, name)

        def sign(self, data: bytes) -> bytes:
            time.now += 90
            return touched.sign(data)

    emulator.inject(faults.ErrorStatus(503))

    assert creator.create(Slow()).subject_arn  # type: ignore[arg-type]  # as good as one
    assert statuses(emulator) == [503, 201]


@pytest.mark.parametrize("seed", range(3))
def test_the_pauses_of_a_call_stay_below_the_deadline(seed: int) -> None:
    chance = random.Random(seed)
    fault = TransportFault("connection", "")
    left = 60.0
    for made in range(1, 100):
        pause = pause_after(fault, made, Limits(100), left, chance.random)
        if pause is None:
            break
        left -= pause
    assert left > 0
