"""``exec`` as a process: which command runs, what it is given, and how it ends."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import processes
import pytest
from exec_runs import OTHER_SOURCES, PATIENCE, SHOW_KEY, both_ways, python, run
from serving import last_key

from boto_rolesanywhere.testing import Emulator


@both_ways
def test_boto3_in_the_command_uses_the_role(
    emulator: Emulator, flags: list[str], way: list[str]
) -> None:
    done = python([*flags, *way], SHOW_KEY)

    method = "container-role" if way else "env"
    assert done.stdout == f"{method} {last_key(emulator)}\n", done.stderr
    assert emulator.created == 1


@both_ways
def test_the_command_uses_the_role_whatever_else_is_configured(
    emulator: Emulator, flags: list[str], way: list[str], aws_files: Path
) -> None:
    (aws_files / "credentials").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n"
    )
    with (aws_files / "config").open("a") as config:
        config.write("[default]\ncredential_process = /bin/false\n")
    done = python([*flags, *way], SHOW_KEY, **OTHER_SOURCES)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == last_key(emulator)


@both_ways
def test_the_command_has_the_file_limits_that_were_there(
    flags: list[str], way: list[str], aws_files: Path
) -> None:
    limits = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    done = python([*flags, *way], limits)

    assert done.stdout.split() == [str(number) for number in before], done.stderr


@both_ways
@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 128 + 9), ("kill -TERM $$", 128 + 15)],
)
def test_the_exit_status_is_the_commands(
    flags: list[str], way: list[str], script: str, status: int
) -> None:
    done = run([*flags, *way], "sh", "-c", script)

    # In place of this program, the command dies of the signal itself.
    died = status > 128 and not way
    assert done.returncode == (128 - status if died else status)


@both_ways
def test_input_and_output_are_the_commands(flags: list[str], way: list[str]) -> None:
    done = run([*flags, *way], "sh", "-c", "cat; echo problem >&2", given="some input")

    assert (done.stdout, done.stderr) == ("some input", "problem\n")


@both_ways
def test_arguments_arrive_as_they_are(flags: list[str], way: list[str]) -> None:
    words = ["--serve", "--", "a b", "", "$HOME", "--role-arn"]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    done = run([*flags, *way], sys.executable, "-c", code, *words)

    assert json.loads(done.stdout) == words


def test_the_two_dashes_may_be_left_out(flags: list[str]) -> None:
    line = ["exec", *flags, "echo", "--serve", "x"]
    done = processes.run(*line, capture_output=True, text=True, check=True, timeout=PATIENCE)

    assert done.stdout == "--serve x\n"


@both_ways
@pytest.mark.parametrize(
    ("make", "status", "words"),
    [
        (None, 127, "No such file or directory"),
        (0o644, 126, "Permission denied"),
    ],
)
def test_a_command_that_cannot_be_run_is_told_as_a_shell_does(
    flags: list[str], way: list[str], tmp_path: Path, make: int | None, status: int, words: str
) -> None:
    program = tmp_path / "program"
    if make is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(make)
    done = run([*flags, *way], str(program))

    assert done.returncode == status
    assert words in done.stderr
    assert str(program) in done.stderr
    assert done.stderr.count("\n") == 1


@both_ways
def test_an_empty_name_is_no_command(flags: list[str], way: list[str]) -> None:
    done = run([*flags, *way], "")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no command to run" in done.stderr


@both_ways
def test_the_command_is_not_run_without_credentials(
    emulator: Emulator, flags: list[str], way: list[str], tmp_path: Path
) -> None:
    emulator.remove(emulator.role_arn)
    done = run([*flags, *way], "touch", str(tmp_path / "ran"))

    assert done.returncode == 1
    assert done.stderr.startswith("boto-rolesanywhere: CreateSession was refused")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("more", [[], ["--"]])
def test_without_a_command_it_says_how_to_write_one(flags: list[str], more: list[str]) -> None:
    done = processes.run("exec", *flags, *more, capture_output=True, text=True, timeout=PATIENCE)

    assert done.returncode == 2
    assert "exec -- aws s3 ls" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_teaches() -> None:
    done = processes.run("exec", "--help", capture_output=True, text=True, check=True)

    for word in ("--serve", "COMMAND", "examples:", "AWS_PROFILE", "127", "-- aws s3 ls"):
        assert word in done.stdout
