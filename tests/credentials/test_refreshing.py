"""The refresh rule and the credentials that obey it, with clocks that the test turns."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from botocore.credentials import RefreshableCredentials
from refreshing_world import START, World, renewed, use

from boto_rolesanywhere.errors import (
    EndpointError,
    SessionDeniedError,
)


def test_nothing_is_created_before_the_first_use() -> None:
    world = World()

    credentials = world.credentials()

    assert isinstance(credentials, RefreshableCredentials)
    assert credentials.refresh_needed()
    assert world.tried == 0


def test_all_readers_see_one_session() -> None:
    world = World()
    credentials = world.credentials()

    frozen = credentials.get_frozen_credentials()

    assert frozen == ("ASIA1", "secret1", "token1", "123456789012")
    assert (credentials.access_key, credentials.secret_key, credentials.token) == frozen[:3]
    assert credentials.account_id == "123456789012"
    assert credentials.session.access_key_id == "ASIA1"
    assert credentials._expiry_time == START + timedelta(hours=1)
    assert world.created == 1


@pytest.mark.parametrize("lifetime", [900, 3600, 43200])
def test_a_session_is_renewed_once_in_its_life_however_often_it_is_used(lifetime: int) -> None:
    world = World(lifetime=lifetime)
    credentials = world.credentials()

    for _ in range(300):
        renewed(credentials)
        world.pass_time(lifetime / 300)

    assert world.created == 2


def test_a_twelve_hour_session_lives_long() -> None:
    world = World(lifetime=43200)
    credentials = world.credentials()
    use(credentials)

    world.pass_time(43200 * 0.625 - 1)
    assert renewed(credentials) == "ASIA1"

    world.pass_time(1)
    assert renewed(credentials) == "ASIA2"


def test_a_failed_renewal_keeps_what_is_good_and_is_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert [renewed(credentials) for _ in range(50)] == ["ASIA1"] * 50

    assert world.tried == 2
    (record,) = caplog.records
    assert "no route" in record.getMessage()
    assert "until they end at 2026-01-02T04:04:05+00:00" in record.getMessage()
    assert "next try in 4 minutes" in record.getMessage()  # of the 800 that are left

    world.pass_time(239)
    renewed(credentials)
    assert world.tried == 2
    world.pass_time(1)
    renewed(credentials)
    assert world.tried == 3

    world.failure = None
    world.pass_time(240)
    assert renewed(credentials) == "ASIA2"


def test_any_failure_of_a_renewal_keeps_what_is_good(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = TypeError("hunter2")  # of botocore, say, since its config file was edited
    world.pass_time(3600 - 800)

    with caplog.at_level(logging.WARNING):
        assert renewed(credentials) == "ASIA1"

    assert caplog.messages[0].endswith("TypeError")
    assert "hunter2" not in caplog.text
    world.pass_time(800)
    with pytest.raises(TypeError):
        use(credentials)


def test_a_failure_in_the_last_minutes_still_uses_what_is_good() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")

    world.pass_time(3600 - 10)
    assert use(credentials) == "ASIA1"

    world.pass_time(10)
    with pytest.raises(EndpointError, match="no route"):
        use(credentials)


def test_the_service_coming_back_after_the_end_is_noticed_after_the_pause() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("no route", code="made-up")
    world.pass_time(4000)
    with pytest.raises(EndpointError):
        use(credentials)

    world.failure = None
    world.pass_time(0.56)  # of the first second, jitter 0.5

    assert use(credentials) == "ASIA2"


@pytest.mark.parametrize("begins", ["cold", "ended"])
def test_after_a_failure_a_thousand_reads_make_one_call(begins: str) -> None:
    world = World()
    credentials = world.credentials()
    if begins == "ended":
        use(credentials)
        world.pass_time(4000)
    tried = world.tried
    world.failure = EndpointError("no route", code="made-up")
    errors = []

    for _ in range(1000):
        with pytest.raises(EndpointError, match="no route") as caught:
            use(credentials)
        errors.append(caught.value)

    assert world.tried == tried + 1
    assert len(set(map(id, errors))) == 1000  # copies, each with a traceback of its own


def test_pauses_grow_while_there_are_no_credentials() -> None:
    world = World(failure=EndpointError("no route", code="made-up"))
    credentials = world.credentials()
    tries = []

    for second in range(300):
        with pytest.raises(EndpointError):
            use(credentials)
        if len(tries) < world.tried:
            tries.append(second)
        world.pass_time(1)

    assert tries == [0, 1, 3, 6, 11, 20, 38, 71, 104, 137, 170, 203, 236, 269]


def test_a_refusal_pauses_longer_than_a_passing_fault() -> None:
    answer = {
        "Error": {"Code": "AccessDeniedException", "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    world = World(failure=SessionDeniedError(answer, "CreateSession", code="session-denied"))
    credentials = world.credentials()

    for _ in range(3600):
        with pytest.raises(SessionDeniedError):
            use(credentials)
        world.pass_time(1)

    assert world.tried == 27  # within an hour


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
def test_one_clock_that_goes_on_is_enough_to_renew(clock: str) -> None:
    # The wall clock may be right where a virtual machine was stopped.
    world = World()
    credentials = world.credentials()
    use(credentials)

    setattr(world, clock, getattr(world, clock) + 3600)

    assert use(credentials) == "ASIA2"


def test_a_wall_clock_set_forward_loses_no_read_and_makes_few_calls() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)
    world.failure = EndpointError("the signature has expired", code="made-up")
    world.wall += 7200

    for _ in range(120):  # twenty minutes
        assert renewed(credentials) == "ASIA1"
        world.pass_time(10)

    assert world.tried <= 4
    world.failure = None
    world.pass_time(900)
    assert renewed(credentials) == "ASIA2"


def test_a_wall_clock_set_back_does_not_prolong_them() -> None:
    world = World()
    credentials = world.credentials()
    use(credentials)

    world.wall -= 86400
    world.monotonic += 3600

    assert use(credentials) == "ASIA2"


@pytest.mark.parametrize("skew", [-3500, 3500])
def test_the_lifetime_is_by_the_services_clock(skew: float) -> None:
    """A local clock that is off neither shortens nor prolongs what the service gave."""
    world = World(skew=skew)
    credentials = world.credentials()
    use(credentials)

    world.pass_time(2219)
    assert not credentials.refresh_needed()
    assert credentials.refresh_needed(1382)

    world.pass_time(1)
    assert renewed(credentials) == "ASIA2"
