"""Programs that we did not write, through all three ways, with the emulator behind.

The AWS CLI, boto3 and the AWS SDK for JavaScript find credentials with their own code, through
credential_process, IMDSv2 and the container endpoint, and use them against moto's STS. The CLI and
the JavaScript SDK are installed by scripts/test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installed import AWS_CLI, NODE_MODULES, require
from repository import ROOT

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

CLIENTS = ROOT / "tests" / "clients"


def aws_cli(folder: Path) -> list[str]:
    require(AWS_CLI.is_dir(), "the AWS CLI")
    return ["sh", str(CLIENTS / "whoami.sh"), str(AWS_CLI / "bin" / "aws")]


def javascript(folder: Path) -> list[str]:
    node = shutil.which("node")
    require(node is not None and NODE_MODULES.is_dir(), "the AWS SDK for JavaScript")
    # Node looks for packages beside the script.
    (folder / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(CLIENTS / "whoami.mjs", folder)
    return [str(node), str(folder / "whoami.mjs")]


def boto3(folder: Path) -> list[str]:
    return [sys.executable, str(CLIENTS / "whoami.py")]


Client = Callable[[Path], list[str]]
CLIENT = pytest.mark.parametrize("client", [aws_cli, boto3, javascript])


@pytest.fixture
def flags(ca: CertificateAuthority, emulator: Emulator, tmp_path: Path) -> list[str]:
    paths = ca.issue("app").write(tmp_path / "pki")
    return [
        *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
        *("--trust-anchor-arn", emulator.trust_anchor_arn, "--profile-arn", emulator.profile_arn),
        *("--role-arn", emulator.role_arn, "--endpoint", emulator.endpoint_url),
    ]


@pytest.fixture
def environ(moto_url: str) -> dict[str, str]:
    """That of the client: where STS is, and nothing of credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    return kept | region | {"AWS_ENDPOINT_URL_STS": moto_url}


@pytest.fixture
def exports(flags: list[str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """A running `serve`, and the variables that it prints to paste."""
    command = [sys.executable, "-m", "boto_rolesanywhere", "serve", *flags]
    command += ["--port", "0", "--token-folder", str(tmp_path / "tokens")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed: dict[str, str] = {}
        while "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" not in printed:
            line = process.stdout.readline()
            assert line, "serve ended"
            if found := re.match(r"export (\w+)=(\S+)", line):
                printed[found[1]] = found[2]
        yield printed
        process.terminate()


def whoami(command: list[str], environ: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


@CLIENT
def test_credential_process(
    client: Client, emulator: Emulator, flags: list[str], environ: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    words = " ".join([sys.executable, "-m", "boto_rolesanywhere", "credential-process", *flags])
    config.write_text(f"[default]\ncredential_process = {words}\n")

    answer = whoami(client(tmp_path), environ | {"AWS_CONFIG_FILE": str(config)})

    assert answer == {"accessKeyId": emulator.requests[0].access_key_id, "account": "123456789012"}
    assert emulator.created == 1  # however often the client asked: the answer is cached


@CLIENT
def test_instance_metadata(
    client: Client,
    emulator: Emulator,
    exports: dict[str, str],
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    name = "AWS_EC2_METADATA_SERVICE_ENDPOINT"

    answer = whoami(client(tmp_path), environ | {name: exports[name]})

    assert answer == {"accessKeyId": emulator.requests[0].access_key_id, "account": "123456789012"}
    assert emulator.created == 1


@CLIENT
def test_container_endpoint(
    client: Client,
    emulator: Emulator,
    exports: dict[str, str],
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    chosen = {name: value for name, value in exports.items() if "CONTAINER" in name}

    answer = whoami(client(tmp_path), environ | chosen)

    assert answer == {"accessKeyId": emulator.requests[0].access_key_id, "account": "123456789012"}
    assert emulator.created == 1
