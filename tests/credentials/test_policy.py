"""How long the pauses after a failure are: tables, and what holds for all numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.policy import cold_pause, next_pause, renewal_pause
from boto_rolesanywhere.errors import RolesAnywhereError, ServiceError, ThrottledError

jitters = st.floats(0, 1)


@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (5000, 60)]
)
def test_without_credentials_the_pauses_double_to_a_minute(failures: int, longest: float) -> None:
    assert cold_pause(failures, 1.0, refused=False) == pytest.approx(longest)
    assert cold_pause(failures, 0.0, refused=False) == pytest.approx(longest / 10)


@given(st.integers(1, 100), jitters)
def test_there_is_a_pause_always_and_a_longer_one_after_a_refusal(
    failures: int, jitter: float
) -> None:
    passing = cold_pause(failures, jitter, refused=False)
    refused = cold_pause(failures, jitter, refused=True)

    assert 0.1 <= passing <= 60.001
    assert refused == pytest.approx(5 * passing)


@given(st.floats(1, 40_000), jitters)
def test_a_failed_renewal_waits_for_a_share_of_what_is_left(left: float, jitter: float) -> None:
    passing = renewal_pause(left, jitter, refused=False)
    refused = renewal_pause(left, jitter, refused=True)

    assert passing == pytest.approx(max(1, left * (0.2 + 0.2 * jitter)))
    assert passing < refused <= max(5, left * 0.8 + 0.001)


def service_error(
    status: int, kind: type[ServiceError] = ServiceError, *, passing: bool = False
) -> ServiceError:
    response = {"ResponseMetadata": {"HTTPStatusCode": status}}
    error = kind(response, "CreateSession", code="made-up", retry_after=20.0)
    error.passing = passing
    return error


@pytest.mark.parametrize(
    ("error", "cold", "good"),
    [
        (None, 8, 100),
        (RolesAnywhereError("no key", code="made-up"), 8, 100),
        (service_error(403), 40, 200),
        (service_error(408, passing=True), 24, 100),
        (service_error(503), 24, 100),
        (service_error(429, ThrottledError), 24, 100),
    ],
)
def test_a_refusal_makes_pauses_longer_and_the_service_may_ask_for_more(
    error: RolesAnywhereError | None, cold: float, good: float
) -> None:
    assert next_pause(error, 4, None, lambda: 1.0) == pytest.approx(cold)
    assert next_pause(error, 0, 250.0, lambda: 1.0) == pytest.approx(good)
