"""No SDK gets a session that it would at once ask for again.

The session is as old as the cache lets one become, and each SDK decides with its own code.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import processes
import pytest
from installed import AWS_CLI, NODE_MODULES, require
from repository import ROOT

from boto_rolesanywhere.credentials.cache_entry import Entry
from boto_rolesanywhere.credentials.windows import RefreshWindows
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

CLIENTS = ROOT / "tests" / "clients"
A_RENEWAL = 20  # seconds that the next session takes to come, while the old one is given


def javascript(folder: Path) -> list[str]:
    node = shutil.which("node")
    require(node is not None and NODE_MODULES.is_dir(), "the AWS SDK for JavaScript")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(CLIENTS / "renewal.mjs", folder)
    return [str(node), str(folder / "renewal.mjs")]


def of_boto3(folder: Path) -> list[str]:
    return [sys.executable, str(CLIENTS / "renewal.py")]


def aws_cli(_: Path) -> list[str]:
    require(AWS_CLI.is_dir(), "the AWS CLI")
    return [str(AWS_CLI / "bin" / "aws"), "s3", "ls", "s3://renewal/", "--page-size", "1"]


class Program:
    """A profile with our command, which counts its runs, and a cached session as old as may be."""

    def __init__(self, folder: Path, flags: list[str], lifetime: int) -> None:
        self.runs = folder / "runs"
        self.cache = folder / "cache"
        self.config = folder / "config"
        asks = [*processes.forked_command(), "credential-process", *flags]
        asks += ["--session-duration", str(lifetime), "--cache-dir", str(self.cache)]
        subprocess.run(asks, check=True, capture_output=True)
        self._age(lifetime)
        counting = folder / "counting.sh"
        counting.write_text(f"echo run >> {self.runs}\nexec {' '.join(asks)}\n")
        self.config.write_text(f"[default]\ncredential_process = sh {counting}\n")

    def _age(self, lifetime: int) -> None:
        (path,) = self.cache.glob("*.session")
        entry = Entry.from_bytes(path.read_bytes())
        assert entry is not None
        windows = RefreshWindows.for_lifetime(lifetime, jitter=1)
        age = windows.advisory + A_RENEWAL
        entry.received, entry.boot = time.time() - age, entry.boot - age
        # It is due, and somebody else renews it: nobody waits for that.
        entry.advisory = entry.received + age + 600
        entry.mandatory = entry.expiry = entry.received + lifetime
        answer = json.loads(entry.answer)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.expiry))
        entry.answer = json.dumps({**answer, "Expiration": ends})
        path.write_bytes(entry.to_bytes())

    def count(self) -> int:
        return len(self.runs.read_text().split())


def fill_bucket(moto_url: str) -> None:
    """With three objects, which three requests list."""
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=moto_url,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",
    )
    s3.create_bucket(Bucket="renewal")
    for name in "abc":
        s3.put_object(Bucket="renewal", Key=name)


@pytest.fixture
def flags(ca: CertificateAuthority, emulator: Emulator, tmp_path: Path) -> list[str]:
    paths = ca.issue("app").write(tmp_path / "pki")
    return [
        *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
        *("--trust-anchor-arn", emulator.trust_anchor_arn, "--profile-arn", emulator.profile_arn),
        *("--role-arn", emulator.role_arn, "--endpoint", emulator.endpoint_url),
    ]


@pytest.mark.parametrize(
    ("client", "lifetime"),
    [(of_boto3, 3600), (aws_cli, 3600), (javascript, 900)],
)
def test_three_requests_ask_once(
    client: Callable[[Path], list[str]],
    lifetime: int,
    flags: list[str],
    moto_url: str,
    tmp_path: Path,
) -> None:
    fill_bucket(moto_url)
    program = Program(tmp_path, flags, lifetime)
    environ = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"AWS_CONFIG_FILE": str(program.config), "AWS_ENDPOINT_URL": moto_url}
    environ |= {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}

    done = subprocess.run(
        client(tmp_path), env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert program.count() == 1


def test_botocore_gets_one_that_it_would_ask_for_again_where_none_can_last(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 900 seconds all are within its 15 minutes. This shows that the count would rise."""
    program = Program(tmp_path, flags, 900)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(program.config))

    credentials = boto3.Session().get_credentials()

    assert credentials is not None
    for _ in range(3):
        credentials.get_frozen_credentials()
    assert program.count() > 1
