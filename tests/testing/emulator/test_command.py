"""`python -m boto_rolesanywhere.testing.emulator`, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate
from boto_rolesanywhere.testing.emulator.command import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "boto_rolesanywhere.testing.emulator"]
Start = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command; what still runs at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def launch(*options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
        running.append(process)
        return process

    yield launch
    for process in running:
        process.kill()
        process.communicate()


class Remote:
    """What a test's client needs of an emulator that runs in another process."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.endpoint_url = settings["endpoint_url"]
        self.trust_anchor_arn = settings["trust_anchor_arn"]
        self.profile_arn = settings["profile_arn"]
        self.role_arn = settings["role_arn"]
        self.region = settings["region"]
        self.ca_bundle_path = settings.get("ca_bundle")

    def now(self) -> None:
        return None


def issued_from(certificate: str, key: str) -> IssuedCertificate:
    from pathlib import Path

    pair = CertificateAuthority.from_pem(Path(certificate).read_bytes(), Path(key).read_bytes())
    return IssuedCertificate(pair.certificate, pair.private_key)


def end(process: subprocess.Popen[str], number: int) -> str:
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out + err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_makes_everything_and_ends_cleanly(
    start: Start, tmp_path: Path, client_of: Callable[..., object], number: int
) -> None:
    process = start("--write", tmp_path / "pki", "--json", "--tls", "--verbose")
    settings = json.loads(process.stdout.readline())
    assert settings["pid"] == process.pid
    assert (tmp_path / "pki" / "client-key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pki" / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    issued = issued_from(settings["certificate"], settings["private_key"])
    client = client_of(Remote(settings))
    assert client.create(issued, **now()).status == 201
    assert client.create(issued, roleArn=None, **now()).status == 400
    text = end(process, number)
    assert re.search(r"POST /sessions created$", text, re.MULTILINE)
    assert "ValidationException (Missing required parameter: roleArn)" in text
    bundle = tmp_path / "pki" / "tls-ca-bundle.pem"
    assert settings["ca_bundle"] == str(bundle)
    assert bundle.exists()


def now() -> dict[str, object]:
    from datetime import datetime, timezone

    return {"when": datetime.now(timezone.utc)}


def test_it_takes_an_authority_arns_and_limits(
    start: Start, tmp_path: Path, ca: CertificateAuthority, client_of: Callable[..., object]
) -> None:
    certificate, key = ca.write(tmp_path)
    revoked = ca.issue()
    (tmp_path / "crl.pem").write_bytes(ca.crl((revoked,)))
    arns = [
        *("--trust-anchor-arn", "arn:aws:rolesanywhere:us-east-2:111122223333:trust-anchor/t"),
        *("--profile-arn", "arn:aws:rolesanywhere:us-east-2:111122223333:profile/p"),
        *("--role-arn", "arn:aws:iam::111122223333:role/path/R"),
    ]
    limits = ("--max-lifetime", 7, "--requests-per-second", 1000, "--profile-duration", 7200)
    process = start(
        *("--ca", certificate, "--ca-key", key, "--write", tmp_path / "out", "--json"),
        *(*arns, *limits, "--role-max-duration", 7200, "--accept-role-session-name"),
        *("--crl", tmp_path / "crl.pem"),
    )
    settings = json.loads(process.stdout.readline())
    assert [settings[name] for name in ("trust_anchor_arn", "profile_arn", "role_arn")] == arns[
        1::2
    ]
    assert settings["region"] == "us-east-2"
    assert "ca_private_key" not in settings
    client = client_of(Remote(settings))
    answer = client.create(ca.issue(), roleSessionName="named", **now())
    assert answer.session["assumedRoleUser"]["arn"].endswith("111122223333:assumed-role/R/named")
    assert answer.lifetime <= 7
    assert client.create(revoked, **now()).refusal[2] == "Certificate revoked"
    written = issued_from(settings["certificate"], settings["private_key"])
    assert client.create(written, **now()).status == 201
    end(process, signal.SIGTERM)


def test_what_it_prints_can_be_pasted_into_a_shell(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    process = start("--write", folder)
    lines = [process.stdout.readline() for _ in range(7)]
    done = subprocess.run(
        ["sh", "-c", f"{''.join(lines)}\nenv"], capture_output=True, text=True, check=True, env={}
    )
    exported = dict(
        line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("AWS_")
    )
    assert set(exported) == {
        "AWS_ENDPOINT_URL_ROLESANYWHERE",
        "AWS_ROLESANYWHERE_CERTIFICATE",
        "AWS_ROLESANYWHERE_PRIVATE_KEY",
        "AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN",
        "AWS_ROLESANYWHERE_PROFILE_ARN",
        "AWS_ROLESANYWHERE_ROLE_ARN",
    }
    assert exported["AWS_ROLESANYWHERE_CERTIFICATE"] == str(folder / "client-cert.pem")
    assert exported["AWS_ENDPOINT_URL_ROLESANYWHERE"].startswith("http://127.0.0.1:")
    end(process, signal.SIGTERM)


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command in this process; it must end with one line on stderr, which is given."""

    def run(*options: object) -> str:
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        assert main([str(option) for option in options]) == 1
        assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return run


def test_unusable_settings_are_one_clear_line(
    tmp_path: Path, ca: CertificateAuthority, fails: Callable[..., str]
) -> None:
    certificate, key = ca.write(tmp_path)
    other, _ = CertificateAuthority().write(tmp_path / "other")
    assert "Give --write DIR, or --ca FILE" in fails()
    assert "Give --ca-key FILE" in fails("--ca", certificate, "--write", tmp_path / "x")
    assert "No such file" in fails("--ca", tmp_path / "missing.pem")
    assert "not the key of the first certificate" in fails("--ca", other, "--ca-key", key)
    assert "go together" in fails("--ca", certificate, "--tls-cert", certificate)
    assert "is not an ARN" in fails("--ca", certificate, "--trust-anchor-arn", "anchor")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "ca-cert.pem").write_bytes(ca.certificate_pem)
    assert "without its other half, and is not overwritten" in fails("--write", tmp_path / "half")
    assert "not a list of access keys" in fails("--ca", certificate, "--administrators", key)
    for option in ("--iam-endpoint", "--private-ca-endpoint"):
        assert "cannot be asked at this address" in fails(
            "--ca", certificate, option, "localhost:5000"
        )
    assert "expected a CRL as PEM" in fails("--ca", certificate, "--crl", certificate)


def test_what_is_in_the_folder_is_used_again(start: Start, tmp_path: Path) -> None:
    folder, state = tmp_path / "pki", tmp_path / "state"
    options = ("--write", folder, "--state", state, "--tls", "--key-type", "P-384", "--json")
    first = start(*options)
    before = json.loads(first.stdout.readline())
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    end(first, signal.SIGTERM)

    second = start(*options, "--disabled", "profile")
    after = json.loads(second.stdout.readline())
    assert {**before, "pid": 0} == {**after, "pid": 0}  # ARNs, port and files
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "state.json").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in (state / "state.json").read_bytes()
    end(second, signal.SIGTERM)
    assert json.loads((state / "state.json").read_bytes())["profiles"][0]["enabled"] is False


def test_what_was_changed_or_deleted_stays_so_after_a_restart(start: Start, tmp_path: Path) -> None:
    state = ("--state", tmp_path / "state", "--json")

    def run(folder: str, call: Callable[[Any, dict[str, str]], object]) -> str:
        process = start("--write", tmp_path / folder, *state)
        settings = json.loads(process.stdout.readline())
        client = boto3.client(
            "rolesanywhere",
            endpoint_url=settings["endpoint_url"],
            region_name=settings["region"],
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        call(client, settings)
        return end(process, signal.SIGTERM)

    def enabled(client: Any, made: dict[str, str]) -> bool:  # noqa: ANN401  # boto3's
        held = client.get_profile(profileId=made["profile_arn"])["profile"]["enabled"]
        assert isinstance(held, bool)
        return held

    run("pki", lambda client, made: client.disable_profile(profileId=made["profile_arn"]))
    seen: list[bool] = []
    assert run("pki", lambda client, made: seen.append(enabled(client, made))) == ""
    assert seen == [False]
    words = run("new", lambda client, made: client.delete_profile(profileId=made["profile_arn"]))
    assert "trusts another authority than --ca or --write has now" in words
    run(
        "pki",
        lambda client, made: client.delete_trust_anchor(trustAnchorId=made["trust_anchor_arn"]),
    )
    run("pki", lambda client, _: seen.extend(client.list_trust_anchors()["trustAnchors"]))
    assert seen == [False]


def test_the_exit_status_tells_of_a_failure() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")


def test_an_encrypted_authority_key_takes_its_passphrase_from_a_file(
    start: Start, tmp_path: Path, ca: CertificateAuthority, fails: Callable[..., str]
) -> None:
    paths = IssuedCertificate(ca.certificate, ca.private_key).write(tmp_path, passphrase="s3cret")
    secret = tmp_path / "passphrase"
    secret.write_text("s3cret\n")
    own = ("--ca", paths.certificate, "--ca-key", paths.private_key, "--write", tmp_path / "out")
    text = fails(*own)
    assert "private key" in text
    assert "s3cret" not in text
    process = start(*own, "--ca-key-passphrase-file", secret, "--json")
    assert json.loads(process.stdout.readline())["certificate"]
    end(process, signal.SIGTERM)


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in ("--ca", "--ca-key", "--write", "--port", "--tls", "--region", "--max-lifetime"):
        assert f"{option} " in text
