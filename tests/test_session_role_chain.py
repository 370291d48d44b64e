"""`get_session` and the commands follow ``source_profile`` and ``role_arn``, as `install` does."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from commands import ended
from emulated_profile import profile_lines
from one_answer import answering

import boto_rolesanywhere
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.errors import ConfigurationError, InvalidResponseError, SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

DENIAL = (
    b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    b"<Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"
)
NEXT = "arn:aws:iam::111122223333:role/Next"


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.fixture(autouse=True)
def config(
    emulator: Emulator,
    paths: IssuedPaths,
    tmp_path: Path,
    moto_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    file = tmp_path / "config"
    file.write_text(
        f"""
[profile onprem]
{profile_lines(paths, emulator)}
[profile chained]
role_arn = {NEXT}
source_profile = onprem
duration_seconds = 900

[profile twice]
region = eu-central-1
role_arn = arn:aws:iam::444455556666:role/AfterNext
role_session_name = second
source_profile = chained

[profile device]
role_arn = {NEXT}
source_profile = onprem
mfa_serial = arn:aws:iam::111122223333:mfa/me

[profile static]
aws_access_key_id = AKIASTATIC
aws_secret_access_key = static

[profile other]
role_arn = {NEXT}
source_profile = static

[profile ring]
role_arn = {NEXT}
source_profile = ring

[profile round]
role_arn = {NEXT}
source_profile = about

[profile about]
role_arn = {NEXT}
source_profile = round

[profile short]
role_arn = {NEXT}
source_profile = onprem
external_id = x

[profile lost]
role_arn = {NEXT}
source_profile = onpremm

