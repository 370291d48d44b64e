"""What credentials need, by tables of clocks and failures: no thread, no waiting."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.credentials.state import Need, Received, SessionState
from boto_rolesanywhere.credentials.windows import RefreshWindows
from boto_rolesanywhere.errors import (
    CertificateError,
    EndpointError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)

HOUR = 3600.0
ISSUED = datetime(2026, 1, 1, tzinfo=timezone.utc)
OUTAGE = EndpointError("no route", code="made-up")
SESSION = RolesAnywhereSession(
    access_key_id="ASIA1",
    secret_access_key="secret",
    session_token="token",
    issued_at=ISSUED,
    expiration=ISSUED + timedelta(seconds=HOUR),
)


@dataclass
class Clocks:
    wall: float = 1_800_000_000.0
    monotonic: float = 100.0
    jitter: float = 0.5

    def state(self) -> SessionState:
        return SessionState(
            wall=lambda: self.wall, monotonic=lambda: self.monotonic, jitter=lambda: self.jitter
        )

    def hold(self) -> SessionState:
        """A state that has received a session of an hour just now; due at 2,220 seconds."""
        state = self.state()
        state.begun()
        state.received(SESSION)
        return state

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.mark.parametrize(
    ("age", "need"),
    [
        (0, Need.NOTHING),
        (2219, Need.NOTHING),
        (2220, Need.MEANWHILE),
        (3594, Need.MEANWHILE),
        (3595, Need.SOON),
        (3599, Need.SOON),
        (3600, Need.NOW),
        (90_000, Need.NOW),
    ],
)
def test_what_is_needed_follows_the_age(clocks: Clocks, age: float, need: Need) -> None:
    state = clocks.hold()
    clocks.pass_time(age)

    assert state.need() is need
    assert state.is_good() == (age < HOUR)


@pytest.mark.parametrize(
    ("elapsed", "wall", "need", "good"),
    [
        # The wall clock was set.
        (100, 100 + 7200, Need.SOON, True),
        (100, 100 + 86_400, Need.SOON, True),
        (100, 2300, Need.MEANWHILE, True),
        (100, -86_400, Need.NOTHING, True),
        (2300, -86_400, Need.MEANWHILE, True),
        (3600, -86_400, Need.NOW, False),
        (3600, 100, Need.NOW, False),
        # The machine slept, and the system counts that.
        (9000, 9000, Need.NOW, False),
    ],
)
def test_the_two_clocks(
    clocks: Clocks, elapsed: float, wall: float, need: Need, *, good: bool
) -> None:
    state = clocks.hold()
    clocks.monotonic += elapsed
    clocks.wall += wall

    assert (state.need(), state.is_good()) == (need, good)


def test_a_wall_clock_set_forward_leaves_pauses_between_the_tries(clocks: Clocks) -> None:
    state = clocks.hold()
    clocks.wall += 7200
    tries = lost = 0

    for _ in range(120):
        need = state.need()
        if need is Need.SOON:
            tries += 1
            state.failed(OUTAGE)
        lost += not state.is_good()
        clocks.pass_time(10)

    assert (tries, lost) == (2, 0)


def denied(kind: type[ServiceError], status: int) -> ServiceError:
    answer = {"ResponseMetadata": {"HTTPStatusCode": status}}
    return kind(answer, "CreateSession", code="made-up")


FAULTS = [
    OUTAGE,
    CertificateError("it is not there", code="made-up"),
    TypeError("of botocore"),
    denied(ThrottledError, 429),
    denied(ServiceError, 503),
]
REFUSALS = [
    denied(SessionDeniedError, 403),
    denied(ServiceError, 403),
    denied(ServiceError, 400),
    denied(ServiceError, 404),
]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [*((error, 1.0) for error in FAULTS), *((error, 5.0) for error in REFUSALS)],
    ids=repr,
)
def test_what_counts_as_a_refusal(clocks: Clocks, error: Exception, seconds: float) -> None:
    clocks.jitter = 1.0
    state = clocks.state()

    state.failed(error)

    assert state.retry_at - clocks.monotonic == pytest.approx(seconds)
    clocks.pass_time(seconds - 0.001)
    assert state.need() is Need.PAUSE
    clocks.pass_time(0.002)
    assert state.need() is Need.NOW


def test_a_success_ends_the_pauses(clocks: Clocks) -> None:
    state = clocks.state()
    for _ in range(5):
        state.failed(OUTAGE)
    state.received(SESSION)
    assert state.need() is Need.NOTHING
    clocks.pass_time(HOUR)

    state.failed(OUTAGE)

    assert state.retry_at - clocks.monotonic <= 1


def test_failed_renewals_do_not_lengthen_the_pauses_after_the_end(clocks: Clocks) -> None:
    clocks.jitter = 1.0
    state = clocks.hold()
    clocks.pass_time(3590)
    for _ in range(5):
        state.failed(OUTAGE)
    clocks.pass_time(10)

    state.failed(OUTAGE)

    assert state.retry_at - clocks.monotonic == pytest.approx(1)


def test_the_failure_is_a_copy_without_the_frames_it_passed(clocks: Clocks) -> None:
    state = clocks.state()
    try:
        raise OUTAGE from OSError("refused")
    except RolesAnywhereError as error:
        state.failed(error)

    failures = [state.failure(), state.failure()]

    assert failures[0] is not failures[1]
    assert {str(each) for each in failures} == {"no route."}
    assert all(each.__traceback__ is None for each in failures)
    assert state._failure is not None
    assert state._failure.error is not None
    assert state._failure.error.__traceback__ is None
    assert isinstance(failures[0].__cause__, OSError)


def test_who_waits_waits_five_seconds_at_most_and_not_beyond_the_end(clocks: Clocks) -> None:
    state = clocks.hold()
    clocks.pass_time(3590)
    state.begun()
    assert state.patience() == 5
    clocks.pass_time(4)
    assert state.patience() == 1
    clocks.pass_time(3)
    assert state.patience() == 0
    state.begun()
    assert state.patience() == 3


def test_times_that_came_with_a_session_hold(clocks: Clocks) -> None:
    # It was made 3,000 seconds ago by another process, and its renewal was put off until 3,300.
    state = clocks.state()
    state.received(Received(SESSION, RefreshWindows(3300, 3595, 3600), age=3000))

    clocks.pass_time(299)
    assert state.need() is Need.NOTHING
    clocks.pass_time(1)
    assert state.need() is Need.MEANWHILE
    clocks.pass_time(300)
    assert state.need() is Need.NOW


def test_a_child_draws_its_own_point_and_its_own_pause(clocks: Clocks) -> None:
    state = clocks.hold()
    clocks.pass_time(1000)
    clocks.jitter = 0.25
    state.draw_anew()
    assert state.held is not None
    assert state.held.windows.advisory == 2010

    clocks.pass_time(1010)
    state.failed(OUTAGE)
    clocks.jitter = 0.75
    state.draw_anew()
    assert state.held.windows.advisory == 2010
    assert state.retry_at - clocks.monotonic == pytest.approx((3600 - 2010) * 0.35)

    clocks.pass_time(2000)
    state.failed(OUTAGE)
    clocks.jitter = 0.0
    state.draw_anew()
    assert state.retry_at - clocks.monotonic == pytest.approx(0.1)


def test_hosts_whose_programs_seed_alike_draw_different_points() -> None:
    points = set()
    for _ in range(5):
        random.seed(1)
        state = SessionState()
        state.received(SESSION)
        assert state.held is not None
        points.add(state.held.windows.advisory)

    assert len(points) == 5


@pytest.mark.parametrize(("asked", "pause"), [(30.0, 36), (86400.0, 300), (None, 1)])
def test_a_pause_is_as_long_as_the_service_asks_for_and_up_to_a_fifth_longer(
    clocks: Clocks, asked: float | None, pause: float
) -> None:
    response = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {}}
    clocks.jitter = 1.0
    state = clocks.state()
    state.failed(ThrottledError(response, "CreateSession", code="throttled", retry_after=asked))

    clocks.monotonic += pause - 0.1
    assert state.need() is Need.PAUSE
    clocks.monotonic += 0.2
    assert state.need() is Need.NOW
