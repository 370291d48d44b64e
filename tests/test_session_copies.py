"""Copies of a session, and what happens inside moto's decorators: as boto3's own, or said."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


@pytest.fixture
def session(ca: CertificateAuthority, emulator: Emulator, tmp_path: Path) -> boto3.Session:
    paths = ca.issue("app").write(tmp_path / "pki")
    return boto_rolesanywhere.get_session(
        str(paths.certificate),
        str(paths.private_key),
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
    )


def key_of(session: boto3.Session) -> str:
    credentials = session.get_credentials()
    assert credentials is not None
    return credentials.get_frozen_credentials().access_key


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_has_the_same_credentials(
    session: boto3.Session, emulator: Emulator, make: object
) -> None:
    copied = make(session)  # type: ignore[operator]

    assert key_of(copied) == key_of(session)
    assert copied.get_credentials() is session.get_credentials()
    assert copied.client("sts").meta.region_name == "eu-west-1"
    assert emulator.created == 1


def test_a_session_whose_chain_is_there_is_no_more_copied_than_boto3s_own() -> None:
    installed, plain = boto3.Session(), boto3.Session()
    boto_rolesanywhere.install(installed)
    plain.get_credentials()
    for original in (plain, installed):  # botocore's provider for EC2 holds an SSLContext
        with pytest.raises(TypeError, match="SSLContext"):
            copy.deepcopy(original)


def test_pickling_fails_as_boto3s_does_and_says_why(session: boto3.Session) -> None:
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(boto3.Session())
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(session)
    with pytest.raises(TypeError, match="ask for a session in the other process"):
        pickle.dumps(session.get_credentials())


def test_inside_moto_sessions_are_made_by_the_emulator_and_services_are_motos(
    session: boto3.Session, emulator: Emulator
) -> None:
    with mock_aws():
        assert key_of(session) == emulator.requests[0].access_key_id
        session.client("s3", region_name="us-east-1").create_bucket(Bucket="made-in-moto")
        assert [one["Name"] for one in session.client("s3").list_buckets()["Buckets"]] == [
            "made-in-moto"
        ]


def test_inside_moto_install_says_that_motos_key_comes_first(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_ROLE_ARN", "arn:aws:iam::123456789012:role/R")
    with mock_aws():
        inside = boto3.Session()
        boto_rolesanywhere.install(inside)
        assert key_of(inside)
    assert "botocore takes AWS_ACCESS_KEY_ID of the environment first" in caplog.text