[profile instance]
role_arn = {NEXT}
credential_source = Environment
"""
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    return file


@pytest.mark.parametrize(
    ("profile", "arn", "account"),
    [
        ("chained", "arn:aws:sts::111122223333:assumed-role/Next/", "111122223333"),
        ("twice", "arn:aws:sts::444455556666:assumed-role/AfterNext/second", "444455556666"),
    ],
)
def test_get_session_assumes_the_roles(
    emulator: Emulator, profile: str, arn: str, account: str
) -> None:
    session = boto_rolesanywhere.get_session(profile_name=profile)

    assert session.client("sts").get_caller_identity()["Arn"].startswith(arn)
    held = session.get_credentials()
    assert held.session.assumed_role_arn.startswith(arn)  # type: ignore[union-attr]
    assert held.account_id == account  # type: ignore[union-attr]
    assert emulator.created == 1


def test_the_next_role_is_asked_for_by_the_services_time(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.clock_offset = timedelta(hours=2)
    asked: list[Mapping[str, str]] = []

    with answering(403, {"content-type": "text/xml"}, DENIAL, asked) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(SessionDeniedError, match="AssumeRole"):
            boto_rolesanywhere.get_session(
                profile_name="chained"
            ).get_credentials().get_frozen_credentials()  # type: ignore[union-attr]

    stamp = datetime.strptime(asked[0]["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
    off = stamp - datetime.now(timezone.utc)
    assert abs(off - emulator.clock_offset) < timedelta(minutes=1)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_CA_BUNDLE"])
def test_an_empty_variable_does_not_count_for_sts(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")

    ended("env", "--config-profile", "chained")
    verdicts = {verdict.name: verdict for verdict in examine(profile_name="chained")}

    assert verdicts["assume-role"].status == verdicts["caller-identity"].status == "ok"


def test_the_source_is_read_from_the_file_alone_as_install_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_ROLE_ARN", "not an ARN")
    session = boto_rolesanywhere.get_session(profile_name="chained")
    assert session.get_credentials().account_id == "111122223333"  # type: ignore[union-attr]


def test_settings_given_directly_come_first(paths: IssuedPaths, emulator: Emulator) -> None:
    session = boto_rolesanywhere.get_session(
        str(paths.certificate),
        str(paths.private_key),
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
        profile_name="chained",
    )
    assert session.get_credentials().session.role_arn == emulator.role_arn  # type: ignore[union-attr]


def test_the_commands_assume_the_roles_and_share_the_session(emulator: Emulator) -> None:
    printed = ended("env", "--config-profile", "chained", "--format", "json").stdout
    assert json.loads(printed)["AWS_ACCOUNT_ID"] == "111122223333"
    first, second = (
        json.loads(ended("credential-process", "--config-profile", "twice").stdout)
        for _ in range(2)
    )
    assert first == second
    assert emulator.created == 2
    plain = json.loads(ended("credential-process", "--config-profile", "onprem").stdout)
    assert plain["AccessKeyId"] != first["AccessKeyId"]


def test_doctor_assumes_the_roles(emulator: Emulator) -> None:
    verdicts = list(examine(profile_name="twice"))

    assert [one.text for one in verdicts if one.status == "fail"] == []
    roles = [one.text for one in verdicts if one.name == "assume-role"]
    assert [text.split("/")[1] for text in roles] == ["Next", "AfterNext"]
    assert "AfterNext" in verdicts[-1].text
    needs = dict(verdicts[0].details)["for the AWS CLI"]
    assert "credential_process = boto-rolesanywhere credential-process" in needs


@pytest.mark.parametrize("trusted", [True, False])
def test_the_command_trusts_the_systems_store_for_sts_too(
    ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    server = ca.issue("sts", san=["DNS:localhost"]).write(tmp_path / "sts")
    (tmp_path / "ca.pem").write_bytes(ca.certificate_pem)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with answering(403, {"content-type": "text/xml"}, DENIAL, tls=server) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        told = [
            ended("env", "--config-profile", "chained", status=1).stderr,
            ended("doctor", "--config-profile", "chained", status=1).stdout,
            ended("doctor", "--config-profile", "onprem", status=1).stdout,
        ]

    assert ["chained-role-denied" in text for text in told] == [trusted, trusted, False]
    assert ("not authorized" in told[2]) is trusted
    assert any("verify failed" in text for text in told) is not trusted


@pytest.mark.parametrize(
    ("profile", "words", "status"),
    [
        ("other", ["of profile 'static', which has no rolesanywhere_", "The AWS CLI needs"], 2),
        ("ring", ["source_profile leads back to profile 'ring'"], 2),
        ("round", ["source_profile leads back to profile 'round'"], 2),
        ("lost", ["of profile 'onpremm', which does not exist"], 2),
        ("instance", ["not with the credentials of a source_profile"], 2),
        ("device", ["mfa_serial of profile 'device'"], 1),
    ],
)
def test_what_cannot_be_followed_is_named(profile: str, words: list[str], status: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        boto_rolesanywhere.get_session(profile_name=profile)
    for text in words:
        assert text in str(raised.value)
    done = ended("env", "--config-profile", profile, status=status)
    assert words[0] in done.stderr
    told = str(list(examine(profile_name=profile, offline=True)))
    assert words[0] in told
    assert "comes first" not in told


def test_what_botocore_refuses_of_a_role_is_no_fault_of_the_network() -> None:
    session = boto_rolesanywhere.get_session(profile_name="short")
    with pytest.raises(ConfigurationError, match="parameter ExternalId") as raised:
        session.get_credentials().get_frozen_credentials()  # type: ignore[union-attr]
    assert "the role of profile 'short': botocore cannot use" in str(raised.value)
    assert "external_id" in str(raised.value.remedy)
    assert "\n" not in str(raised.value)


def test_a_refusal_names_the_profile(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    session = boto_rolesanywhere.get_session(profile_name="chained")
    with answering(403, {}, DENIAL) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(SessionDeniedError, match="AssumeRole was refused") as raised:
            session.get_credentials().get_frozen_credentials()  # type: ignore[union-attr]
    assert raised.value.code == "chained-role-denied"
    assert "role_arn of profile 'chained'" in str(raised.value)


def test_a_foreign_answer_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    session = boto_rolesanywhere.get_session(profile_name="chained")
    with answering(400, {}, b"S3CRET") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(InvalidResponseError, match="answered as STS does not") as raised:
            session.get_credentials().get_frozen_credentials()  # type: ignore[union-attr]
    assert "S3CRET" not in str(raised.value)


def test_no_log_has_the_credentials(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        held = boto_rolesanywhere.get_session(profile_name="chained").get_credentials()
        frozen = held.get_frozen_credentials()  # type: ignore[union-attr]
    assert frozen.token not in caplog.text
    assert frozen.secret_key not in caplog.text
    assert "ASIA" in frozen.access_key
