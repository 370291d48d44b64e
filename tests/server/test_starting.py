"""A server that starts before the network does."""

from __future__ import annotations

import logging
from typing import cast

import pytest

from boto_rolesanywhere.credentials.keeper import Keeper
from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
)
from boto_rolesanywhere.server.starting import start

UNREACHABLE = EndpointError("nobody answers", code="endpoint-unreachable")


def answered(status: int, kind: type[ServiceError] = ServiceError) -> ServiceError:
    response = {"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return kind(response, "CreateSession", code="service-failed")


class Network:
    """A keeper whose start fails so often, and the time that passes meanwhile."""

    name = "reader"

    def __init__(self, *errors: RolesAnywhereError) -> None:
        self.errors = list(errors)
        self.now = 0.0
        self.slept: list[float] = []

    def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def try_for(self, seconds: float) -> None:
        start(cast("Keeper", self), seconds, monotonic=lambda: self.now, sleep=self.sleep)


@pytest.mark.parametrize("error", [UNREACHABLE, answered(503), answered(429)], ids=repr)
def test_a_start_is_tried_again_until_it_succeeds(
    error: RolesAnywhereError, caplog: pytest.LogCaptureFixture
) -> None:
    network = Network(*[error] * 5)
    with caplog.at_level(logging.WARNING):
        network.try_for(60)

    assert network.slept == [1, 2, 4, 5, 5]
    assert len(caplog.records) == 1


def test_a_start_is_given_up_in_time() -> None:
    network = Network(*[UNREACHABLE] * 99)

    with pytest.raises(EndpointError):
        network.try_for(60)

    assert 50 < network.now <= 60


@pytest.mark.parametrize(
    "error",
    [
        answered(403, SessionDeniedError),
        EndpointError("a bad URL", code="endpoint-url-invalid"),
        ConfigurationError("nothing", code="settings-missing"),
    ],
    ids=repr,
)
def test_what_does_not_pass_ends_the_start_at_once(error: RolesAnywhereError) -> None:
    network = Network(error)

    with pytest.raises(type(error)):
        network.try_for(60)

    assert network.slept == []
