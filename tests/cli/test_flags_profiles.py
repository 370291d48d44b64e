"""Flags, environment and profile: which counts, and profiles that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from flag_parsing import ANCHOR, PLAIN, PROFILE, ROLE, config, parsed, refusal

from boto_rolesanywhere.cli.inputs import issuer_from
from boto_rolesanywhere.errors import ConfigurationError


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    path.write_text(
        "[default]\nregion = us-east-1\n"
        "[profile onprem]\n"
        "rolesanywhere_certificate = file.pem\n"
        f"rolesanywhere_trust_anchor_arn = {ANCHOR}-file\n"
        f"rolesanywhere_profile_arn = {PROFILE}-file\n"
        f"rolesanywhere_role_arn = {ROLE}-file\n"
        '[profile "with blank"]\nrolesanywhere_certificate = blank.pem\n'
    )
    return path


def test_flags_beat_the_environment_which_beats_the_profile(config_file: Path) -> None:
    environ = {
        "AWS_CONFIG_FILE": str(config_file),
        "AWS_ROLESANYWHERE_ROLE_ARN": f"{ROLE}-env",
        "AWS_ROLESANYWHERE_PROFILE_ARN": f"{PROFILE}-env",
    }
    found = config("--config-profile", "onprem", "--role-arn", ROLE, environ=environ)

    assert (str(found.role), str(found.profile)) == (ROLE, f"{PROFILE}-env")
    assert str(found.trust_anchor) == f"{ANCHOR}-file"
    assert found.sources.certificate == "file.pem"


def test_a_profile_counts_only_when_it_is_named(config_file: Path) -> None:
    environ = {"AWS_CONFIG_FILE": str(config_file), "AWS_PROFILE": "onprem"}

    message = refusal(environ=environ)
    assert "no arguments were given" in message
    assert "AWS_PROFILE does not count here: --config-profile does." in message
    assert "backslash" not in message


def test_a_profile_without_keys_of_ours_is_named(config_file: Path) -> None:
    config_file.write_text("[profile plain]\nregion = eu-west-1\n")
    message = refusal("--config-profile", "plain", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert "--config-profile: the profile 'plain' has no rolesanywhere_… settings" in message
    assert "configure --profile" in message


def test_a_profile_that_is_not_there_is_named_with_those_that_are(config_file: Path) -> None:
    message = refusal("--config-profile", "onprm", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert "--config-profile: there is no profile 'onprm'" in message
    assert "onprem, with blank" in message


def test_a_config_file_that_cannot_be_read_is_said(config_file: Path) -> None:
    config_file.write_text("no header\n")

    message = refusal("--config-profile", "onprem", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert message.startswith(f"{config_file}, line 1: it cannot be read as an INI file")


def test_a_variable_that_names_no_profile_is_said(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")

    with pytest.raises(ConfigurationError, match="AWS_PROFILE: there is no profile 'gone'"):
        issuer_from(parsed(*PLAIN))
