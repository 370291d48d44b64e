"""The command makes its call without botocore where it may, and else as every other call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from boto_rolesanywhere.cli import main
from boto_rolesanywhere.create_session.direct import create_directly
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a route is plain on Linux alone")

HEAVY = ("boto3", "botocore.client", "botocore.session", "urllib3")
COLD = f"""
import json, sys
from boto_rolesanywhere.cli import main
status = main(sys.argv[1:])
print(json.dumps([status, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def flags(emulator: Emulator, folder: Path) -> list[str]:
    assert emulator.ca is not None
    paths = emulator.ca.issue("app").write(folder)
    return [
        f"--certificate={paths.certificate}",
        f"--private-key={paths.private_key}",
        f"--trust-anchor-arn={emulator.trust_anchor_arn}",
        f"--profile-arn={emulator.profile_arn}",
        f"--role-arn={emulator.role_arn}",
        f"--endpoint={emulator.endpoint_url}",
    ]


def loaded(arguments: list[str], home: Path, **environ: str) -> list[str]:
    """What a command that has to call AWS loads of botocore."""
    command = [sys.executable, "-c", COLD, "credential-process", *arguments]
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", **environ}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    answer, report = done.stdout.splitlines()
    assert json.loads(answer)["AccessKeyId"].startswith("ASIA")
    status, modules = json.loads(report)
    assert status == 0
    return [str(name) for name in modules]


@pytest.mark.parametrize("cached", [True, False])
def test_a_plain_cold_command_loads_no_botocore(
    emulator: Emulator, tmp_path: Path, cached: bool
) -> None:
    more = [f"--cache-dir={tmp_path / 'cache'}"] if cached else ["--no-cache"]

    assert loaded([*flags(emulator, tmp_path), *more], tmp_path) == []


@pytest.mark.parametrize(
    "environ",
    [{"AWS_MAX_ATTEMPTS": "2"}, {"NO_PROXY": "127.0.0.1"}, {"AWS_RETRY_MODE": "standard"}],
)
def test_whatever_else_is_set_is_read_by_botocore(
    emulator: Emulator, tmp_path: Path, environ: dict[str, str]
) -> None:
    found = loaded([*flags(emulator, tmp_path), "--no-cache"], tmp_path, **environ)

    assert "botocore.session" in found


def test_a_profile_that_is_no_plain_file_is_read_by_botocore(
    emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\ns3 =\n  max_concurrent_requests = 1\n")

    assert "botocore.session" in loaded([*flags(emulator, tmp_path), "--no-cache"], tmp_path)


def test_the_session_is_cached_as_every_other(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process makes the session directly, the second one looks through botocore."""
    arguments = ["credential-process", *flags(emulator, tmp_path)]
    arguments.append(f"--cache-dir={tmp_path / 'cache'}")
    before = emulator.created
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_MAX_ATTEMPTS", raising=False)

    assert main(arguments) == 0
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    assert main(arguments) == 0
    assert emulator.created == before + 1


def test_a_certificate_that_is_refused_by_its_time_is_not_called_with(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    """Then perhaps the clock is wrong, and `Issuer` asks the service for its time."""
    paths = ca.issue("app", flaws=["expired"]).write(tmp_path)
    flags = {
        "--certificate": str(paths.certificate),
        "--private-key": str(paths.private_key),
        "--trust-anchor-arn": emulator.trust_anchor_arn,
        "--profile-arn": emulator.profile_arn,
        "--role-arn": emulator.role_arn,
        "--endpoint": emulator.endpoint_url,
    }

    environ = {"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"}

    assert create_directly(lambda _: Arguments(), flags, None, environ) is None
    assert emulator.requests == []
