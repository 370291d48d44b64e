"""Whoever sits at a terminal is asked for what is not configured; a pipe or a service is not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import processes
import pytest
from commands import arns, identity
from cryptography.hazmat.primitives.serialization import Encoding
from sessions import certificate_for
from soft_token import PIN, SOFTHSM, soft_token
from software_tpm import software_tpm

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

WORD = "correct horse"


@dataclass
class Seen:
    """How a command ended, what it printed, and what stood on the screen."""

    status: int
    out: str
    screen: str


def at_terminal(*words: str | Path, answers: Sequence[str], from_pipe: bool = False) -> Seen:
    """Run the command in a session of its own, with a terminal at which `answers` are typed.

    Its output is a pipe, as that of a credential_process.
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "boto_rolesanywhere", *map(str, words)]
    if from_pipe:
        command = ["sh", "-c", ': | "$@"', "sh", *command]
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    screen, waiting = "", list(answers)
    while True:
        try:
            screen += os.read(ours, 4096).decode()
        except OSError:  # the last program that had the terminal has ended
            break
        if screen.endswith(": ") and waiting:
            os.write(ours, f"{waiting.pop(0)}\n".encode())
    assert process.stdout is not None
    with process.stdout as stdout:
        out = stdout.read().decode()
    os.close(ours)
    assert waiting == [], screen
    return Seen(process.wait(30), out, screen.replace("\r\n", "\n"))


@pytest.fixture
def locked(ca: CertificateAuthority, emulator: Emulator, tmp_path: Path) -> list[str]:
    """The flags of a workload whose key is encrypted."""
    issued = ca.issue("app").write(tmp_path / "pki", passphrase=WORD)
    return [*identity(issued), *arns(emulator)]


def test_a_person_is_asked_for_the_passphrase(locked: list[str], emulator: Emulator) -> None:
    seen = at_terminal("credential-process", "--no-cache", *locked, answers=[WORD])

    assert seen.status == 0
    assert str(emulator.requests[-1].access_key_id) in seen.out
    assert seen.screen == f"Passphrase of {locked[3]}: \n"  # and not what was typed


def test_a_wrong_passphrase_is_asked_for_again(locked: list[str]) -> None:
    seen = at_terminal("env", *locked, answers=["wrong", "wrong too", WORD])

    assert seen.status == 0
    assert seen.screen.count("That is not it.") == 2


def test_a_passphrase_that_stays_wrong_ends_the_command(locked: list[str]) -> None:
    seen = at_terminal("env", *locked, answers=["wrong"] * 3)

    assert (seen.status, seen.out) == (1, "")
    assert "the passphrase from the terminal is wrong. [passphrase-wrong]" in seen.screen


@pytest.mark.parametrize("answer", ["", "\x04"], ids=["enter", "ctrl-d"])
def test_no_answer_ends_the_command(locked: list[str], answer: str) -> None:
    seen = at_terminal("sign-string", *locked[:4], answers=[answer])

    assert (seen.status, seen.out) == (1, "")
    assert "[passphrase-missing]" in seen.screen


def test_what_is_configured_is_not_asked_for(
    locked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE", "wrong")
    assert at_terminal("env", *locked, answers=[]).status == 1
    monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE", WORD)
    assert at_terminal("env", *locked, answers=[]).status == 0


def test_a_pipe_is_not_asked(locked: list[str]) -> None:
    seen = at_terminal("env", *locked, answers=[], from_pipe=True)

    assert seen.status == 1
    assert "no passphrase was given" in seen.screen


def test_a_service_is_not_asked(locked: list[str]) -> None:
    done = processes.run(
        "env", *locked, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30
    )

    assert done.returncode == 1
    assert "no passphrase was given" in done.stderr


@pytest.fixture(scope="module")
def on_token(ca: CertificateAuthority) -> Iterator[str]:
    """The URI of a key and its certificate on a token."""
    with soft_token() as token:
        issued = ca.issue("token")
        token.add_key(issued.private_key, label="app", id_="01")
        token.add_certificate(issued.certificate, label="app", id_="01")
        yield f"{token.uri};object=app?module-path={SOFTHSM}"


def test_a_pin_is_asked_for_once(on_token: str, emulator: Emulator) -> None:
    flags = ("--certificate", on_token, *arns(emulator))
    right = at_terminal("env", *flags, answers=[PIN])
    wrong = at_terminal("env", *flags, answers=["9999"])

    assert right.status == 0, right.screen
    assert right.screen.startswith("PIN for pkcs11:token=")
    assert wrong.status == 1
    assert "[pin-refused]" in wrong.screen


def test_certificates_on_a_token_are_listed_without_a_pin(on_token: str) -> None:
    seen = at_terminal("read-certificate-data", "--certificate", on_token, answers=[])

    assert seen.status == 0


def test_the_password_of_a_tpm_key_is_asked_for_once(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with software_tpm() as tpm:
        monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)
        key, plain = tmp_path / "tpm.key", tmp_path / "plain.key"
        key.write_bytes(tpm.pem("group:P-256", "user-auth:secret"))
        issued = certificate_for(ca, tpm.public_key_of_pem("secret"))
        certificate = tmp_path / "tpm.pem"
        certificate.write_bytes(issued.public_bytes(Encoding.PEM))
        plain.write_bytes(tpm.pem("group:P-256"))

        flags = ("--certificate", certificate, *arns(emulator), "--private-key")
        right = at_terminal("env", *flags, key, answers=["secret"])
        wrong = at_terminal("env", *flags, key, answers=["guess"])
        tries = tpm.failed_tries()
        needless = at_terminal("sign-string", "--private-key", plain, answers=[])

    assert right.status == 0, right.screen
    assert f"Password of the TPM key {key} (empty for none): " in right.screen
    assert "[tpm-password-refused]" in wrong.screen
    assert tries == 1
    assert needless.status == 0
