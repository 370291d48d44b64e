"""update, run as a user runs them, with the emulator behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

import boto3
import processes
from commands import ended, parsed
from filelock import FileLock
from older import AGING, DUE, grow_older

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults


def test_update_once_writes_what_boto3_reads(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "credentials"
    file.parent.mkdir(mode=0o700)
    kept = b"# mine\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = kept"
    file.write_bytes(kept)
    file.chmod(0o600)

    done = ended("update", "--once", "--profile", "work", *flags)

    assert file.read_bytes().startswith(kept + b"\n\n[work]\n")
    assert "may read" not in done.stderr
    frozen = boto3.Session(profile_name="work").get_credentials().get_frozen_credentials()
    assert frozen.access_key == emulator.requests[0].access_key_id
    assert boto3.Session(profile_name="other").get_credentials().access_key == "AKIAOTHER"
    assert "profile work has credentials until" in done.stderr
    assert frozen.secret_key not in done.stderr


def test_update_keeps_a_wide_mode_and_warns_of_it(
    flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "credentials"
    file.parent.mkdir(mode=0o700)
    file.touch()
    file.chmod(0o644)

    done = ended("update", "--once", *flags)

    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert (
        f"{file}: other users of this machine may read the credentials (mode 0644)" in done.stderr
    )


def test_update_writes_in_place_and_keeps_long_lived_keys(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "credentials"
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"[default]\naws_access_key_id = AKIAMINE\naws_secret_access_key = kept\n")
    file.chmod(0o600)
    before = file.stat()

    refused = ended("update", "--once", *flags, status=1)
    ended("update", "--once", "--in-place", "--replace-long-lived-keys", *flags)

    assert "[long-lived-keys]" in refused.stderr
    assert os.path.samestat(before, file.stat())
    assert boto3.Session(profile_name="default-long-lived").get_credentials().secret_key == "kept"
    assert boto3.Session().get_credentials().access_key == emulator.requests[-1].access_key_id


@contextmanager
def updating(
    flags: list[str], file: Path, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], TextIO]]:
    """A running `update` that has written `file` once, and what it says on stderr.

    Its session grows older by the file `ahead` beside `file`.
    """
    named = {
        "AWS_SHARED_CREDENTIALS_FILE": str(file),
        "SECONDS_AHEAD": str(file.with_name("ahead")),
        **environ,
    }
    with processes.Process(
        "update", *flags, module=AGING, env=os.environ | named, stderr=subprocess.PIPE, text=True
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
    file = tmp_path / "credentials"
    with updating(flags, file, AWS_MAX_ATTEMPTS="1") as (process, errors):
        first = file.read_text()
        emulator.inject(faults.ErrorStatus(503), times=1)
        grow_older(tmp_path / "ahead", DUE)
        emulator.wait_for_requests(2, timeout=30)
        grow_older(tmp_path / "ahead", DUE)  # longer than the pause between two tries
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
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        file.unlink()
        file.mkdir()
        grow_older(tmp_path / "ahead", DUE)
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
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        first = file.read_text()
        with FileLock(tmp_path / ".credentials.lock"):
            grow_older(tmp_path / "ahead", DUE)
            told = errors.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)

    assert process.returncode == 0
    assert f"{file}: another program has held its lock for 1 second" in told
    assert file.read_text() == first


def test_update_goes_on_when_nobody_reads_along(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    with updating(flags, file) as (process, errors):
        errors.close()
        first = file.read_text()
        grow_older(tmp_path / "ahead", DUE)
        deadline = time.monotonic() + 30
        while file.read_text() == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert file.read_text() != first
        grow_older(tmp_path / "ahead", DUE)
        emulator.wait_for_requests(3, timeout=30)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)

    assert process.returncode == 0


def test_update_ends_at_once_while_its_first_call_hangs(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.inject(faults.Hang())
    environ = os.environ | {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    with processes.Process(
        "update", *flags, env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        emulator.wait_for_requests(1, timeout=30)
        process.terminate()
        told = process.communicate(timeout=15)[1]  # the call itself would take 30

    assert (process.returncode, told) == (0, "")


def test_update_without_first_credentials_fails_and_writes_nothing(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked"))

    done = ended("update", *flags, status=1)

    assert "Certificate revoked" in done.stderr
    assert not (clean_environment / ".aws" / "credentials").exists()
