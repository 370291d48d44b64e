"""What ``setup --emit`` prints, put to use: by the AWS CLI, and as the policy of who runs setup.

The AWS side is the emulator's control plane, with moto for IAM and STS.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import boto3
import botocore
import pytest
from installed import AWS_CLI, require
from wanted_setups import CONFIG, FULL, PLAIN

import boto_rolesanywhere
from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.emit.administrator_policy import administrator_policy
from boto_rolesanywhere.account.emit.commands import commands
from boto_rolesanywhere.account.emit.in_code import Target
from boto_rolesanywhere.account.setup import Setup
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.account.wanted import Notification, Wanted
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
TARGET: Final = Target(config=CONFIG, region=REGION, account=ACCOUNT)
POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
}
Json = dict[str, Any]
Call = tuple[str, Json]


@pytest.fixture
def account(emulator: Emulator, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS account, and an administrator's credentials in the environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ENDPOINT_URL_ROLESANYWHERE": emulator.endpoint_url,
    }.items():
        monkeypatch.setenv(name, value)
    yield
    reset = urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")  # moto
    urllib.request.urlopen(reset).close()


@pytest.fixture
def wanted(ca: CertificateAuthority, account: None) -> Wanted:
    """All that can be said, with managed policies that this account has."""
    iam = boto3.client("iam")
    arns = tuple(
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
        for name in ("first", "second")
    )
    anchor = replace(FULL.anchor, bundle=ca.certificate_pem.decode(), crl_distribution_points=False)
    return Wanted(anchor, replace(FULL.role, policy_arns=arns), FULL.profile)


def set_up(wanted: Wanted, **options: bool) -> list[Call]:
    """Run setup, and note each call: its action and parameters."""
    administrator = Administrator(region=REGION)
    calls: list[Call] = []

    def note(params: Json, event_name: str, **_: object) -> None:
        calls.append((":".join(event_name.split(".")[1:]), dict(params)))

    administrator.session.register("before-parameter-build", note)
    Setup(administrator, wanted, **options).run()
    return calls


def allows(policy: Json, call: Call) -> bool:
    """Whether a statement allows the call, with its resource and conditions."""
    action, parameters = call
    return any(
        action in statement["Action"]
        and any(fnmatchcase(resource_of(call), one) for one in listed(statement["Resource"]))
        and parameters.get("PolicyArn") in attachable(statement, parameters)
        for statement in policy["Statement"]
    )


def listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def attachable(statement: Json, parameters: Json) -> list[str | None]:
    """Which policies the statement allows to attach or detach: without a condition all."""
    condition = statement.get("Condition", {}).get("ArnEquals", {})
    return condition.get("iam:PolicyARN") or [parameters.get("PolicyArn")]


def resource_of(call: Call) -> str:
    _, parameters = call
    prefix = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}"
    if "RoleName" in parameters:
        path = "/apps/" if parameters["RoleName"] == FULL.role.name else "/"
        return f"arn:aws:iam::{ACCOUNT}:role{path}{parameters['RoleName']}"
    for key, kind in (("trustAnchorId", "trust-anchor"), ("profileId", "profile")):
        if key in parameters:
            return f"{prefix}:{kind}/{parameters[key]}"
    return str(parameters.get("resourceArn", "*"))


def permitted(wanted: Wanted, *, detaches: bool) -> Json:
    found: Json = json.loads(administrator_policy(wanted, TARGET, detaches=detaches))
    return found


def test_the_policy_covers_each_call_and_nothing_else(wanted: Wanted) -> None:
    """A first run, one that changes all that can be changed, and one that detaches."""
    changed = Wanted(
        replace(
            wanted.anchor,
            name="Other name",
            notifications=(Notification("CA_CERTIFICATE_EXPIRY", 30),),
            tags={**wanted.anchor.tags, "team": "other"},
        ),
        replace(
            wanted.role,
            certificates=({"x509Subject/CN": "other"},),
            inline_policy=POLICY,
            max_session_duration=10800,
            tags={**wanted.role.tags, "team": "other"},
        ),
        replace(wanted.profile, duration=10800, mappings={"x509Subject": ("CN",)}),
    )
    fewer = replace(changed, role=replace(changed.role, policy_arns=changed.role.policy_arns[:1]))
    calls = [
        *set_up(wanted),
        *set_up(changed),
        *set_up(fewer, detach_others=True),
    ]
    asked = [call for call in calls if call[0] != "sts:GetCallerIdentity"]  # needs no permission

    policy = permitted(wanted, detaches=True)
    assert [call for call in asked if not allows(policy, call)] == []
    # What AWS asks for beside the call itself.
    dependent = {"iam:PassRole", "iam:CreateServiceLinkedRole"}
    granted = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert granted - {action for action, _ in asked} == dependent


def test_a_policy_without_an_action_would_be_found_out(account: None) -> None:
    calls = set_up(PLAIN)
    policy = permitted(PLAIN, detaches=False)
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != "FindAndMake"]

    assert {action for action, _ in calls if not allows(policy, (action, {}))} >= {
        "rolesanywhere:CreateProfile",
        "rolesanywhere:CreateTrustAnchor",
    }


def run_commands(script: str, folder: Path) -> str:
    """Run a script with the AWS CLI; its models are those of this botocore."""
    require(AWS_CLI.is_dir(), "the AWS CLI")
    models = Path(botocore.__file__).parent / "data"
    done = subprocess.run(
        ["sh", "-c", script],
        env={
            **os.environ,
            "HOME": str(folder),
            "PATH": f"{AWS_CLI / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "AWS_DATA_PATH": str(models),
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_cli_makes_what_setup_would_make(
    wanted: Wanted, ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    printed = run_commands(commands(wanted, TARGET), tmp_path)

    title, *lines = printed.partition("[profile onprem]\n")[1:]
    values = dict(line.split(" = ", 1) for line in lines[0].splitlines())
    assert title == "[profile onprem]\n"
    assert values.pop("rolesanywhere_certificate") == "/etc/pki/$app `1`.pem"
    anchor, profile, role = (
        values[f"rolesanywhere_{name}_arn"] for name in ("trust_anchor", "profile", "role")
    )
    document = boto3.client("iam").get_role(RoleName=wanted.role.name)["Role"]
    assert document["AssumeRolePolicyDocument"] == trust_policy(anchor, wanted.role.certificates)
    # setup finds what they made, and has nothing to change.
    setup = Setup(Administrator(region=REGION), wanted)
    assert setup.run() == (anchor, profile, role)
    assert [part.changes for part in setup.parts] == [[], [], []]
    # And a certificate gets a session by it.
    issued = ca.issue("app1").write(tmp_path / "pki")
    session = boto_rolesanywhere.get_session(
        issued.certificate,
        issued.private_key,
        anchor,
        profile,
        role,
        endpoint_url=emulator.endpoint_url,
    )
    assert session.get_credentials() is not None
