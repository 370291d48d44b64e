"""Several accounts, and roles of another: setup in each, and the page on it."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest
from aws_account import REGION, Account
from commands import ended, parsed
from pages import Reader, blocks
from setup_commands import INIT

from boto_rolesanywhere.session import get_session
from boto_rolesanywhere.testing import Emulator

pytestmark = pytest.mark.usefixtures("account")


def test_several_accounts(typist: Reader, account: Account, moto_url: str) -> None:
    """Each account's IAM is moto's own; all of them share the emulator's control plane."""
    ca = account.emulator.ca
    assert ca is not None
    (typist.folder / "ca.pem").write_bytes(ca.certificate_pem)
    first, second = blocks("accounts.md", "accounts")
    typist.type(first)

    config = parsed(typist.folder / ".aws" / "config")
    for number in ("111111111111", "222222222222"):
        role = f"arn:aws:iam::{number}:role/app1"
        assert config[f"profile app1-{number}"]["rolesanywhere_role_arn"] == role
        assert "app1" in roles_of(account, number)
    assert "app1" not in account.roles()

    typist.type(second)
    assert "app1" in roles_of(account, "111111111111")
    assert "app1" not in roles_of(account, "222222222222")


@pytest.mark.usefixtures("account")
def test_one_alias_names_the_trust_anchor_of_each_account(
    workshop: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here each account has a control plane of its own, as at AWS."""
    ended(*INIT)
    ended("ca", "issue", "app1")
    for number in ("111111111111", "222222222222"):
        with Emulator(region=REGION, account=number) as plane:
            monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", plane.endpoint_url)
            administrator = f"arn:aws:iam::{number}:role/Administrator"
            options = ("--anchor", "example-ca", "--account-role", administrator)
            ended("setup", "--role", "app1", "--profile", f"app1-{number}", *options)
            section = parsed(clean_environment / ".aws" / "config")[f"profile app1-{number}"]

            session = get_session(
                workshop / "app1.pem",
                workshop / "app1.key",
                f"arn:aws:rolesanywhere:{REGION}:{number}:alias/trust-anchor/example-ca",
                section["rolesanywhere_profile_arn"],
                section["rolesanywhere_role_arn"],
            )
            credentials = session.get_credentials()
            assert credentials is not None
            assert credentials.get_frozen_credentials().account_id == number
            assert plane.created == 1


def roles_of(account: Account, number: str) -> list[str]:
    role = f"arn:aws:iam::{number}:role/Administrator"
    answer = account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    keys = answer["Credentials"]
    iam = boto3.client(
        "iam",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=REGION,
    )
    return [one["RoleName"] for one in iam.list_roles()["Roles"]]


def test_a_chain_of_roles(
    account: Account,
    workshop: Path,
    clean_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The far role's profile of the page, on top of the profile that setup has written."""
    page = Path(__file__).parents[2] / "docs" / "accounts.md"
    far = re.search(
        r"\[profile app1-other\]\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert far is not None
    ended(*INIT)
    ended("setup", "--role", "app1", "--profile", "app1")
    ended("ca", "issue", "app1", "--profile", "app1")
    with (clean_environment / ".aws" / "config").open("a") as config:
        config.write(f"\n{far[0].removesuffix('```')}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    session = boto3.Session(profile_name="app1-other", region_name=REGION)
    caller = session.client("sts").get_caller_identity()

    assert caller["Account"] == "222222222222"
    assert ":assumed-role/app1-data/" in caller["Arn"]
    assert account.emulator.created == 1
