"""Injected faults, throttling, and what is recorded."""

from __future__ import annotations

import errno
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Client


@pytest.fixture(params=["http", "https"])
def either(request: pytest.FixtureRequest, ca: CertificateAuthority) -> Iterator[Emulator]:
    """An emulator without and with TLS, since these faults touch the connection itself."""
    with Emulator(ca, tls=request.param == "https") as running:
        yield running


@pytest.mark.parametrize("fault", [faults.ErrorStatus, 5, None])
def test_what_is_no_fault_is_refused(emulator: Emulator, fault: faults.Fault) -> None:
    with pytest.raises(ConfigurationError, match="is no fault; expected one of"):
        emulator.inject(fault)


@pytest.mark.parametrize("times", [0, -1, 1.5])
def test_a_fault_comes_at_least_once(emulator: Emulator, times: int) -> None:
    with pytest.raises(ConfigurationError, match="is no number of requests"):
        emulator.inject(faults.Reset(), times=times)


def test_an_error_status_comes_as_often_as_asked_for(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.inject(faults.ErrorStatus(), times=2)
    emulator.inject(faults.ErrorStatus(500, "InternalServerException", "oh"))
    answers = [client.create(issued) for _ in range(4)]
    assert [answer.status for answer in answers] == [503, 503, 500, 201]
    assert answers[0].refusal[1] == "ServiceUnavailableException"
    assert answers[2].refusal == (500, "InternalServerException", "oh")
    assert emulator.created == 1
    record = emulator.requests[2]
    assert record.outcome.startswith("fault: ErrorStatus(status=500")
    assert (record.status, record.fault is None) == (500, False)


def test_a_fault_lasts_until_it_is_cleared(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    with emulator.injected(faults.ErrorStatus()):
        assert [client.create(issued).status for _ in range(3)] == [503] * 3
    assert client.create(issued).status == 201
    emulator.inject(faults.ErrorStatus(), times=None)
    emulator.clear_faults()
    assert client.create(issued).status == 201


def test_bodies_that_are_no_answer(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.inject(faults.HtmlBody())
    emulator.inject(faults.HtmlBody(403, "<p>blocked</p>"))
    emulator.inject(faults.EmptyBody())
    emulator.inject(faults.EmptyBody(504))
    emulator.inject(faults.MalformedJson())
    page, blocked, empty, gateway, malformed = (client.create(issued) for _ in range(5))
    assert (page.status, page.headers["content-type"]) == (502, "text/html")
    assert page.body.startswith(b"<html>")
    assert (blocked.status, blocked.body) == (403, b"<p>blocked</p>")
    assert "x-amzn-errortype" not in blocked.headers
    assert (empty.status, empty.body) == (201, b"")
    assert (gateway.status, gateway.body) == (504, b"")
    assert malformed.status == 201
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed.body)
    assert int(malformed.headers["content-length"]) == len(malformed.body)


def test_fields_can_be_missing(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.inject(faults.MissingFields())
    assert set(client.create(issued).json) == {"subjectArn"}
    emulator.inject(faults.MissingFields(("credentialSet.credentials.expiration", "subjectArn")))
    answer = client.create(issued)
    assert set(answer.json) == {"credentialSet"}
    assert set(answer.session["credentials"]) == {
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
    }
    assert emulator.created == 2


def test_a_connection_is_reset(
    either: Emulator, client_of: Callable[[Emulator], Client], issued: IssuedCertificate
) -> None:
    client = client_of(either)
    either.inject(faults.Reset())
    with pytest.raises(ConnectionResetError) as caught:
        client.create(issued)
    if either.endpoint_url.startswith("http:"):  # Python's ssl makes an end of file of an RST
        assert caught.value.errno == errno.ECONNRESET  # http.client's for a plain close has none
    assert client.create(issued).status == 201
    assert either.requests[0].status is None
    assert either.created == 1


def test_a_body_is_torn(
    either: Emulator, client_of: Callable[[Emulator], Client], issued: IssuedCertificate
) -> None:
    client = client_of(either)
    either.inject(faults.TruncatedBody(keep=30))
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.create(issued)
    assert len(caught.value.partial) == 30
    assert caught.value.expected
    assert client.create(issued).status == 201


def test_a_body_is_slow_but_whole(
    either: Emulator, client_of: Callable[[Emulator], Client], issued: IssuedCertificate
) -> None:
    either.inject(faults.SlowBody(seconds=0.3, pieces=4))
    started = time.monotonic()
    answer = client_of(either).create(issued)
    assert time.monotonic() - started >= 0.3
    assert answer.session


def test_a_request_hangs_until_it_is_released_and_others_do_not(
    either: Emulator, client_of: Callable[[Emulator], Client], issued: IssuedCertificate
) -> None:
    client = client_of(either)
    either.inject(faults.Hang())
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.create, issued)
        either.wait_for_requests(1)
        assert client.create(issued).status == 201
        assert not hanging.done()
        either.release()
        assert hanging.result(10).status == 201


def test_a_request_hangs_for_a_while(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.inject(faults.Hang(seconds=0.2))
    started = time.monotonic()
    assert client.create(issued).status == 201
    assert time.monotonic() - started >= 0.2


def test_a_client_that_gives_up_disturbs_nothing(
    client: Client, emulator: Emulator, issued: IssuedCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.inject(faults.Hang(), times=2)
    client.timeout = 0.1
    for _ in range(2):
        with pytest.raises(TimeoutError):
            client.create(issued)
    client.timeout = 20
    assert client.create(issued).status == 201
    emulator.release()
    assert client.create(issued).status == 201
    assert not caplog.records


def test_hanging_requests_never_hold_up_the_end(
    either: Emulator,
    client_of: Callable[[Emulator], Client],
    issued: IssuedCertificate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = client_of(either)
    either.inject(faults.Hang(), times=5)
    with ThreadPoolExecutor(5) as pool:
        started = time.monotonic()
        hanging = [pool.submit(client.create, issued) for _ in range(5)]
        either.wait_for_requests(5)
        either.stop()
        assert time.monotonic() - started < 8  # waiting in vain would take 10
        for one in hanging:
            with pytest.raises((OSError, http.client.HTTPException)):
                one.result(10)
    assert not caplog.records


def test_faults_can_be_injected_from_many_threads(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    barrier = threading.Barrier(8)

    def inject() -> None:
        barrier.wait()
        for _ in range(25):
            emulator.inject(faults.ErrorStatus())

    threads = [threading.Thread(target=inject) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    request = client.request(issued).signed()
    statuses = [client.send(request).status for _ in range(201)]
    assert statuses == [503] * 200 + [201]


def test_the_quota_throttles(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    times = [datetime.now(timezone.utc)]
    with Emulator(ca, clock=lambda: times[0], requests_per_second=3) as emulator:
        client = client_of(emulator)
        statuses = [client.create(issued).status for _ in range(5)]
        assert statuses == [201, 201, 201, 429, 429]
        # Code, status and words are guesses.
        assert client.create(issued).refusal == (429, "ThrottlingException", "Rate exceeded")
        times[0] += timedelta(milliseconds=999)
        assert client.create(issued).status == 429
        times[0] += timedelta(milliseconds=1)
        assert client.create(issued).status == 201
        emulator.requests_per_second = None
        assert {client.create(issued).status for _ in range(6)} == {201}


def test_what_was_asked_is_recorded(
    client: Client, emulator: Emulator, ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    answer = client.create(
        issued, headers=[("User-Agent", "me"), ("X-Twice", "1"), ("X-Twice", "2")]
    )
    client.create(ca.issue(flaws=("expired",)), query="a=b")
    first, second = emulator.requests
    assert (first.method, first.path, first.query) == ("POST", "/sessions", "")
    assert (first.outcome, first.status, first.message) == ("created", 201, None)
    assert first.headers["user-agent"] == "me"
    assert first.headers["x-twice"] == "1,2"
    assert json.loads(first.body)["roleArn"] == first.role_arn == emulator.role_arn
    assert first.trust_anchor_arn == emulator.trust_anchor_arn
    assert first.profile_arn == emulator.profile_arn
    assert first.certificate_serial == issued.serial_number
    assert first.access_key_id == answer.session["credentials"]["accessKeyId"]
    assert abs(first.received_at - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert (second.outcome, second.status, second.query) == ("AccessDeniedException", 403, "a=b")
    assert "expired" in str(second.message)
    assert "it expired at" in str(second.reason)
    assert second.access_key_id is None
    assert emulator.created == 1
    emulator.clear_requests()
    assert (emulator.requests, emulator.created) == ([], 0)


def test_no_secret_is_in_a_record(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    credentials = client.create(issued).session["credentials"]
    record = emulator.requests[0]
    everything = repr(record) + repr(record.headers) + repr(record.body)
    assert credentials["secretAccessKey"] not in everything
    assert credentials["sessionToken"] not in everything


def test_waiting_for_requests_that_do_not_come_ends(emulator: Emulator) -> None:
    with pytest.raises(TimeoutError, match=r"0 requests after .* 1 were expected"):
        emulator.wait_for_requests(1, timeout=0.01)


def test_a_listener_hears_of_each_request(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    heard: list[str] = []
    with Emulator(ca, on_request=lambda record: heard.append(record.outcome)) as emulator:
        client_of(emulator).create(issued)
        client_of(emulator).create(issued, roleArn=None)
    assert heard == ["created", "ValidationException"]


def test_a_mistake_in_a_listener_is_the_emulators_own(
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    client_of: Callable[[Emulator], Client],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("oh")

    with Emulator(ca, on_request=fail) as emulator:
        status, code, _ = client_of(emulator).create(issued).refusal
    assert (status, code) == (500, "InternalServerException")
    assert "the emulator itself failed" in caplog.text
