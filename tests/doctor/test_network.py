"""The doctor's checks of the way to AWS: name, connection and clock, and a way that is well."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from way_to_aws import ALL_WELL, APP, examined, failed_at, statuses

from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.testing import Emulator, faults

pytestmark = pytest.mark.usefixtures("sts")


def test_all_is_well_without_tls(emulator: Emulator) -> None:
    verdicts = examined(emulator)

    assert statuses(verdicts) == ALL_WELL | {"tls": "skip"}
    assert verdicts["proxy"].text == "none: the connection is direct"
    assert verdicts["name-resolution"].text == "127.0.0.1 is an address, not a name"
    assert verdicts["create-session"].text.startswith("credentials for 60 minutes, until ")
    assert ("source identity", "CN=app") in verdicts["create-session"].details
    assert verdicts["caller-identity"].text.startswith("AWS says: arn:aws:sts::")
    assert emulator.created == 1


def test_all_is_well_with_tls(tls_emulator: Emulator) -> None:
    bundle = str(tls_emulator.ca_bundle_path)
    verdicts = examined(tls_emulator, verify=bundle)

    assert statuses(verdicts) == ALL_WELL
    assert verdicts["tls"].text.startswith("trusted, issued by CN=Emulator TLS CA, until ")
    assert ("CA bundle", f"{bundle} (verify)") in verdicts["tls"].details


def test_the_verdicts_come_one_by_one(emulator: Emulator) -> None:
    arguments = {"cert": APP.bundle_pem, "key": APP.private_key_pem}
    arguments |= {"anchor": emulator.trust_anchor_arn, "profile": emulator.profile_arn}
    arguments |= {"role": emulator.role_arn, "endpoint_url": emulator.endpoint_url}
    for verdict in examine(arguments):
        if verdict.name == "clock":
            assert emulator.created == 0
        if verdict.name == "create-session":
            assert emulator.created == 1


def test_offline_sends_nothing(emulator: Emulator) -> None:
    arguments = {"cert": APP.bundle_pem, "key": APP.private_key_pem}
    arguments |= {"anchor": emulator.trust_anchor_arn, "profile": emulator.profile_arn}
    arguments |= {"role": emulator.role_arn, "endpoint_url": emulator.endpoint_url}
    names = [one.name for one in examine(arguments, offline=True)]
    assert names[-1] == "crl"
    assert emulator.requests == []


def test_a_dead_port(emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    verdicts = examined(emulator, url=f"https://127.0.0.1:{port}")
    assert statuses(verdicts) == failed_at("connection")
    assert verdicts["connection"].text == (
        f"127.0.0.1 port {port} does not accept connections (Connection refused)"
    )


def test_a_name_that_does_not_exist(emulator: Emulator) -> None:
    verdicts = examined(emulator, url="https://nowhere.invalid")
    assert statuses(verdicts) == failed_at("name-resolution")
    assert "nowhere.invalid cannot be resolved" in verdicts["name-resolution"].text


def test_a_clock_that_is_off_by_much(emulator: Emulator) -> None:
    emulator.clock_offset = timedelta(minutes=12)
    verdicts = examined(emulator)

    assert verdicts["clock"].status == "fail"
    assert "behind the service's, which is more than the 5 minutes" in verdicts["clock"].text
    # The library's call is signed by the service's time; others are not.
    assert verdicts["create-session"].status == "ok"


def test_a_clock_that_is_off_by_little(emulator: Emulator) -> None:
    emulator.clock_offset = timedelta(seconds=-90)
    verdicts = examined(emulator)
    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "clock": "warn"}
    assert "ahead of the service's" in verdicts["clock"].text


def test_an_answer_without_a_time(emulator: Emulator) -> None:
    emulator.inject(faults.HtmlBody(502))
    verdicts = examined(emulator)
    # The page of whatever stands in between may say its time or not; the session is made then.
    assert verdicts["clock"].status in {"ok", "warn"}
    assert verdicts["create-session"].status == "ok"


def test_an_endpoint_that_answers_nothing(emulator: Emulator) -> None:
    emulator.inject(faults.Reset())
    verdicts = examined(emulator)
    assert verdicts["clock"].status == "fail"
    assert "the endpoint does not answer" in verdicts["clock"].text
    assert verdicts["create-session"].status == "skip"
