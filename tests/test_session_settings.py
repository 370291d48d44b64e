"""What a session finds in the environment and in profiles, and what it says where it finds none."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound
from commands import ended
from session_calls import call, credentials
from sessions import set_variables

import boto_rolesanywhere
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import Emulator, IssuedCertificate


def test_everything_may_come_from_the_environment(
    emulator: Emulator,
    issued: IssuedCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = issued.write(tmp_path)
    set_variables(monkeypatch, paths, emulator)

    assert credentials(boto_rolesanywhere.get_session()).session


def write_profile(
    folder: Path, emulator: Emulator, issued: IssuedCertificate, name: str = "profile onprem"
) -> Path:
    paths = issued.write(folder)
    config = folder / "config"
    config.write_text(
        f"""[{name}]
region = eu-north-1
rolesanywhere_certificate = {paths.certificate}
rolesanywhere_private_key = {paths.private_key}
rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}
rolesanywhere_profile_arn = {emulator.profile_arn}
rolesanywhere_role_arn = {emulator.role_arn}
rolesanywhere_endpoint_url = {emulator.endpoint_url}
"""
    )
    return config


def test_everything_may_come_from_a_profile(
    emulator: Emulator,
    issued: IssuedCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(write_profile(tmp_path, emulator, issued)))

    named = boto_rolesanywhere.get_session(profile_name="onprem")
    assert credentials(named).session
    assert named.region_name == "eu-north-1"
    assert named.profile_name == "onprem"

    monkeypatch.setenv("AWS_PROFILE", "onprem")
    assert credentials(boto_rolesanywhere.get_session()).session
    assert emulator.created == 2


def test_the_default_place_of_the_config_file(
    emulator: Emulator, issued: IssuedCertificate, clean_environment: Path
) -> None:
    folder = clean_environment / ".aws"
    folder.mkdir()
    write_profile(folder, emulator, issued, name="default")

    assert credentials(boto_rolesanywhere.get_session()).session


def test_a_profile_that_does_not_exist_is_botocores_error(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    with pytest.raises(ProfileNotFound, match="nowhere"):
        call(emulator, issued, profile_name="nowhere")


def test_nothing_configured_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "work")

    with pytest.raises(ConfigurationError, match="nothing is configured for IAM") as caught:
        boto_rolesanywhere.get_session()

    assert caught.value.where == "arguments, environment and profile 'work'"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("region = eu-west-1\n  rolesanywhere_role_arn = x", "The lines below region begin with"),
        ("s3 =\n  a = b\n  rolesanywhere_role_arn = x", "The lines below s3 begin with blanks"),
        ("rolesanywhere-role-arn = x", "rolesanywhere-role-arn is not a setting"),
        ("region = eu-west-1", None),
    ],
)
def test_lines_that_only_look_like_settings_are_told(
    lines: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(f"[profile onprem]\n{lines}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError, match="nothing is configured") as raised:
        boto_rolesanywhere.get_session(profile_name="onprem")

    told = [str(raised.value.remedy), ended("env", "--config-profile", "onprem", status=2).stderr]
    told.append(str(list(examine(profile_name="onprem", offline=True))))
    assert all((words or "begin with blanks") in text for text in told) == (words is not None)


def test_a_profile_with_a_line_alone_is_told_how_it_gets_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "credential_process = aws_signing_helper credential-process --certificate c.pem"
    (tmp_path / "config").write_text(f"[profile onprem]\n{line}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError, match="nothing is configured") as raised:
        boto_rolesanywhere.get_session(profile_name="onprem")

    told = ended("env", "--config-profile", "onprem", status=2).stderr
    for text in (str(raised.value.remedy), told):
        assert "`boto-rolesanywhere configure --from-profile onprem` makes settings" in text
