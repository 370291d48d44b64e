"""Several roles behind one endpoint of ``serve``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from serving import (
    CREDENTIALS,
    refused,
    serving,
)

from boto_rolesanywhere.testing import Emulator, IssuedPaths, Role


@pytest.fixture
def two_roles(
    emulator: Emulator, flags: list[str], clean_environment: Path, paths: IssuedPaths
) -> list[str]:
    """Two profiles of the AWS config file, and the flags that serve both."""
    writer = Role(arn=f"{emulator.role_arn}Writer", max_session_duration=3600)
    emulator.add(writer)
    emulator.add(replace(emulator.profile, role_arns=(emulator.role_arn, writer.arn)))
    config = "".join(
        f"[profile {name}]\n"
        f"rolesanywhere_certificate = {paths.certificate}\n"
        f"rolesanywhere_private_key = {paths.private_key}\n"
        f"rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}\n"
        f"rolesanywhere_profile_arn = {emulator.profile_arn}\n"
        f"rolesanywhere_role_arn = {arn}\n"
        for name, arn in (("reader", emulator.role_arn), ("prod-writer", writer.arn))
    )
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "config").write_text(config)
    endpoint = ["--endpoint", emulator.endpoint_url]
    return ["--role", "reader", "--role", "writer=prod-writer", *endpoint]


def test_of_several_roles_the_one_that_is_refused_is_named(
    emulator: Emulator, two_roles: list[str]
) -> None:
    emulator.remove(f"{emulator.role_arn}Writer")

    status, err = refused([*two_roles, "--port", "0"])

    assert status == 1
    assert err.startswith("boto-rolesanywhere: serve: the role writer: CreateSession was refused")
    assert err.count("\n") == 1


def test_several_roles_each_have_their_path_and_token(
    emulator: Emulator, two_roles: list[str], tmp_path: Path
) -> None:
    with serving(two_roles, tmp_path) as running:
        reader, writer = running.by_container("reader"), running.by_container("writer")
        tokens = tmp_path / "boto-rolesanywhere"
        crossed = running.ask(
            "/credentials/writer", {"Authorization": (tokens / "reader.token").read_text()}
        )
        name = running.by_imds(f"{CREDENTIALS}/").body
        by_imds = running.by_imds(f"{CREDENTIALS}/reader").json
        other_by_imds = running.by_imds(f"{CREDENTIALS}/writer")

    assert reader.json["RoleArn"] == emulator.role_arn
    assert writer.json["RoleArn"] == f"{emulator.role_arn}Writer"
    assert reader.json["AccessKeyId"] != writer.json["AccessKeyId"]
    assert crossed.status == 401
    assert (name, by_imds["AccessKeyId"]) == ("reader", reader.json["AccessKeyId"])
    assert other_by_imds.status == 404
    assert emulator.created == 2


def test_one_role_that_fails_keeps_all_from_starting(
    emulator: Emulator, two_roles: list[str], tmp_path: Path
) -> None:
    emulator.remove(f"{emulator.role_arn}Writer")
    status, err = refused([*two_roles, "--port", "0"], XDG_RUNTIME_DIR=str(tmp_path))

    assert status == 1
    assert "CreateSession was refused" in err
