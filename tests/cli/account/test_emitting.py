"""``setup --emit``: code on stdout, without credentials and without a call."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import hcl2
import processes
import pytest

from boto_rolesanywhere.testing import CertificateAuthority


@pytest.fixture
def folder(tmp_path: Path, ca: CertificateAuthority) -> Path:
    (tmp_path / "ca.pem").write_bytes(ca.certificate_pem)
    return tmp_path


def emit(
    folder: Path, form: str, *arguments: str, region: str | None = "eu-west-1"
) -> subprocess.CompletedProcess[str]:
    """Run the command where there are no credentials, and where any call would fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {
        "HOME": str(folder),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        **({"AWS_REGION": region} if region else {}),
    }
    return processes.run(
        *("setup", "--ca", "ca.pem", "--role", "app1", "--emit", form, *arguments),
        strict=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=kept | nowhere,
    )


def test_terraform(folder: Path) -> None:
    done = emit(
        folder, "terraform", "--profile", "on prem", "--policy-arn", "arn:aws:iam::aws:policy/x"
    )

    assert done.returncode == 0
    assert hcl2.loads(done.stdout)["resource"]
    assert "[profile 'on prem']" in done.stdout or '[profile "on prem"]' in done.stdout
    assert "credential_process = boto-rolesanywhere credential-process" in done.stdout
    assert '"aws:PrincipalTag/x509Subject/CN" = "app1"' in done.stdout
    assert "Terraform cannot give aliases." in done.stderr


def test_cloudformation_where_the_region_is_not_known(folder: Path) -> None:
    done = emit(folder, "cloudformation", region=None)

    assert done.returncode == 0
    parts = json.loads(done.stdout)["Outputs"]["AwsConfig"]["Value"]["Fn::Join"][1]
    assert parts[0] == "[profile app1]\nrolesanywhere_trust_anchor_arn = "


def test_the_policy_is_for_the_account_and_the_partition(folder: Path) -> None:
    done = emit(folder, "policy", "--account", "210987654321", region="cn-north-1")

    assert (done.returncode, done.stderr) == (0, "")
    assert "arn:aws-cn:rolesanywhere:cn-north-1:210987654321:profile/*" in done.stdout
    assert "DetachRolePolicy" not in done.stdout
    assert "iam:DetachRolePolicy" in emit(folder, "policy", "--detach-others").stdout


def test_the_commands_are_those_of_the_aws_cli(folder: Path) -> None:
    done = emit(folder, "cli", "--duration", "7200")

    assert (done.returncode, done.stderr) == (0, "")
    assert "aws rolesanywhere create-profile" in done.stdout
    assert "--duration-seconds 7200" in done.stdout
    assert '"boto-rolesanywhere:region", "Value": "eu-west-1"' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "region", "status", "told"),
    [
        (["cli"], None, 1, "no Region is set"),
        (["policy", "--account", "12"], "eu-west-1", 2, "it must be twelve digits"),
        (["cli", "--plan"], "eu-west-1", 2, "--emit and --plan were both given"),
        (["policy", "--print-profile"], "eu-west-1", 2, "--emit and --print-profile were"),
        (["yaml"], "eu-west-1", 2, "it must be one of"),
        (["cli", "--admin-profile", "none"], None, 1, "there is no profile 'none'"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Path, arguments: list[str], region: str | None, status: int, told: str
) -> None:
    done = emit(folder, arguments[0], *arguments[1:], region=region)

    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
