"""Commands that run under ``exec``, and what they find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

import processes
import pytest

PATIENCE = 30.0


SHOW_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


SHOW_KEY = """
import boto3
credentials = boto3.Session().get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)
"""


OTHER_SOURCES = {
    "AWS_ACCESS_KEY_ID": "AKIAOTHER",
    "AWS_SECRET_ACCESS_KEY": "other",
    "AWS_SECURITY_TOKEN": "other",
    "AWS_PROFILE": "other",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/other",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/other",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/other",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/other",
    "AWS_BEARER_TOKEN_BEDROCK": "other",
    "AWS_BEARER_TOKEN_TOMORROW": "other",
    "AWS_CREDENTIAL_FILE": "/other",
    "AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth",
    "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE": "hush",
    "KEPT": "kept",
}


both_ways = pytest.mark.parametrize("way", [[], ["--serve"]], ids=["keys", "endpoint"])


def words_of(arguments: Sequence[str], command: Sequence[str]) -> list[str]:
    return ["exec", *arguments, "--", *command]


def run(
    arguments: Sequence[str], *command: str, given: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    return processes.run(
        *words_of(arguments, command),
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environ},
    )


def python(arguments: Sequence[str], code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(arguments, sys.executable, "-c", code, **environ)


def environment(arguments: Sequence[str], **environ: str) -> dict[str, str]:
    done = python(arguments, SHOW_ENVIRONMENT, **environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found
