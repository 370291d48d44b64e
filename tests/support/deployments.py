"""Commands and variables that the files of examples/ hold, run here.

Neither a Docker engine nor a cluster is needed: commands and variables are taken out of the files,
the paths of containers and units are put where the test has them, and the program is run for real.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from boto_rolesanywhere.testing import Emulator

ADMINISTRATOR = """\
[profile crl-sync]
region = eu-west-1
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret
"""


PROGRAM = [sys.executable, "-m", "boto_rolesanywhere"]


def environment(emulator: Emulator, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_ENDPOINT_URL_ROLESANYWHERE": emulator.endpoint_url, **more}


def arns(emulator: Emulator) -> dict[str, str]:
    return {
        "AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN": emulator.trust_anchor_arn,
        "AWS_ROLESANYWHERE_PROFILE_ARN": emulator.profile_arn,
        "AWS_ROLESANYWHERE_ROLE_ARN": emulator.role_arn,
    }


def brought(command: list[str], environ: dict[str, str]) -> str:
    """The first line that a `crl sync` prints; one that goes on is ended then."""
    with subprocess.Popen(
        [*PROGRAM, *command], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "--watch" in command:
            process.terminate()
    assert process.returncode == 0
    return line


def asked(
    command: list[str], environ: dict[str, str], token: Path, client: dict[str, str]
) -> dict[str, Any]:
    """Run a `serve` command on a free port, and ask it as the client's variables say."""
    path = client["AWS_CONTAINER_CREDENTIALS_FULL_URI"].removeprefix("http://127.0.0.1:9911")
    with subprocess.Popen(
        [*PROGRAM, *command, "--port", "0"], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert url is not None
        request = urllib.request.Request(url[0] + path)
        request.add_header("Authorization", token.read_text())
        with urllib.request.urlopen(request) as response:
            answer: dict[str, Any] = json.load(response)
        process.terminate()
    return answer
