"""env and update, run as a user runs them, with the emulator behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

import boto3
import pytest
from commands import arns, ended, identity, parsed
from filelock import FileLock

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths, faults


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.fixture
def flags(emulator: Emulator, paths: IssuedPaths) -> list[str]:
    return [*identity(paths), *arns(emulator)]


def test_env_in_sh_can_be_evaluated(emulator: Emulator, flags: list[str]) -> None:
    script = f'eval "$1"; exec {sys.executable} -c "$2"'
    show = "import os; print(*(os.environ[n] for n in sorted(os.environ) if 'AWS_' in n))"

    done = subprocess.run(
        ["sh", "-c", script, "sh", ended("env", *flags).stdout, show],
        capture_output=True,
        text=True,
        check=True,
    )

    assert str(emulator.requests[0].access_key_id) in done.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sh", "export AWS_ACCESS_KEY_ID={}\n"),
        ("fish", "set -gx AWS_ACCESS_KEY_ID '{}'\n"),
        ("powershell", "$env:AWS_ACCESS_KEY_ID = '{}'\n"),
        ("dotenv", "AWS_ACCESS_KEY_ID={}\n"),
        ("json", '{{\n  "AWS_ACCESS_KEY_ID": "{}",\n'),
    ],
)
def test_env_in_each_format(emulator: Emulator, flags: list[str], name: str, line: str) -> None:
    printed = ended("env", "--format", name, *flags).stdout

    assert printed.startswith(line.format(emulator.requests[0].access_key_id))
    assert "AWS_CREDENTIAL_EXPIRATION" in printed
    if name == "json":
        assert len(json.loads(printed)) == 4


def test_env_fails_on_one_line_with_nothing_on_stdout(emulator: Emulator, flags: list[str]) -> None:
    emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked"))

    done = ended("env", *flags, status=1)

    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Certificate revoked" in done.stderr


def test_update_once_writes_what_boto3_reads(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "credentials"
    file.parent.mkdir(mode=0o700)
    kept = b"# mine\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = kept"
    file.write_bytes(kept)

    done = ended("update", "--once", "--profile", "work", *flags)

    assert file.read_bytes().startswith(kept + b"\n\n[work]\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    frozen = boto3.Session(profile_name="work").get_credentials().get_frozen_credentials()
    assert frozen.access_key == emulator.requests[0].access_key_id
    assert boto3.Session(profile_name="other").get_credentials().access_key == "AKIAOTHER"
    assert "profile work has credentials until" in done.stderr
    assert frozen.secret_key not in done.stderr


@contextmanager
def updating(
    flags: list[str], file: Path, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], TextIO]]:
    """A running `update` that has written `file` once, and what it says on stderr."""
    command = [sys.executable, "-m", "boto_rolesanywhere", "update", *flags]
    named = {"AWS_SHARED_CREDENTIALS_FILE": str(file), **environ}
    with subprocess.Popen(
        command, env=os.environ | named, stderr=subprocess.PIPE, text=True
    ) as process:
        errors = cast("TextIO", process.stderr)
        try:
            assert "has credentials until" in errors.readline()
            yield process, errors
        except BaseException:
            process.kill()  # else its end would be waited for
            raise


def test_update_keeps_renewing_through_errors_until_it_is_told_to_end(
    ca: CertificateAuthority, emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 4
    file = tmp_path / "credentials"
    with updating(flags, file, AWS_MAX_ATTEMPTS="1") as (process, errors):
        first = file.read_text()
        emulator.inject(faults.ErrorStatus(503), times=1)
        emulator.wait_for_requests(3, timeout=30)
        deadline = time.monotonic() + 30
        while file.read_text() == first and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        told = errors.read()

    assert process.returncode == 0
    assert "HTTP 503" in told
    assert file.read_text() != first
    assert parsed(file).get("default", "aws_access_key_id") in {
        record.access_key_id for record in emulator.requests
    }


def test_update_writes_when_it_can_again(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 4
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        file.unlink()
        file.mkdir()
        told = errors.readline()
        file.rmdir()
        deadline = time.monotonic() + 30
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        errors.read()

    assert "The new credentials are not written yet: " in told
    assert f"{file}: it is a folder, pipe, device or ring of links" in told
    assert parsed(file).get("default", "aws_access_key_id")


def test_update_waits_for_no_other_writer_when_it_is_told_to_end(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 4
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        first = file.read_text()
        with FileLock(tmp_path / ".credentials.lock"):
            told = errors.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)

    assert process.returncode == 0
    assert f"{file}: another program has held its lock for 1 seconds" in told
    assert file.read_text() == first


def test_update_goes_on_when_nobody_reads_along(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 4
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        errors.close()
        first = file.read_text()
        deadline = time.monotonic() + 30
        while file.read_text() == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert file.read_text() != first
        emulator.wait_for_requests(3, timeout=30)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)

    assert process.returncode == 0


def test_update_ends_at_once_while_its_first_call_hangs(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.inject(faults.Hang())
    environ = os.environ | {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    command = [sys.executable, "-m", "boto_rolesanywhere", "update", *flags]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        emulator.wait_for_requests(1, timeout=30)
        process.terminate()
        told = process.communicate(timeout=15)[1]  # the call itself would take 30

    assert (process.returncode, told) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["env"], ["version"], ["--help"]], ids=" ".join)
def test_an_output_that_cannot_be_written_is_one_line(flags: list[str], words: list[str]) -> None:
    given = [*words, *(flags if words == ["env"] else [])]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "boto_rolesanywhere", *given],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == (
        "boto-rolesanywhere: the output cannot be written (No space left on device)\n"
    )


def test_a_closed_output_is_no_traceback(flags: list[str]) -> None:
    program = [sys.executable, "-m", "boto_rolesanywhere", "env", *flags]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_error_stream_is_no_failure(flags: list[str], clean_environment: Path) -> None:
    program = [sys.executable, "-m", "boto_rolesanywhere"]
    for words, status in ((["update", "--once", *flags], 0), (["env", "--nope"], 2)):
        done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *program, *words], check=False)
        assert done.returncode == status
    assert (clean_environment / ".aws" / "credentials").exists()


def test_update_without_first_credentials_fails_and_writes_nothing(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked"))

    done = ended("update", *flags, status=1)

    assert "Certificate revoked" in done.stderr
    assert not (clean_environment / ".aws" / "credentials").exists()


@pytest.mark.parametrize("command", ["env", "update", "configure"])
def test_help_teaches_with_an_example(command: str) -> None:
    printed = ended(command, "--help").stdout

    assert "example" in printed
    assert f"boto-rolesanywhere {command}" in printed
