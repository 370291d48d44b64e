"""`import boto_rolesanywhere` is for everyone, so that it brings nothing heavy with it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

HEAVY = {
    "aiobotocore",
    "boto3",
    "botocore",
    "cryptography",
    "httptools",
    "pkcs11",
    "tpm2_pytss",
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
    "boto_rolesanywhere.certificates.twin": "a certificate that is plain",
    "boto_rolesanywhere.create_session.assumed_roles": "a profile that assumes no role",
    "boto_rolesanywhere.create_session.botocore_faults": "a call that fails",
    "boto_rolesanywhere.create_session.denials": "an answer that is no refusal",
    "boto_rolesanywhere.create_session.failover": "one Region",
    "boto_rolesanywhere.create_session.service_errors": "a call that fails",
    "boto_rolesanywhere.identity.files.costs": "a key that is not encrypted",
    "boto_rolesanywhere.identity.files.foreign": "a file of PEM or DER",
    "boto_rolesanywhere.identity.files.lenient_keys": "a key that can be read",
    "boto_rolesanywhere.identity.files.pkcs12": "a file in PEM",
    "cryptography.x509": "a certificate that is plain",
    "difflib": "a profile without misspelt settings",
    "email.policy": "PKCS #7",
    "encodings.utf_16_le": "a file in UTF-8",
    "filelock": "a cache",
    "http.client": "",  # botocore's: shows that what is loaded would be seen
}
# A dataclass takes four times as long to make as a NamedTuple, which small records are.
DATACLASSES = {"Config", "Identity", "RolesAnywhereSession"}
# Patterns that every call needs. Others are compiled by what uses them.
PATTERNS = {
    "boto_rolesanywhere.create_session.signer": {"_URL"},
    "boto_rolesanywhere.identity.files.pem": {"_MARKER"},
}
FIRST_CREDENTIALS = """
import boto_rolesanywhere, json, sys
session = boto_rolesanywhere.get_session(*sys.argv[1:6], endpoint_url=sys.argv[6])
assert session.get_credentials().get_frozen_credentials().access_key
import dataclasses, re
own = {name: vars(each) for name, each in sys.modules.items() if name.startswith("boto_rolesanyw")}
print(json.dumps({
    "modules": list(sys.modules),
    "dataclasses": [
        name for module, names in own.items() for name, value in names.items()
        if dataclasses.is_dataclass(value) and value.__module__ == module
    ],
    "compiled records": [
        name for module, names in own.items() for name, value in names.items()
        if isinstance(value, type) and value.__module__ == module
        and (hasattr(value, "_fields") or hasattr(value, "__total__"))
        and not all(isinstance(each, str) for each in value.__annotations__.values())
    ],
    "patterns": {
        module: found for module, names in own.items()
        if (found := [name for name, value in names.items()
                      if isinstance(value, re.Pattern)])
    },
}))
"""


@pytest.fixture(scope="module")
def first_credentials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process has loaded and made when it has its first credentials."""
    ca = CertificateAuthority()
    paths = ca.issue("app").write(tmp_path_factory.mktemp("identity"))
    with Emulator(ca) as emulator:
        asked = (paths.certificate, paths.private_key, emulator.trust_anchor_arn)
        asked += (emulator.profile_arn, emulator.role_arn, emulator.endpoint_url)
        command = [sys.executable, "-c", FIRST_CREDENTIALS, *map(str, asked)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_first_credentials_load_nothing_that_they_do_not_need(
    first_credentials: dict[str, Any],
) -> None:
    assert SLOW.keys() & set(first_credentials["modules"]) == {"http.client"}


def test_first_credentials_make_few_dataclasses(first_credentials: dict[str, Any]) -> None:
    assert set(first_credentials["dataclasses"]) == DATACLASSES


def test_first_credentials_compile_few_patterns(first_credentials: dict[str, Any]) -> None:
    found = {module: set(names) for module, names in first_credentials["patterns"].items()}
    assert found == PATTERNS


def test_first_credentials_compile_no_annotations(first_credentials: dict[str, Any]) -> None:
    """`boto_rolesanywhere.records` has the NamedTuple that does not."""
    assert first_credentials["compiled records"] == []
