"""botocore's own clients sign by the corrected time, on each release that is supported."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

import boto_rolesanywhere
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.signing_time import correct_signing
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

ADMINISTRATOR = {"AKIDEXAMPLE": "a secret for the tests"}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("off", [-24 * HOUR, -2 * HOUR, 2 * HOUR, 24 * HOUR], ids=str)
def test_a_service_that_checks_the_time_takes_the_signature(
    ca: CertificateAuthority, off: timedelta
) -> None:
    clock = CorrectedClock()
    with Emulator(ca, administrators=ADMINISTRATOR) as emulator:
        emulator.clock_offset = off
        session = botocore.session.Session()
        correct_signing(session, lambda: clock)
        client = session.create_client(
            "rolesanywhere",
            region_name="eu-west-1",
            endpoint_url=emulator.endpoint_url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key=ADMINISTRATOR["AKIDEXAMPLE"],
        )
        with pytest.raises(ClientError, match="InvalidSignature"):
            client.list_trust_anchors()

        clock.offset = off

        assert client.list_trust_anchors()["trustAnchors"]


def session_for(ca: CertificateAuthority, emulator: Emulator, **options: object) -> boto3.Session:
    now = datetime.now(timezone.utc)
    issued = ca.issue("app", not_before=now - 72 * HOUR, not_after=now + 72 * HOUR)
    return boto_rolesanywhere.get_session(
        issued.certificate_pem,
        issued.private_key_pem,
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
        **options,  # type: ignore[arg-type]  # any
    )


def time_of(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)


def signed_at(session: boto3.Session) -> datetime:
    """The time for which a client of the session signs its first call."""
    client, stamps = session.client("sqs", region_name="eu-west-1"), []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        stamp = request.headers["X-Amz-Date"]
        stamps.append(stamp.decode() if isinstance(stamp, bytes) else stamp)
        return AWSResponse(request.url, 200, {}, _Nothing())

    client.meta.events.register("before-send", answer)
    client.list_queues()
    return time_of(stamps[0])


class _Nothing:
    def stream(self) -> list[bytes]:
        return [b"{}"]


@pytest.mark.parametrize("cache", [False, True], ids=["no cache", "cache"])
@pytest.mark.parametrize("off", [2 * HOUR, 24 * HOUR], ids=str)
def test_the_clients_of_a_session_are_right_from_their_first_call(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path, off: timedelta, cache: bool
) -> None:
    emulator.clock_offset = off
    folder = tmp_path / "cache" if cache else False
    if cache:  # another process made the session, so that none is made here that tells the time
        session_for(ca, emulator, cache=folder).get_credentials().get_frozen_credentials()

    session = session_for(ca, emulator, cache=folder, clock_correction=True)

    theirs = datetime.now(timezone.utc) + off
    assert abs(signed_at(session) - theirs) < timedelta(minutes=1)
    url = session.client("s3", region_name="eu-west-1").generate_presigned_url(
        "get_object", Params={"Bucket": "b", "Key": "k"}
    )
    stamp = parse_qs(urlsplit(url).query).get("X-Amz-Date")
    if stamp:  # an old botocore presigns with SigV2, whose time is an end
        assert abs(time_of(stamp[0]) - theirs) < timedelta(minutes=1)


def test_without_the_option_they_sign_by_the_machines_clock(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    emulator.clock_offset = 2 * HOUR

    stamp = signed_at(session_for(ca, emulator))

    assert abs(stamp - datetime.now(timezone.utc)) < timedelta(minutes=1)


def test_a_clock_that_is_right_changes_nothing(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    stamp = signed_at(session_for(ca, emulator, clock_correction=True))

    assert abs(stamp - datetime.now(timezone.utc)) < timedelta(minutes=1)
