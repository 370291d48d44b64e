"""From nothing to credentials and back, by commands: emulator, moto, and the pages on it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import processes
import pytest
from aws_account import REGION, VARIABLES, Account, an_account
from commands import ended, parsed
from pages import Reader, blocks

from boto_rolesanywhere.account.tags import SETUP
from boto_rolesanywhere.session import get_session
from boto_rolesanywhere.testing import Emulator


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with an_account(moto_url, monkeypatch) as account:
        yield account


@pytest.fixture
def workshop(tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder, in which the commands run."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def buckets(profile: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``aws s3 ls --profile`` lists, with nothing but the profile."""
    with monkeypatch.context() as without:
        for name in VARIABLES:
            without.delenv(name)
        session = boto3.Session(profile_name=profile)
        listed = session.client("s3").list_buckets()["Buckets"]
        credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.method == "custom-process"
    return [one["Name"] for one in listed]


READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
INIT = ("ca", "init", "--name", "Example CA")
SETUP_APP1 = ("setup", "--role", "app1", "--profile", "onprem")
ISSUE = ("ca", "issue", "app1", "--profile", "onprem")


@pytest.mark.parametrize(
    "commands",
    [(INIT, SETUP_APP1, ISSUE), (INIT, ISSUE, SETUP_APP1), (INIT, SETUP_APP1, ISSUE, SETUP_APP1)],
)
def test_three_commands_in_any_order_lead_to_credentials(
    account: Account,
    workshop: Path,
    clean_environment: Path,
    commands: tuple[tuple[str, ...], ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account.client("s3").create_bucket(
        Bucket="reports", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    for command in commands:
        done = ended(*command)

    assert buckets("onprem", monkeypatch) == ["reports"]
    assert account.emulator.created == 1
    section = parsed(clean_environment / ".aws" / "config")["profile onprem"]
    assert section["rolesanywhere_certificate"] == str(workshop / "app1.pem")
    assert section["region"] == REGION
    assert len(section) == 7
    if commands[-1] == SETUP_APP1:
        assert "aws sts get-caller-identity --profile onprem" in done.stdout


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


def test_progress_and_result_have_their_streams(workshop: Path) -> None:
    ended(*INIT)
    plan = ended(*SETUP_APP1, "--plan")
    done = ended(*SETUP_APP1)
    again = ended(*SETUP_APP1)

    expected = [
        "account 123456789012, Region eu-west-1",
        "trust anchor example-ca: make it",
        "role app1: make it",
        "profile app1: make it",
    ]
    assert plan.stdout.splitlines() == expected
    assert done.stderr.splitlines() == expected
    assert again.stderr.splitlines()[1:] == [
        "trust anchor example-ca: as it should be",
        "role app1: as it should be",
        "profile app1: as it should be",
    ]
    assert again.stdout == done.stdout
    assert done.stdout.splitlines()[0].startswith("trust anchor: arn:")


def test_json_has_all_that_a_script_wants(account: Account, workshop: Path) -> None:
    ended(*INIT)
    plan = json.loads(ended(*SETUP_APP1, "--plan", "--json").stdout)
    assert account.writes() == []
    done = json.loads(ended(*SETUP_APP1, "--json").stdout)

    assert plan["plan"] is True
    assert plan["configFile"] is None
    assert [part["arn"] for part in plan["parts"]] == [None] * 3
    assert set(done) == {
        "region",
        "plan",
        "complete",
        "parts",
        "notes",
        "profile",
        "configFile",
    }
    assert done["complete"] is True
    assert [part["kind"] for part in done["parts"]] == ["trust anchor", "role", "profile"]
    for asked, made in zip(plan["parts"], done["parts"], strict=True):
        names = [change["operation"] for change in made["changes"]]
        assert names == [change["operation"] for change in asked["changes"]]
    assert done["profile"]["lines"]["rolesanywhere_role_arn"] == done["parts"][1]["arn"]
    removed = json.loads(ended("teardown", "--role", "app1", "--yes", "--json").stdout)
    assert [item["kind"] for item in removed["removals"]] == ["profile", "trust anchor", "role"]


def test_a_session_policy_is_set_and_limits_no_longer(account: Account, workshop: Path) -> None:
    limit = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*"}]}
    (workshop / "limit.json").write_text(json.dumps(limit))
    ended(*INIT)
    policies = []
    for options in (("--session-policy", "limit.json"), (), ("--no-session-policy",)):
        ended(*SETUP_APP1, *options)
        profiles = account.client("rolesanywhere").list_profiles()["profiles"]
        (profile,) = (each for each in profiles if each["name"] == "app1")
        policies.append(json.loads(profile["sessionPolicy"])["Statement"][0]["Effect"])

    assert policies == ["Deny", "Deny", "Allow"]


def test_half_way_it_says_what_there_is(account: Account, workshop: Path) -> None:
    ended(*INIT)
    missing = "arn:aws:iam::123456789012:policy/missing"
    failed = ended(*SETUP_APP1, "--policy-arn", missing, "--json", status=1)

    assert "So far there are: trust anchor arn:" in failed.stderr
    assert "role arn:aws:iam::123456789012:role/app1" in failed.stderr
    assert failed.stderr.splitlines()[-1].endswith("[administrator-call-refused]")
    answer = json.loads(failed.stdout)
    assert answer["complete"] is False
    assert answer["error"] == "administrator-call-refused"
    before = account.writes()
    ended(*SETUP_APP1)
    assert account.writes()[len(before) :] == ["POST /profiles"]


@pytest.mark.parametrize(
    ("options", "said", "status"),
    [
        (("--ca", "app1.pem"), "trust-anchor-unsuitable", 1),
        (("--ca", "missing.pem"), "file-missing", 1),
        (("--ca", "arn:aws:acm-pca:eu-west-1:123:certificate-authority/x"), "arn-invalid", 2),
        (("--san", "IP:10.0.0.1"), "trust-condition-unusable", 1),
        (("--any-subject", "--subject", "CN=x"), "flags-exclusive", 2),
        (
            (
                "--no-session-policy",
                "--session-policy-arn",
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
            ),
            "flags-exclusive",
            2,
        ),
        (("--policy", "app1.key"), "content-unrecognised", 1),
        (("--map", "x509Subject=OU"), "trust-condition-unusable", 1),
        (("--map", "x509SAN=DNS", "--trusted-identity", "uri"), "trust-condition-unusable", 1),
        (("--admin-profile", "onprem"), "flags-exclusive", 2),
        (
            ("--duration", "7200", "--max-session-duration", "3600"),
            "sessions of 2 hours exceed the role's 60 minutes",
            2,
        ),
        (
            ("--duration", "43200", "--max-session-duration", "43199"),
            "sessions of 43200 seconds exceed the role's 43199",
            2,
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_before(
    account: Account, workshop: Path, options: tuple[str, ...], said: str, status: int
) -> None:
    ended(*INIT)
    ended("ca", "issue", "app1")
    assert said in ended(*SETUP_APP1, *options, status=status).stderr
    assert account.writes() == []


def test_without_a_ca_it_says_how_to_make_one(account: Account, workshop: Path) -> None:
    for words in (SETUP_APP1, (*SETUP_APP1, "--ca", str(workshop))):
        told = ended(*words, status=1).stderr
        assert "there is no CA. `boto-rolesanywhere ca init` makes one" in told
    assert account.writes() == []


@pytest.mark.parametrize(
    "options",
    [
        ("--duration", "60"),
        ("--anchor", "1st"),
        ("--anchor", "aws/x"),
        ("--role-path", "apps"),
        ("--tag", "boto-rolesanywhere:setup=x"),
        ("--map", "subject=CN"),
        ("--notify-ca", "0"),
        ("--policy-arn", "ReadOnlyAccess"),
        ("--session-policy-arn", "arn:aws:iam::123:policy/x"),
        ("--permissions-boundary", "arn:aws:iam::123456789012:role/x"),
    ],
)
def test_values_that_cannot_be_are_wrong_usage(options: tuple[str, ...]) -> None:
    assert options[0] in ended(*SETUP_APP1, *options, status=2).stderr


def test_teardown_shows_and_needs_a_yes(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    made = account.everything()

    shown = ended("teardown", "--role", "app1", "--plan").stdout
    assert all(arn in shown for arn in made.keys() - before.keys() if arn.startswith("arn:"))
    assert "confirmation-missing" in ended("teardown", "--role", "app1", status=1).stderr
    assert account.everything() == made
    ended("teardown", "--role", "app1", "--yes")
    assert account.everything() == before
    assert "nothing-to-remove" in ended("teardown", "--role", "app1", "--yes", status=1).stderr


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_at_a_terminal_it_asks(account: Account, workshop: Path, answer: str, status: int) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    master, slave = os.openpty()
    os.write(master, answer.encode())
    with processes.Process(
        "teardown", "--role", "app1", stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        _, err = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)

    assert process.returncode == status
    assert b"Remove all of this? [y/N]" in err
    assert (account.everything() == before) == (status == 0)


def test_a_shared_trust_anchor_goes_with_the_last_role(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    ended("setup", "--role", "app2", "--print-profile")

    first = ended("teardown", "--role", "app1", "--yes").stdout
    assert "the trust anchor example-ca stays: app2 trust it" in first
    last = ended("teardown", "--role", "app2", "--yes").stdout
    assert "trust anchor example-ca: arn:" in last
    assert account.everything() == before


def test_a_shared_profile_goes_with_the_last_role(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    ended("setup", "--role", "app2", "--role-profile", "app1", "--print-profile")

    first = ended("teardown", "--role", "app1", "--yes").stdout
    assert ": take app1 out of it\n" in first
    assert "the profile app1 stays: it has the roles app2, too" in first
    profiles = account.client("rolesanywhere").list_profiles()["profiles"]
    assert ["arn:aws:iam::123456789012:role/app2"] in [each["roleArns"] for each in profiles]
    ended("teardown", "--role", "app2", "--yes")
    assert account.everything() == before


def test_lists_go_by_their_tag(account: Account, workshop: Path) -> None:
    ended(*INIT)
    ended(*SETUP_APP1, "--json")
    ended("ca", "issue", "app1")
    ended("ca", "revoke", "app1.pem")
    ended("ca", "crl")
    data = (Path.home() / ".boto-rolesanywhere" / "ca" / "ca-crl.pem").read_bytes()
    client = account.client("rolesanywhere")
    (anchor,) = (
        arn
        for arn, one in account.control_plane().items()
        if "trustAnchorId" in one and SETUP in one["tags"]
    )
    for name, tags in (("ours", [{"key": SETUP, "value": "example-ca"}]), ("theirs", [])):
        client.import_crl(name=name, crlData=data, trustAnchorArn=anchor, tags=tags)

    shown = ended("teardown", "--all", "--yes")

    assert "revocation list ours: arn:" in shown.stdout
    assert "stays: it has no tag of setup's" in shown.stdout
    assert "revocation list ours: remove it" in shown.stderr


def test_killed_processes_leave_nothing_unfound(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    chance = random.Random(7)
    killed = 0
    for _ in range(int(os.environ.get("SETUP_KILLS", "6"))):
        with processes.Process(*SETUP_APP1, stdout=-3, stderr=-3) as process:
            time.sleep(chance.uniform(0, 1.2))
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        if chance.random() < 0.3:
            processes.run("teardown", "--all", "--yes", stdout=-3, stderr=-3)
    assert killed

    ended(*SETUP_APP1)
    made = [one for one in account.control_plane().values() if SETUP in one["tags"]]
    assert len(made) == 2
    ended("teardown", "--role", "app1", "--yes")
    assert account.everything() == before


@pytest.fixture
def typist(reader: Reader, account: Account, moto_url: str) -> Reader:
    """Somebody who types what a page says, as the account's administrator."""
    return Reader(reader.folder, account.emulator, {**VARIABLES, "AWS_ENDPOINT_URL": moto_url})


def test_the_pages_are_right(
    typist: Reader, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account.everything()
    attached = account.policy("AmazonS3ReadOnlyAccess")
    for block in blocks("setup.md", "aws"):
        typist.type(block.replace("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", attached))
    roles = account.roles()
    assert roles["app1"]["AttachedManagedPolicies"][0]["PolicyArn"] == attached
    condition = roles["fleet"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {
        "aws:PrincipalTag/x509Subject/OU": "it",
        "aws:PrincipalTag/x509SAN/URI": "spiffe://example/fleet",
    }

    for block in blocks("teardown.md", "aws"):
        typist.type(block)
    assert account.everything() == before


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
