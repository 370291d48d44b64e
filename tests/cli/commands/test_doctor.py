"""``boto-rolesanywhere doctor`` as a process: its lines, JSON, exit status, and its looks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
from soft_token import PIN, SOFTHSM, soft_token

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults

CA = CertificateAuthority()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(CA) as running:
        yield running


@pytest.fixture
def flags(
    emulator: Emulator, moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    folder = tmp_path / "pki"
    folder.mkdir(mode=0o755)
    paths = CA.issue("app").write(folder)
    return {
        "--certificate": str(paths.certificate),
        "--private-key": str(paths.private_key),
        "--trust-anchor-arn": emulator.trust_anchor_arn,
        "--profile-arn": emulator.profile_arn,
        "--role-arn": emulator.role_arn,
        "--endpoint": emulator.endpoint_url,
    }


def command(flags: dict[str, str], *more: str) -> list[str]:
    return ["doctor", *(word for pair in flags.items() for word in pair), *more]


def run(flags: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return processes.run(*command(flags, *more), strict=True, capture_output=True, text=True)


def document(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    read: dict[str, object] = json.loads(done.stdout)
    return read


def test_all_is_well(flags: dict[str, str]) -> None:
    done = run(flags)

    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "On this machine"
    assert "On the way to AWS" in lines
    assert "ok key EC P-256, belongs to CN=app, and its signature verifies" in lines
    assert f"private key {flags['--private-key']} (from --private-key)" in lines
    assert [line for line in lines if line.startswith("ok CreateSession credentials for 60 min")]
    assert [line for line in lines if line.startswith("ok caller AWS says: arn:aws:sts::")]
    assert lines[-1] == "Nothing failed."
    assert "\x1b" not in done.stdout


def test_warnings_alone_are_status_0(flags: dict[str, str]) -> None:
    Path(flags["--private-key"]).chmod(0o640)
    done = run(flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"-> Run `chmod 600 {flags['--private-key']}`." in done.stdout
    assert done.stdout.endswith("Nothing failed. Warnings: 1.\n")


def test_a_failure_is_status_1_with_what_to_do(flags: dict[str, str], emulator: Emulator) -> None:
    denied = faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked")
    with emulator.injected(denied):
        done = run(flags)
    assert (done.returncode, done.stderr) == (1, "")
    text = " ".join(done.stdout.split())
    assert "FAIL CreateSession CreateSession was refused (AccessDeniedException" in text
    assert "likely cause the certificate's serial number is in an enabled CRL" in text
    assert "[denied-certificate-revoked]" in text
    assert "-> Have a new certificate issued." in text
    assert "Failed: 1." in text


def test_what_failed_stands_at_the_end_and_what_was_skipped_in_one_line(
    flags: dict[str, str],
) -> None:
    done = run(flags | {"--private-key": "/gone.key"}, "--offline")

    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    (failed,) = {line for line in lines if line.startswith("FAIL")}
    assert lines.count(failed) == 2
    at = lines.index("Failed: 1. Warnings: 0. Not checked: 6.")
    assert lines[at + 1] == failed
    skips = [line for line in lines if line.startswith("skip")]
    assert len(skips) == 1
    assert "key (a file is not usable)" in skips[0]
    assert "chain, constraints, validity (the certificate that belongs to the key" in skips[0]
    each = run(flags | {"--private-key": "/gone.key"}, "--offline", "--verbose").stdout
    assert each.count("  skip ") == 6


@pytest.mark.parametrize("causes", ["Invalid signature", "Untrusted certificate. Insufficient"])
def test_no_cause_is_named_that_a_check_has_ruled_out(
    flags: dict[str, str], emulator: Emulator, causes: str
) -> None:
    text = "Untrusted certificate. Insufficient certificate" if "Untr" in causes else causes
    with emulator.injected(faults.ErrorStatus(403, "AccessDeniedException", text)):
        told = " ".join(run(flags).stdout.split())

    for settled in ("keyUsage lacks", "CA:TRUE", "weaker than", "clock is off", "key is not the"):
        assert settled not in told
    assert told.count("likely cause") == 1
    assert "Set the clock" not in told


def test_details_of_what_is_well_are_shown_on_request(flags: dict[str, str]) -> None:
    assert "mode and owner" not in run(flags, "--offline").stdout
    assert "mode and owner" in run(flags, "--offline", "--verbose").stdout


def test_json(flags: dict[str, str], emulator: Emulator) -> None:
    crl = Path(flags["--certificate"]).with_name("crl.pem")
    crl.write_bytes(CA.crl((1,)))
    anchor, _ = CA.write(crl.parent)
    extra = ("--crl", str(crl), "--trust-anchor-certificate", str(anchor))

    done = run(flags, "--json", *extra)

    assert (done.returncode, done.stderr) == (0, "")
    read = document(done)
    assert list(read) == ["ok", "counts", "verdicts"]
    assert read["ok"] is True
    verdicts = read["verdicts"]
    assert isinstance(verdicts, list)
    assert all(
        set(one) == {"name", "status", "text", "code", "remedy", "details"} for one in verdicts
    )
    assert [one["name"] for one in verdicts if one["status"] != "ok"] == ["tls"]
    assert read["counts"] == {"ok": len(verdicts) - 1, "warn": 0, "fail": 0, "skip": 1}
    settings = next(one for one in verdicts if one["name"] == "configuration")["details"]
    assert {"label": "role ARN", "text": f"{emulator.role_arn} (from --role-arn)"} in settings


def test_json_of_a_failure(flags: dict[str, str]) -> None:
    done = run({"--role-arn": "x"}, "--json", "--offline")
    read = document(done)
    assert (done.returncode, read["ok"]) == (1, False)


def test_offline_sends_nothing(flags: dict[str, str], emulator: Emulator) -> None:
    emulator.clear_requests()
    done = run(flags, "--offline")
    assert done.returncode == 0
    assert "On the way to AWS" not in done.stdout
    assert emulator.requests == []


def test_settings_from_the_environment_and_a_profile(
    flags: dict[str, str], clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[profile onprem]\n"
        f"rolesanywhere_certificate = {flags['--certificate']}\n"
        f"rolesanywhere_private_key = {flags['--private-key']}\n"
        f"rolesanywhere_trust_anchor_arn = {flags['--trust-anchor-arn']}\n"
        f"rolesanywhere_profile_arn = {flags['--profile-arn']}\n"
        f"rolesanywhere_endpoint_url = {flags['--endpoint']}\n"
    )
    monkeypatch.setenv("AWS_ROLESANYWHERE_ROLE_ARN", flags["--role-arn"])

    assert run({"--config-profile": "onprem"}).returncode == 0
    assert run({}).returncode == 1
    monkeypatch.setenv("AWS_PROFILE", "onprem")
    assert run({}).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-such"], "--no-such"),
        (["--certificate", "x", "--cert-selector", "Key=x509Serial,Value=1"], "exclude each other"),
        (["surplus"], "1 argument that no flag takes"),
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str], message: str) -> None:
    done = run({}, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_secret_that_cannot_be_had_is_a_verdict(flags: dict[str, str]) -> None:
    done = run(flags | {"--pkcs8-password-env": "NO_SUCH"}, "--offline")
    assert (done.returncode, done.stderr) == (1, "")
    assert "the environment variable that it names is not set" in done.stdout


def test_a_passphrase_file_given_by_flag_is_looked_at(
    flags: dict[str, str], tmp_path: Path
) -> None:
    paths = CA.issue("app").write(tmp_path, name="locked", passphrase="hunter2")
    file = tmp_path / "passphrase"
    file.write_text("hunter2\n")
    file.chmod(0o644)
    given = flags | {
        "--certificate": str(paths.certificate),
        "--private-key": str(paths.private_key),
        "--pkcs8-password-file": str(file),
    }

    done = run(given, "--offline")

    assert done.returncode == 0
    assert f"passphrase: {file} can be read" in done.stdout
    assert f"chmod 600 {file}" in done.stdout


def test_a_passphrase_from_a_pipe_is_read_once(flags: dict[str, str], tmp_path: Path) -> None:
    paths = CA.issue("app").write(tmp_path, name="locked", passphrase="hunter2")
    reader, writer = os.pipe()
    os.write(writer, b"hunter2\n")
    os.close(writer)
    given = flags | {
        "--certificate": str(paths.certificate),
        "--private-key": str(paths.private_key),
        "--pkcs8-password-file": f"/dev/fd/{reader}",
    }
    command = [sys.executable, "-m", "boto_rolesanywhere", "doctor", "--offline"]
    words = [word for pair in given.items() for word in pair]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, check=False, pass_fds=(reader,)
    )
    os.close(reader)

    assert (done.returncode, done.stderr) == (0, "")
    assert (
        f"passphrase: /dev/fd/{reader} is not a regular file, and only the key reads it, once"
        in done.stdout
    )


def test_passphrases_and_pins_are_never_printed(flags: dict[str, str], tmp_path: Path) -> None:
    paths = CA.issue("app").write(tmp_path, name="locked", passphrase="hunter2")
    locked = flags | {
        "--certificate": str(paths.certificate),
        "--private-key": str(paths.private_key),
    }
    for secret, status in (("hunter2", 0), ("hunter2-wrong", 1)):
        for more in ((), ("--json",), ("--debug",)):
            done = run(locked | {"--pkcs8-password": secret}, *more)
            assert done.returncode == status
            assert "hunter2" not in done.stdout + done.stderr
            assert "Security-Token" not in done.stderr  # of the call of STS


def test_the_check_of_tls_switched_off(flags: dict[str, str]) -> None:
    with Emulator(CA, tls=True) as other:
        given = flags | {
            "--endpoint": other.endpoint_url,
            "--trust-anchor-arn": other.trust_anchor_arn,
            "--profile-arn": other.profile_arn,
        }
        refused = run(given)
        done = run(given, "--no-verify-ssl")
    assert refused.returncode == 1
    assert "is not trusted: unable to get local issuer certificate" in refused.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert "warn TLS" in done.stdout


def test_a_key_on_a_token(flags: dict[str, str]) -> None:
    with soft_token() as token:
        issued = CA.issue("card")
        token.add_key(issued.private_key, label="mine", id_="01")
        token.add_certificate(issued.certificate, label="mine", id_="01")
        token.add_certificate(CA.issue("mail").certificate, label="another", id_="02")
        given = {name: flags[name] for name in flags if name != "--private-key"}
        given |= {
            "--certificate": f"{token.uri};object=mine?pin-value={PIN}",
            "--pkcs11-lib": SOFTHSM,
        }
        done = run(given)
    assert (done.returncode, done.stderr) == (0, "")
    assert "certificate: on a PKCS#11 token, no file" in done.stdout
    assert "CN=mail" not in done.stdout  # of another purpose, and no concern of this one's
    assert "belongs to CN=card, and its signature verifies" in done.stdout
    assert f"pin-value={PIN}" not in done.stdout
    assert f"{token.uri};object=mine (from --certificate)" in done.stdout


class TestTerminal:
    def seen(self, flags: dict[str, str], **environment: str) -> str:
        """What a terminal of 80 columns gets."""
        own, theirs = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {**os.environ, "TERM": "xterm", **environment}
        env.pop("COLUMNS", None)
        process = processes.Process(
            *command(flags), strict=True, stdout=theirs, stderr=theirs, env=env
        )
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(own, 65536):
                text += piece
        except OSError:  # Linux: the other end was closed
            pass
        os.close(own)
        assert process.wait(60) == 0
        return text.decode().replace("\r\n", "\n")

    def test_colour_and_width(self, flags: dict[str, str]) -> None:
        text = self.seen(flags)
        assert "\x1b[32mok  \x1b[0m key" in text
        plain = text.replace("\x1b[32m", "").replace("\x1b[0m", "")
        assert max(len(line) for line in plain.splitlines() if "\x1b" not in line) <= 80

    def test_no_color(self, flags: dict[str, str]) -> None:
        assert "\x1b" not in self.seen(flags, NO_COLOR="1")


def test_each_verdict_is_printed_when_it_is_known(
    flags: dict[str, str], emulator: Emulator
) -> None:
    with emulator.injected(faults.Hang()):
        process = processes.Process(*command(flags), strict=True, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        emulator.clear_requests()
        for line in process.stdout:  # the verdict before the one that hangs
            if line.startswith("  ok   connection"):
                break
        else:
            pytest.fail("the connection's verdict did not come")
        emulator.wait_for_requests(1)
        assert process.poll() is None
    assert process.wait(60) in {0, 1}
    process.stdout.close()
