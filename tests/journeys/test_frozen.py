"""A program that PyInstaller makes of a script and this package, without an option: it runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from installed import FROZEN, require

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

SCRIPT = """
import sys
import boto_rolesanywhere
if len(sys.argv) > 1:
    from boto_rolesanywhere.cli import main
    sys.exit(main())
session = boto_rolesanywhere.get_session()
print(session.get_credentials().get_frozen_credentials().access_key)
session.client("sts")
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frozen program, which finds neither this Python nor this package's files."""
    installer = FROZEN / "bin" / "pyinstaller"
    require(installer.exists(), "PyInstaller")
    folder = tmp_path_factory.mktemp("frozen")
    (folder / "app.py").write_text(SCRIPT)
    done = subprocess.run(
        [installer, "--onedir", "--log-level=ERROR", "app.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", "PYINSTALLER_CONFIG_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "dist" / "app" / "app"


def environment(ca: CertificateAuthority, emulator: Emulator, folder: Path) -> dict[str, str]:
    paths = ca.issue("app").write(folder / "pki")
    return {
        "HOME": str(folder),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ROLESANYWHERE_CERTIFICATE": str(paths.certificate),
        "AWS_ROLESANYWHERE_PRIVATE_KEY": str(paths.private_key),
        "AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN": emulator.trust_anchor_arn,
        "AWS_ROLESANYWHERE_PROFILE_ARN": emulator.profile_arn,
        "AWS_ROLESANYWHERE_ROLE_ARN": emulator.role_arn,
        "AWS_ROLESANYWHERE_ENDPOINT_URL": emulator.endpoint_url,
    }


def test_a_frozen_program_gets_credentials(
    program: Path, ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    done = subprocess.run(
        [program],
        env=environment(ca, emulator, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, emulator.requests[0].access_key_id), done


@pytest.mark.parametrize("words", [["env", "--format", "json"], ["explain", "file-missing"]])
def test_the_commands_are_in_it(
    program: Path, ca: CertificateAuthority, emulator: Emulator, tmp_path: Path, words: list[str]
) -> None:
    done = subprocess.run(
        [program, *words],
        env=environment(ca, emulator, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if words[0] == "env":
        assert json.loads(done.stdout)["AWS_ACCESS_KEY_ID"] == emulator.requests[0].access_key_id
