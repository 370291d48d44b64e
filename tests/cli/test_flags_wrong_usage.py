"""Flags that are missing, wrong or of another program: what the command answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from flag_parsing import PLAIN, PROFILE, parsed, refusal

from boto_rolesanywhere import cli


def test_what_is_missing_is_named_by_flag() -> None:
    message = refusal("--certificate", "cert.pem")

    for flag in ("--trust-anchor-arn", "--profile-arn", "--role-arn"):
        assert f"({flag} or AWS_ROLESANYWHERE_" in message
    assert "(flags, environment): " in message
    assert "count only if --config-profile names it" in message
    assert "argument" not in message


def test_a_wrong_value_is_named_by_flag() -> None:
    assert refusal(*PLAIN, "--session-duration", "1").startswith("--session-duration: '1' is not")


def test_when_nothing_arrives_the_backslash_is_suspected() -> None:
    message = refusal()

    assert "no arguments were given" in message
    assert "continued with a backslash delivers no arguments" in message


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_the_line_that_lost_its_arguments_is_named(tmp_path: Path, variable: str) -> None:
    file = tmp_path / "file"
    file.write_text(
        "[profile x]\n\ncredential_process = boto-rolesanywhere credential-process \\\n"
    )
    nowhere = {"AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none"}
    assert f"It is {file}, line 3." in refusal(environ=nowhere | {variable: str(file)})


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--nope",), "try: there is no flag --nope. See boto-rolesanywhere try --help."),
        (("--regoin", "x"), "there is no flag --regoin (did you mean --region?)."),
        (("--region",), "try: argument --region: expected one argument."),
        (("\n--region", "x"), "continued with a backslash does not arrive whole"),
        (("\\",), "continued with a backslash does not arrive whole"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        parsed(*argv)

    complaint = capsys.readouterr().err
    assert stop.value.code == cli.USAGE
    assert complaint.startswith("boto-rolesanywhere: try: ")
    assert complaint.count("\n") == 1
    assert words in complaint


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("--profile", "onprem"), "--config-profile"),
        (("--profile=onprem",), "--config-profile"),
        (("--aws-profile", "onprem"), "--config-profile"),
        (("--debug", "--profile", PROFILE), "--profile-arn"),
    ],
)
def test_the_flag_of_the_aws_cli_is_answered_with_ours(
    words: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(*words)

    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert (
        f"there is no flag {words[-1].partition('=')[0] if len(words) == 1 else words[-2]}" in said
    )
    assert f"(did you mean {meant}?)" in said


def test_a_profiles_name_for_its_arn_is_answered_with_the_flag() -> None:
    words = ["onprem" if word == PROFILE else word for word in PLAIN]
    assert "A profile of the AWS config file is named by --config-profile." in refusal(*words)


@pytest.mark.parametrize("words", [("--region", "eu-west-1"), ("--debug",)])
def test_arguments_that_were_given_are_not_denied(words: tuple[str, ...]) -> None:
    message = refusal(*words, environ={})
    assert message.startswith("nothing is configured for IAM Roles Anywhere")
    assert "backslash" not in message
