"""The provider in botocore's own chain: unchanged code uses it where a profile asks for it."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.exceptions import ProfileNotFound
from emulated_profile import profile_lines
from sessions import set_variables

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.provider import RolesAnywhereProvider
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.fixture
def config(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    file = tmp_path / "config"
    file.write_text(
        f"""
[profile onprem]
{profile_lines(paths, emulator)}
[profile chained]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/Next
source_profile = onprem

[profile twice]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/AfterNext
source_profile = chained

[profile static]
aws_access_key_id = AKIASTATIC
aws_secret_access_key = static

[profile partial]
rolesanywhere_role_arn = {emulator.role_arn}

[profile broken]
rolesanywhere_certificate = {tmp_path / "gone.pem"}
rolesanywhere_private_key = {paths.private_key}
rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}
rolesanywhere_profile_arn = {emulator.profile_arn}
rolesanywhere_role_arn = {emulator.role_arn}
"""
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    return file


def installed(profile: str | None) -> botocore.session.Session:
    session = botocore.session.Session(profile=profile)
    boto_rolesanywhere.install(session)
    return session


def test_a_misspelt_key_is_warned_of(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    titled = "[profile onprem]\n"
    text = config.read_text().replace(titled, f"{titled}rolesanywhere_duration = 900\n")
    config.write_text(text)

    assert RolesAnywhereProvider(profile_name="onprem").load()

    (said,) = caplog.messages
    assert said.startswith("rolesanywhere_duration of profile onprem is not a setting")
    assert said.endswith("did you mean rolesanywhere_duration_seconds?")


def test_a_profile_that_does_not_exist_is_botocores_error() -> None:
    with pytest.raises(ProfileNotFound, match="onprm"):
        RolesAnywhereProvider(boto3.Session(), profile_name="onprm").load()


def test_a_profile_of_ours_is_used(config: Path, emulator: Emulator) -> None:
    credentials = installed("onprem").get_credentials()

    assert isinstance(credentials, SessionCredentials)
    assert credentials.method == "custom-rolesanywhere"
    assert credentials.access_key == emulator.requests[0].access_key_id


def test_another_profile_falls_through_to_the_chain(config: Path, emulator: Emulator) -> None:
    credentials = installed("static").get_credentials()

    assert credentials is not None
    assert credentials.access_key == "AKIASTATIC"
    assert emulator.requests == []


def test_without_any_configuration_the_chain_ends_as_before(clean_environment: Path) -> None:
    assert installed(None).get_credentials() is None


def test_load_gives_none_when_nothing_of_ours_is_configured(config: Path) -> None:
    session = botocore.session.Session(profile="static")

    assert boto_rolesanywhere.RolesAnywhereProvider(session).load() is None


def test_what_is_configured_and_wrong_is_raised_and_not_passed_over(config: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"profile 'partial'\): not set: certificate"):
        installed("partial").get_credentials()
    with pytest.raises(CertificateError, match=r"gone\.pem"):
        installed("broken").get_credentials()


def test_access_keys_in_the_environment_come_first_as_ever(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "onprem")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env")

    credentials = installed(None).get_credentials()

    assert credentials is not None
    assert credentials.access_key == "AKIAENV"


def test_boto3s_default_session_needs_no_change_in_the_program(
    config: Path, emulator: Emulator, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "onprem")

    boto_rolesanywhere.install()
    boto_rolesanywhere.install()  # a second call changes nothing
    identity = boto3.client("sts", endpoint_url=moto_url).get_caller_identity()

    assert identity["Account"] == "123456789012"
    assert emulator.created == 1


def test_a_boto3_session_can_be_given(config: Path, emulator: Emulator) -> None:
    session = boto3.Session(profile_name="onprem")

    boto_rolesanywhere.install(session)

    held = session.get_credentials()
    assert isinstance(held, SessionCredentials)
    assert held.session.role_arn == emulator.role_arn


@pytest.mark.parametrize("profile", ["chained", "twice"])
def test_a_role_can_be_assumed_from_a_profile_of_ours(
    config: Path,
    emulator: Emulator,
    moto_url: str,
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    # A source profile is read from the file alone; this would break it.
    monkeypatch.setenv("AWS_ROLESANYWHERE_ROLE_ARN", "not an ARN")

    credentials = installed(profile).get_credentials()

    assert credentials is not None
    assert credentials.method == "assume-role"
    assert credentials.access_key != emulator.requests[0].access_key_id
    assert emulator.created == 1


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("rolesanywhere_private_key_passphrase_env = LOCKED_PASSPHRASE", "LOCKED_PASSPHRASE"),
        ("", "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE"),
    ],
)
def test_the_passphrase_of_a_source_profile_comes_from_the_environment(
    config: Path,
    ca: CertificateAuthority,
    moto_url: str,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    variable: str,
) -> None:
    encrypted = ca.issue("locked").write(config.parent / "locked", passphrase="correct horse")
    text = config.read_text().replace("[profile chained]", "{}\n[profile chained]", 1)
    keys = {"certificate": encrypted.certificate, "private_key": encrypted.private_key}
    for name, path in keys.items():
        text = re.sub(
            rf"rolesanywhere_{name} = .*", f"rolesanywhere_{name} = {path}", text, count=1
        )
    config.write_text(text.replace("{}", key))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    monkeypatch.setenv(variable, "correct horse")

    credentials = installed("chained").get_credentials()

    assert credentials is not None
    assert credentials.access_key


def test_the_environment_alone_configures_the_provider(
    config: Path, emulator: Emulator, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, paths, emulator)

    credentials = installed(None).get_credentials()

    assert isinstance(credentials, SessionCredentials)
    assert credentials.session.role_arn == emulator.role_arn
