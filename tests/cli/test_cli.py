"""Every command's output, errors and help."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
from commands import ended

from boto_rolesanywhere import cli
from boto_rolesanywhere.cli import COMMANDS


@pytest.mark.parametrize("words", [["--version"], *([name, "--help"] for name in COMMANDS)])
def test_the_installed_program_starts_each_command(words: list[str]) -> None:
    program = Path(sys.executable).with_name("boto-rolesanywhere")
    done = subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )

    assert "boto-rolesanywhere " in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["env"], ["version"], ["--help"]], ids=" ".join)
def test_an_output_that_cannot_be_written_is_one_line(flags: list[str], words: list[str]) -> None:
    given = [*words, *(flags if words == ["env"] else [])]
    with Path("/dev/full").open("w") as full:
        done = processes.run(*given, stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 1
    assert done.stderr == (
        "boto-rolesanywhere: the output cannot be written (No space left on device)\n"
    )


def test_a_file_that_the_system_withholds_is_one_line() -> None:
    name = "a" * 300
    done = ended("ca", "issue", name, "--subject", "CN=app1", "--ca", "/none", status=1)
    too_long = ended("ca", "revoke", name, "--ca", "/none", status=1)

    for answer in (done, too_long):
        assert answer.stderr.startswith("boto-rolesanywhere: ")
        assert answer.stderr.count("\n") == 1


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


@pytest.mark.parametrize("command", ["env", "update", "configure"])
def test_help_teaches_with_an_example(command: str) -> None:
    printed = ended(command, "--help").stdout

    assert "example" in printed
    assert f"boto-rolesanywhere {command}" in printed


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"exec"}))
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--pkcs8-passwd", "S3CRET"), "--pkcs8-passwd"),
        (("--pkcs11-pn=S3CRET",), "--pkcs11-pn"),
        (("--tpm-key-passwor", "S3CRET"), "--tpm-key-passwor"),
        (("--debug=S3CRET",), "--debug"),
        (("-pS3CRET",), "argument"),
    ],
)
def test_a_mistyped_flag_is_named_and_its_value_is_not(
    command: str, words: tuple[str, ...], named: str
) -> None:
    needed = {
        "completion": ("bash",),
        "crl": ("--trust-anchor", "x"),
        "inspect": ("--certificate", "x"),
        "revoke": ("--trust-anchor", "x", "x"),
        "setup": ("--role", "x"),
        "teardown": ("--role", "x"),
        "trust-policy": ("--trust-anchor-arn", "x", "x"),
    }.get(command, ())
    action = {"ca": ("list",), "crl": ("status",)}.get(command, ())
    status = 1 if command == "credential-process" else 2
    done = ended(command, *action, *words, *needed, status=status)

    # These take a word for their file or shell, and may miss or refuse that first.
    assert named in done.stderr or command in {"completion", "inspect"}
    assert "S3CRET" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("--pkcs11-pn=S3CRET", "'--pkcs11-pn'"),
        ("--pkcs8-passwort=S3=CRET", "'--pkcs8-passwort'"),
        ("-pS3CRET", "'-p'"),
        ("-p=S3CRET", "'-p'"),
    ],
)
def test_a_flag_before_the_command_is_named_and_its_value_is_not(word: str, named: str) -> None:
    done = ended(word, status=2)

    assert f"there is no option {named}" in done.stderr
    assert "CRET" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--certificate", "x", "--cert-selector", "y"),
        ("--session-duration", "1"),
        ("--role-arn", "app"),
        ("--nope",),
        (),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["env", "serve", "update", "exec", "credential-process"])
def test_wrong_usage_has_one_status(command: str, words: tuple[str, ...], flags: list[str]) -> None:
    """That of argparse; credential-process has the helper's one status for all that is wrong."""
    rest = [*flags, *words] if words and words[0].startswith(("--s", "--role")) else [*words]
    run = ("--", "true") if command == "exec" else ()

    done = ended(command, *rest, *run, status=1 if command == "credential-process" else 2)

    assert done.stderr.startswith("boto-rolesanywhere: ")
    assert done.stderr.count("\n") == 1


def programs() -> Iterator[str]:
    """Each command, and each action of a command, as it is typed."""
    for name in COMMANDS:
        yield name
        for action in cli.parser_of(name)._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from (f"{name} {chosen}" for chosen in action.choices)


@pytest.mark.parametrize("program", list(programs()))
@pytest.mark.parametrize("flag", ["--nope", "--jsson"])
def test_a_flag_that_does_not_exist_is_told_before_what_is_missing(
    program: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main([*program.split(), flag])

    said = capsys.readouterr().err
    assert status == (1 if program == "credential-process" else 2)
    assert said.startswith(f"boto-rolesanywhere: {program}: there is no flag {flag}")
    assert said.endswith(f"See boto-rolesanywhere {program} --help.\n")
    assert said.count("\n") == 1
