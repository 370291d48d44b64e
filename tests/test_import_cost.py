"""`import boto_rolesanywhere` is for everyone, so that it brings nothing heavy with it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = {
    "aiobotocore",
    "boto3",
    "botocore",
    "cryptography",
    "httptools",
    "pkcs11",
    "starlette",
    "tpm2_pytss",
    "uvicorn",
}


def loaded_by(code: str) -> set[str]:
    """The heavy packages in an interpreter of its own after `code`."""
    report = f"import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", report]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)} & HEAVY


def test_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import boto_rolesanywhere") == set()


def test_the_signer_loads_nothing_heavy() -> None:
    assert loaded_by("import boto_rolesanywhere.create_session.signer") == set()


@pytest.mark.parametrize("name", ["boto3", "botocore", "cryptography"])
def test_what_is_loaded_would_be_seen(name: str) -> None:
    assert find_spec(name)
    assert name in loaded_by(f"import {name}")
