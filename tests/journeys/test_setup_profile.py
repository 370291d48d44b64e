"""`setup --profile`: which lines it writes into a config file, and what happens where it cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_account import Account
from commands import ended
from setup_commands import INIT, ISSUE, SETUP_APP1

pytestmark = pytest.mark.usefixtures("account")


def test_a_profile_is_changed_where_it_must_be(workshop: Path, clean_environment: Path) -> None:
    (clean_environment / ".aws").mkdir()
    config = clean_environment / ".aws" / "config"
    config.write_text(
        "# mine\n[profile onprem]\nregion = us-west-2\ncredential_process = old\noutput = json\n"
    )
    config.with_name("credentials").write_text("[onprem]\naws_access_key_id = AKIAOLD\n")
    ended(*INIT)
    done = ended(*SETUP_APP1)
    once = config.read_bytes()
    ended(*SETUP_APP1)

    assert config.read_bytes() == once
    assert "credential_process was old" in done.stdout
    assert "aws_access_key_id of [onprem] in ~/.aws/credentials comes first" in done.stderr
    assert once.startswith(b"# mine\n[profile onprem]\nregion = us-west-2\ncredential_process = ")
    assert b"output = json\nrolesanywhere_trust_anchor_arn = arn:" in once


def test_a_profile_that_cannot_be_written_is_not_lost(
    workshop: Path, clean_environment: Path
) -> None:
    ended(*INIT)
    (clean_environment / ".aws").write_text("in the way")
    config = str(clean_environment / ".aws" / "config")

    done = ended(*SETUP_APP1, status=1, AWS_CONFIG_FILE=config)
    as_json = ended(*SETUP_APP1, "--json", status=1, AWS_CONFIG_FILE=config)

    assert f"{clean_environment / '.aws'}: it cannot be written" in done.stderr
    assert "\n[profile onprem]\nregion = eu-west-1\n" in done.stdout
    document = json.loads(as_json.stdout)
    assert (document["complete"], document["error"]) == (False, "file-unwritable")
    assert document["profile"]["lines"]["rolesanywhere_role_arn"].endswith("role/app1")


@pytest.mark.parametrize("command", [SETUP_APP1, ISSUE])
def test_nothing_is_made_for_a_config_file_that_is_broken(
    account: Account, workshop: Path, clean_environment: Path, command: tuple[str, ...]
) -> None:
    ended(*INIT)
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "config").write_text("[profile\n")

    assert "config-file-unparseable" in ended(*command, status=1).stderr
    assert account.writes() == []
    assert json.loads(ended("ca", "list", "--json").stdout) == []


def test_the_profile_can_be_printed(workshop: Path, clean_environment: Path) -> None:
    ended(*INIT)
    printed = ended(*SETUP_APP1, "--print-profile").stdout

    assert not (clean_environment / ".aws").exists()
    assert "\n[profile onprem]\nregion = eu-west-1\nrolesanywhere_trust_anchor_arn = " in printed
    assert re.search("credential_process = .*credential-process --config-profile onprem\n", printed)
