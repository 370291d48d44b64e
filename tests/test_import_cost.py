"""`import boto_rolesanywhere` is for everyone, so that it brings nothing heavy with it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

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


# What nobody asks for on the way to the first credentials, by what once brought it.
SLOW = {
    "cryptography.x509": "a certificate that is plain",
    "difflib": "a profile without misspelt settings",
    "email.policy": "PKCS #7",
    "filelock": "a cache",
    "http.client": "",  # botocore's: shows that what is loaded would be seen
}


def test_first_credentials_load_nothing_that_they_do_not_need(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    paths = ca.issue("app").write(tmp_path)
    program = (
        "import boto_rolesanywhere, json, sys\n"
        "session = boto_rolesanywhere.get_session(*sys.argv[1:6], endpoint_url=sys.argv[6])\n"
        "assert session.get_credentials().get_frozen_credentials().access_key\n"
        f"print(json.dumps([name for name in {list(SLOW)!r} if name in sys.modules]))"
    )
    asked = (paths.certificate, paths.private_key, emulator.trust_anchor_arn)
    asked += (emulator.profile_arn, emulator.role_arn, emulator.endpoint_url)
    command = [sys.executable, "-c", program, *map(str, asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == ["http.client"]
