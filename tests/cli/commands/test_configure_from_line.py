"""configure --from-profile: a credential_process line of the helper becomes settings."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from commands import ended, parsed

import boto_rolesanywhere
from boto_rolesanywhere.testing import Emulator, IssuedPaths

HELPER = "aws_signing_helper credential-process"


@pytest.mark.parametrize("target", ["onprem", "other"])
def test_a_line_of_the_helper_becomes_settings(
    emulator: Emulator, flags: list[str], file: Path, target: str
) -> None:
    line = f"{HELPER} {' '.join(flags)} --session-duration 900 --debug"
    file.write_text(f"[profile onprem]\ncredential_process = {line}\n")
    more = [] if target == "onprem" else ["--profile", target]

    ended("configure", "--from-profile", "onprem", *more)

    sections = parsed(file)
    assert sections["profile onprem"]["credential_process"] == line
    assert sections[f"profile {target}"]["rolesanywhere_duration_seconds"] == "900"
    session = boto_rolesanywhere.get_session(profile_name=target)
    assert session.get_credentials().get_frozen_credentials().access_key
    assert emulator.created == 1


def test_what_a_line_does_around_the_program_is_no_setting(flags: list[str], file: Path) -> None:
    line = f"sudo -n A=1 {HELPER} {' '.join(flags)}"
    file.write_text(f"[profile onprem]\ncredential_process = {line}\n")

    told = ended("configure", "--from-profile", "onprem", "--profile", "other").stderr

    assert "A of credential_process has no part in what is written" in told
    assert "sudo of credential_process has no part in what is written" in told


@pytest.fixture
def choosing(paths: IssuedPaths, flags: list[str]) -> str:
    """A line of the helper's that chooses the certificate from a folder."""
    selector = (
        f"--cert-selector Key=x509Subject,Value=CN=app --cert-store {paths.certificate.parent}"
    )
    return f"{HELPER} {selector} --use-latest-expiring-certificate {' '.join(flags[4:])}"


def test_what_a_line_chooses_from_a_store_becomes_settings(
    emulator: Emulator, paths: IssuedPaths, choosing: str, file: Path
) -> None:
    file.write_text(f"[profile onprem]\ncredential_process = {choosing}\n")

    told = ended("configure", "--from-profile", "onprem", "--profile", "other").stderr

    assert f"the settings name {paths.certificate.parent}/client-" in told
    session = boto_rolesanywhere.get_session(profile_name="other")
    assert session.get_credentials().get_frozen_credentials().access_key
    assert emulator.created == 1


def test_a_line_that_chooses_from_a_store_stays_one_where_asked(choosing: str, file: Path) -> None:
    file.write_text(f"[profile onprem]\ncredential_process = {choosing}\n")

    ended("configure", "--from-profile", "onprem", "--profile", "other", "--credential-process")

    written = parsed(file)["profile other"]["credential_process"]
    assert "--cert-selector Key=x509Subject,Value=CN=app --cert-store /" in written.replace("'", "")
    assert "--use-latest-expiring-certificate" in written
    assert boto3.Session(profile_name="other").get_credentials().get_frozen_credentials().access_key


@pytest.mark.parametrize(
    ("line", "words", "status"),
    [
        ("vault credentials", "has no credential_process of this program", 2),
        (f"{HELPER} --pkcs8-password hunter2", "--pkcs8-password of credential_process", 1),
        (f"{HELPER} --cert-selector Key=x509Serial,Value=1F", "Name what to choose from", 2),
        (f"{HELPER} \\\n  --certificate x", "line 2: this line is continued", 1),
        ("aws_signing_helper serve", "it runs aws_signing_helper with serve", 2),
        (f"sh -c '{HELPER} | jq .'", "it runs sh, and only that shell can interpret the rest", 1),
    ],
)
def test_a_line_that_cannot_become_settings_is_refused(
    file: Path, line: str, words: str, status: int
) -> None:
    file.write_text(f"[profile onprem]\ncredential_process = {line}\n")
    before = file.read_bytes()

    told = ended("configure", "--from-profile", "onprem", status=status).stderr

    assert words in told
    assert "hunter2" not in told
    assert file.read_bytes() == before
