"""The environment of a command under ``exec``: keys, Region, and no other source or secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from exec_runs import OTHER_SOURCES, both_ways, environment, python
from serving import last_key

from boto_rolesanywhere.testing import Emulator


@both_ways
def test_the_commands_environment_has_no_other_source_and_no_passphrase(
    emulator: Emulator, flags: list[str], way: list[str], aws_files: Path
) -> None:
    secret = ["--pkcs8-password-env", "MY_PASSPHRASE"]
    other = {**OTHER_SOURCES, "MY_PASSPHRASE": "hush", "AWS_RETRY_MODE": "standard"}
    del other["AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE"]
    env = environment([*flags, *way, *secret], **other)

    assert env["KEPT"] == "kept"
    assert env["AWS_RETRY_MODE"] == "standard"
    ours = {
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        *("AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    }
    if not way:
        ours = {
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            *("AWS_CREDENTIAL_EXPIRATION", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCOUNT_ID"),
        }
    assert set(env) & (ours | set(other)) == ours | {"KEPT", "AWS_RETRY_MODE"}
    assert "other" not in {value for name, value in env.items() if name.startswith("AWS_")}
    assert "hush" not in env.values()


def test_a_pin_in_a_uri_is_not_passed_on(flags: list[str]) -> None:
    given = {
        "AWS_ROLESANYWHERE_PRIVATE_KEY": "pkcs11:token=t?pin-value=4711",
        "AWS_ROLESANYWHERE_CERTIFICATE": "pkcs11:token=t",
    }

    found = environment(flags, **given)

    assert found["AWS_ROLESANYWHERE_CERTIFICATE"] == "pkcs11:token=t"
    assert "4711" not in json.dumps(found)


def test_the_variable_that_the_environment_names_is_not_passed_on(flags: list[str]) -> None:
    named = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV": "LOCK", "LOCK": "hunter2"}

    assert "hunter2" not in json.dumps(environment(flags, **named))


def test_the_passphrase_in_the_usual_variable_is_not_passed_on(flags: list[str]) -> None:
    env = environment(flags, AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE="hush")

    assert "hush" not in env.values()


def test_the_variable_that_a_profile_names_is_not_passed_on(
    flags: list[str], aws_files: Path
) -> None:
    with (aws_files / "config").open("a") as config:
        config.write("rolesanywhere_private_key_passphrase_env = MY_PASSPHRASE\n")
    env = environment([*flags, "--config-profile", "other"], MY_PASSPHRASE="hush")

    assert "hush" not in env.values()


def test_keys_come_with_their_end(emulator: Emulator, flags: list[str]) -> None:
    env = environment(flags)

    assert env["AWS_ACCESS_KEY_ID"] == last_key(emulator)
    assert env["AWS_CREDENTIAL_EXPIRATION"].endswith("Z")
    assert env["AWS_ACCOUNT_ID"] == emulator.account


def test_the_config_file_is_hidden_only_if_its_default_profile_has_credentials(
    flags: list[str], aws_files: Path
) -> None:
    assert "AWS_CONFIG_FILE" not in environment([*flags, "--serve"])

    (aws_files / "config").write_text("[default]\ncredential_process = /bin/false\n")
    assert environment([*flags, "--serve"])["AWS_CONFIG_FILE"] == os.devnull
    assert "AWS_CONFIG_FILE" not in environment(flags)


@pytest.mark.parametrize(
    ("environ", "newer", "older"),
    [
        ({}, "eu-west-1", "eu-west-1"),
        ({"AWS_PROFILE": "other"}, "us-west-2", "us-west-2"),
        ({"AWS_REGION": "ap-south-1"}, "ap-south-1", "ap-south-1"),
        ({"AWS_DEFAULT_REGION": "ap-south-1"}, "ap-south-1", "ap-south-1"),
        # As without us: the SDKs that do not read AWS_REGION take the profile's.
        ({"AWS_REGION": "ap-south-1", "AWS_PROFILE": "other"}, "ap-south-1", "us-west-2"),
    ],
)
def test_a_region_is_given_where_there_is_none(
    flags: list[str], aws_files: Path, environ: dict[str, str], newer: str, older: str
) -> None:
    env = environment(flags, **environ)

    assert (env["AWS_REGION"], env["AWS_DEFAULT_REGION"]) == (newer, older)


def test_boto3_has_a_region(flags: list[str]) -> None:
    code = "import boto3; print(boto3.client('ec2').meta.region_name)"
    done = python(flags, code)

    assert (done.returncode, done.stdout) == (0, "eu-west-1\n"), done.stderr
