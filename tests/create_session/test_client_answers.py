"""What the service answers, or does not: retries, throttling, and one error for all the rest."""

from __future__ import annotations

import pytest
from botocore.config import Config as ClientConfig
from created_sessions import NO_WAITING, create

from boto_rolesanywhere.errors import (
    EndpointError,
    InvalidResponseError,
    ServiceError,
    ThrottledError,
)
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.testing import Emulator, faults


def test_each_retry_is_signed_anew(emulator: Emulator, identity: Identity) -> None:
    emulator.inject(faults.ErrorStatus(503), times=2)
    quick = ClientConfig(retries={"mode": "standard", "total_max_attempts": 3})

    assert create(emulator, identity, endpoint_url=emulator.endpoint_url, client_config=quick)

    assert [record.status for record in emulator.requests] == [503, 503, 201]


def test_a_lost_connection_is_retried(emulator: Emulator, identity: Identity) -> None:
    emulator.inject(faults.Reset())
    quick = ClientConfig(retries={"mode": "standard", "total_max_attempts": 2})

    assert create(emulator, identity, endpoint_url=emulator.endpoint_url, client_config=quick)


def test_throttling_is_an_error_of_its_own(emulator: Emulator, identity: Identity) -> None:
    emulator.requests_per_second = 1

    def insist() -> None:
        for _ in range(20):
            create(emulator, identity, endpoint_url=emulator.endpoint_url)

    with pytest.raises(ThrottledError, match="10 CreateSession calls a second"):
        insist()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ThrottlingException"),
        (400, "TooManyRequestsException"),
        (400, "Throttling"),
        (429, "LimitExceededException"),
    ],
)
def test_each_form_of_throttling_is_recognised(
    emulator: Emulator, identity: Identity, status: int, code: str
) -> None:
    with (
        emulator.injected(faults.ErrorStatus(status, code, "slow down")),
        pytest.raises(ThrottledError, match="slow down"),
    ):
        create(emulator, identity, endpoint_url=emulator.endpoint_url, client_config=NO_WAITING)


@pytest.mark.parametrize(
    ("fault", "error", "wording"),
    [
        (faults.ErrorStatus(503), ServiceError, "HTTP 503"),
        (faults.Reset(), EndpointError, "CreateSession did not reach http://127.0.0.1"),
        (faults.TruncatedBody(), InvalidResponseError, "was cut off"),
        (faults.HtmlBody(502), InvalidResponseError, "answered HTTP 502 with text/html"),
        (faults.HtmlBody(403), InvalidResponseError, "answered HTTP 403 with text/html"),
        (faults.HtmlBody(200), InvalidResponseError, "no JSON object"),
        (faults.EmptyBody(201), InvalidResponseError, "no JSON object"),
        (faults.EmptyBody(403), (InvalidResponseError, ServiceError), "HTTP 403"),
        (faults.MalformedJson(), InvalidResponseError, "no JSON object"),
        (faults.MissingFields(), InvalidResponseError, "without usable credentials"),
        (
            faults.MissingFields(("credentialSet.credentials.sessionToken",)),
            InvalidResponseError,
            "without usable credentials",
        ),
    ],
)
def test_whatever_comes_back_is_one_error_of_ours(
    emulator: Emulator,
    identity: Identity,
    fault: faults.Fault,
    error: type[Exception],
    wording: str,
) -> None:
    emulator.inject(fault, times=None)

    with pytest.raises(error, match=wording):
        create(emulator, identity, endpoint_url=emulator.endpoint_url)

    emulator.clear_faults()
    assert create(emulator, identity, endpoint_url=emulator.endpoint_url).subject_arn


def test_a_server_that_does_not_answer_is_given_up(emulator: Emulator, identity: Identity) -> None:
    options = ClientConfig(read_timeout=0.1, retries={"total_max_attempts": 1})
    with emulator.injected(faults.Hang()), pytest.raises(EndpointError, match="did not answer"):
        create(emulator, identity, endpoint_url=emulator.endpoint_url, client_config=options)
