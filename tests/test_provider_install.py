"""`install` warns once if botocore takes other credentials before our settings."""

from __future__ import annotations

from pathlib import Path

import boto3
import botocore.session
import pytest

import boto_rolesanywhere

PROFILES = """
[profile onprem]
rolesanywhere_role_arn = arn:aws:iam::123456789012:role/app

[profile chained]
role_arn = arn:aws:iam::123456789012:role/Next
source_profile = onprem

[profile both]
role_arn = arn:aws:iam::123456789012:role/Next
credential_source = Environment
rolesanywhere_role_arn = arn:aws:iam::123456789012:role/app

[profile static]
aws_access_key_id = AKIASTATIC
aws_secret_access_key = static
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))


def set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "old")


@pytest.mark.parametrize("profile", ["onprem", "chained"])
def test_keys_of_the_environment_are_warned_of_once(
    profile: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", profile)
    set_keys(monkeypatch)
    session = boto3.Session()

    boto_rolesanywhere.install(session)
    boto_rolesanywhere.install(session)
    credentials = session.get_credentials()

    assert credentials is not None
    assert credentials.access_key == "AKIAOLD"
    (said,) = caplog.messages
    assert "botocore takes AWS_ACCESS_KEY_ID of the environment first" in said
    assert "AKIAOLD" not in said


def test_keys_that_come_after_install_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "onprem")
    session = boto3.Session()
    boto_rolesanywhere.install(session)
    assert caplog.messages == []

    set_keys(monkeypatch)
    session.get_credentials()

    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("session", "named"),
    [
        (lambda: botocore.session.Session(profile="both"), "role_arn of profile 'both'"),
        (
            lambda: boto3.Session("AKIAGIVEN", "secret", profile_name="onprem"),
            "the credentials that the session already has (explicit)",
        ),
    ],
)
def test_what_else_comes_first(
    session: object, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    boto_rolesanywhere.install(session())  # type: ignore[operator]
    (said,) = caplog.messages
    assert named in said


@pytest.mark.parametrize("profile", ["onprem", "chained", "static"])
def test_nothing_is_said_where_our_settings_count_or_there_are_none(
    profile: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_keys(monkeypatch)  # of no effect, since the program names the profile
    boto_rolesanywhere.install(botocore.session.Session(profile=profile))
    monkeypatch.setenv("AWS_PROFILE", "static")
    boto_rolesanywhere.install(botocore.session.Session())
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("static", "onprem", ["profile 'static' of AWS_DEFAULT_PROFILE first"]),
        ("onprem", "static", []),
        ("static", "static", []),
    ],
)
def test_the_variable_that_hides_the_profile_is_named(
    first: str,
    second: str,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", first)
    monkeypatch.setenv("AWS_PROFILE", second)

    boto_rolesanywhere.install(boto3.Session())
    boto_rolesanywhere.install(boto3.Session(profile_name="static"))

    assert len(caplog.messages) == len(said)
    assert all(words in text for words, text in zip(said, caplog.messages, strict=True))
