"""From nothing to credentials and back, by commands: emulator, moto, and the pages on it."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from aws_account import REGION, VARIABLES, Account
from commands import ended, parsed
from pages import Reader, blocks
from setup_commands import INIT, ISSUE, SETUP_APP1

pytestmark = pytest.mark.usefixtures("account")


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
