"""The main job: certificate, key and ARNs in, an ordinary boto3 session out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import boto3
import botocore.session
import pytest
from session_calls import call, credentials

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


def body(emulator: Emulator) -> dict[str, object]:
    content = json.loads(emulator.requests[-1].body)
    assert isinstance(content, dict)
    return content


def test_the_session_has_credentials_of_the_role(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    session = call(emulator, issued)
    assert emulator.requests == []  # nothing is asked for before it is needed

    frozen = credentials(session).get_frozen_credentials()

    assert frozen.access_key == emulator.requests[0].access_key_id
    assert frozen.account_id == emulator.account
    assert type(session) is boto3.Session
    assert emulator.created == 1


def test_what_the_service_said_is_at_hand(emulator: Emulator, issued: IssuedCertificate) -> None:
    given = credentials(call(emulator, issued)).session

    assert given.role_arn == emulator.role_arn
    arn = str(given.assumed_role_arn)
    assert arn.startswith(f"arn:aws:sts::{emulator.account}:assumed-role/RolesAnywhere/")
    assert arn.endswith(f"{issued.serial_number:x}")
    assert given.source_identity == "CN=app"
    assert given.subject_arn is not None
    assert ":subject/" in given.subject_arn
    assert given.packed_policy_size is not None
    assert given.lifetime == pytest.approx(3600, abs=1)


@pytest.mark.parametrize("key_type", ["RSA-2048", "P-256", "P-384", "P-521"])
def test_each_key_type_gets_a_session(
    ca: CertificateAuthority, emulator: Emulator, key_type: str
) -> None:
    session = call(emulator, ca.issue("typed", key_type=key_type))  # type: ignore[arg-type]  # a str

    assert credentials(session).session.access_key_id.startswith("ASIA")


def test_paths_and_intermediates(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    issued = ca.issue_intermediate("one").issue_intermediate("two").issue("deep")
    paths = issued.write(tmp_path)

    apart = call(
        emulator, issued, cert=str(paths.certificate), key=paths.private_key, chain=paths.chain
    )
    together = call(emulator, issued, cert=paths.bundle, key=str(paths.private_key))

    assert credentials(apart).session
    assert credentials(together).session
    chains = [record.headers["x-amz-x509-chain"].count(",") for record in emulator.requests]
    assert chains == [1, 1]


def test_a_ca_that_signs_with_another_hash_changes_nothing(emulator: Emulator) -> None:
    ca = CertificateAuthority(key_type="RSA-2048", digest="SHA-512")
    with Emulator(ca) as other:
        assert credentials(call(other, ca.issue("ec"))).session


def test_the_lifetime_is_told_by_the_services_clock(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.clock_offset = timedelta(minutes=4)

    assert abs(credentials(call(emulator, issued)).session.lifetime - 3600) < 10


def test_no_duration_is_sent_unless_given(emulator: Emulator, issued: IssuedCertificate) -> None:
    assert credentials(call(emulator, issued)).session
    assert set(body(emulator)) == {"trustAnchorArn", "profileArn", "roleArn"}

    assert credentials(call(emulator, issued, duration=900)).session.lifetime == pytest.approx(
        900, abs=1
    )
    assert body(emulator)["durationSeconds"] == 900


def test_a_session_name_is_sent_when_given(
    ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    with Emulator(ca, accept_role_session_name=True) as emulator:
        session = credentials(call(emulator, issued, session_name="web-1")).session

    assert str(session.assumed_role_arn).endswith("/web-1")


def test_the_region_is_the_anchors_unless_boto3_would_choose(
    emulator: Emulator, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(emulator, issued).region_name == "eu-west-1"

    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    session = call(emulator, issued)

    assert session.region_name == "ap-south-1"
    assert credentials(session).session  # the call itself goes to the trust anchor's Region
    assert "/eu-west-1/rolesanywhere/" in emulator.requests[-1].headers["authorization"]


def test_a_given_botocore_session_is_the_one_that_is_used(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = botocore.session.Session()
    given.set_credentials("AKIAOLD", "old")

    session = call(emulator, issued, botocore_session=given)

    assert credentials(session) is given.get_credentials()
    assert session._session is given
    # The model that CreateSession needs is kept from the session's own clients.
    operations = given.get_service_model("rolesanywhere").operation_names
    assert "CreateSession" not in operations


def test_a_given_session_of_boto3_is_what_comes_back_and_makes_clients(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = boto3.Session(region_name="eu-west-1")

    session = call(emulator, issued, botocore_session=given)

    assert session is given
    assert credentials(session).session
    assert given.client("s3").upload_file  # boto3 puts it there once in each botocore session
    assert given.resource("s3").meta


def test_credentials_renew_themselves(emulator: Emulator, issued: IssuedCertificate) -> None:
    create = credentials(call(emulator, issued, duration=900))._create
    seconds = iter(range(10_000))  # each look at the clock is a second later
    held = SessionCredentials(create, wall=lambda: 0.0, monotonic=lambda: float(next(seconds)))

    seen = [held.get_frozen_credentials().access_key for _ in range(2000)]

    assert emulator.created == len(set(seen)) == 3
