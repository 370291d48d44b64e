"""Command lines of AWS's helper are read as Go's pflag reads them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from boto_rolesanywhere import cli
from boto_rolesanywhere.cli.command_first import command_first
from boto_rolesanywhere.cli.commands import exec_
from boto_rolesanywhere.cli.flag_table import TAKES_VALUE, settings_of
from boto_rolesanywhere.cli.flags import add_flags, given_flags
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.settings.go_values import boolean, whole_number

COMMANDS = ("env", "serve", "update", "exec")


def parser() -> Parser:
    made = Parser(prog="boto-rolesanywhere try", allow_abbrev=False)
    add_flags(made)
    return made


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_every_spelling_of_true_is_true(text: str) -> None:
    assert boolean(text) is True
    assert parser().parse_args([f"--debug={text}"]).debug is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_every_spelling_of_false_is_false(text: str) -> None:
    assert boolean(text) is False
    assert parser().parse_args(["--debug", f"--debug={text}"]).debug is False


@pytest.mark.parametrize(
    ("words", "json"),
    [(["--json=T"], True), (["--json", "--json=0"], False), (["--json=0", "--json"], True)],
)
def test_a_switch_of_every_command_may_have_a_value_and_the_last_one_counts(
    words: list[str], json: bool
) -> None:
    assert cli.parser_of("subjects").parse_args(words).json is json
    assert cli.parser_of("ca").parse_args(["list", *words]).json is json


@pytest.mark.parametrize("text", ["", "yes", "tRUE", "on", "2", "true "])
def test_no_other_spelling_is_taken(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([f"--debug={text}"])

    assert "argument --debug: it is true or false" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("3600", 3600), ("0xE10", 3600), ("0Xe10", 3600), ("3_600", 3600), ("0x_e_10", 3600)),
        *(("0b101", 5), ("0o17", 15), ("017", 15), ("0_17", 15), ("0", 0), ("+9", 9), ("-9", -9)),
        *(("", None), ("09", None), ("0x", None), ("1__0", None), ("_1", None), ("1_", None)),
        *((" 1", None), ("1e3", None), ("٣", None), ("0x1g", None), ("1.0", None)),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_a_session_may_last_hexadecimal_seconds() -> None:
    values = settings_of({"--session-duration": "0x384"})

    assert values == {"--session-duration": "900"}


@pytest.mark.parametrize("flag", ["--role-session-name", "--pkcs8-password", "--endpoint"])
@pytest.mark.parametrize("value", ["-x", "--x", "-", "-1", "---", "-----BEGIN", "--x=y", "", "a b"])
def test_a_value_may_begin_with_a_dash(flag: str, value: str) -> None:
    for words in ([flag, value], [f"{flag}={value}"]):
        assert given_flags(parser().parse_args([*words, "--debug"])) == {flag: value, "--debug": ""}


@pytest.mark.parametrize("words", [["--debug", "true"], ["--debug", "--"], ["--debug", "T", "--"]])
def test_what_the_helper_passes_over_is_passed_over(words: Sequence[str]) -> None:
    assert given_flags(parser().parse_args(words)) == {"--debug": ""}


@pytest.mark.parametrize("words", [["#", "prod"], ["x", "--debug"], ["--debug", "x"]], ids=" ".join)
def test_words_that_no_flag_takes_are_passed_over_by_the_helpers_commands(
    words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # As AWS's helper (1.8.0) does: a comment behind a credential_process line arrives so.
    given = cli.parser_of("credential-process").parse_args([*words, "--region", "x"])

    assert given.region == "x"
    assert "that no flag takes: passed over." in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--debug", "false"], ["-x"], ["\N{EN DASH}x"], ["a\\"], ["--x"]]
)
def test_a_slip_is_no_word_to_pass_over(words: Sequence[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parser_of("credential-process").parse_args(words)


def test_a_word_behind_a_switch_that_has_its_own_place_stays() -> None:
    made = Parser(prog="boto-rolesanywhere ca revoke")
    add_switch(made, "--json", "")
    made.add_argument("serial")
    assert made.parse_args(["--json", "1"]).serial == "1"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--debug", "false"],
            "1 argument that no flag takes",
        ),  # the helper would take it for true
        (["-certificate", "c"], "there is no flag -certificate (did you mean --certificate?)"),
        (["\N{EN DASH}certificate", "c"], "two hyphens (--), and one here with a dash"),
    ],
)
def test_what_is_no_flag_is_answered_with_what_was_meant(
    words: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--certificate"], ["--certificate", "--debug"]], ids=" ".join)
def test_a_value_that_was_forgotten_is_asked_for(
    words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)

    assert "argument --certificate: expected one argument" in capsys.readouterr().err


def test_the_words_of_another_program_stay_as_they_are() -> None:
    made = Parser(prog="boto-rolesanywhere exec", allow_abbrev=False)
    exec_.add_arguments(made)

    arguments = made.parse_args(
        ["--region", "-x", "aws", "--debug=T", "--region", "-y", "--", "-z"]
    )

    assert arguments.region == "-x"
    assert arguments.command == ["aws", "--debug=T", "--region", "-y", "--", "-z"]
    assert made.parse_args(["--", "--debug=T"]).command[-1] == "--debug=T"


def test_the_words_of_an_action_are_read_once() -> None:
    made = Parser(prog="boto-rolesanywhere ca")
    add_switch(made, "--all", "")
    made.add_argument("--folder")
    action = made.add_subparsers(dest="action").add_parser("issue")
    action.add_argument("--name")
    add_switch(action, "--new", "")

    words = ["--folder", "-f", "--all=T", "issue", "--new=F", "--name", "--all"]
    arguments = made.parse_args(words)

    assert vars(arguments) == {
        "folder": "-f",
        "all": True,
        "action": "issue",
        "new": False,
        "name": "--all",
        "words": words,
    }


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        (["--debug", "env"], ["env", "--debug"]),
        (["--debug=false", "env", "x"], ["env", "--debug=false", "x"]),
        (["--certificate", "env", "serve"], ["serve", "--certificate", "env"]),
        (["--certificate=c", "env", "--debug"], ["env", "--certificate=c", "--debug"]),
        (["--port", "1", "serve"], ["serve", "--port", "1"]),
        (["--once", "update"], ["update", "--once"]),
        (["--pkcs11-pin", "-x", "env"], ["env", "--pkcs11-pin", "-x"]),
        (
            ["--cert-selector", "Key=a", "Key=b", "env"],
            ["env", "--cert-selector", "Key=a", "Key=b"],
        ),
        (["--region", "r", "exec", "--", "env"], ["exec", "--region", "r", "--", "env"]),
        (["--debug"], None),
        (["--", "env"], None),
        (["-x", "env"], None),
        (["--certificate"], None),
        (["--certificate", "env"], None),
    ],
    ids=str,
)
def test_flags_may_stand_before_the_command(words: list[str], ordered: list[str] | None) -> None:
    assert command_first(words, COMMANDS, TAKES_VALUE) == ordered


def test_the_program_takes_flags_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--debug=F", "explain", "session-denied"]) == 2  # which has no such flag
    assert "explain: there is no flag --debug" in capsys.readouterr().err
    assert cli.main(["--list", "never"]) == 2
    assert "there is no option '--list'" in capsys.readouterr().err
    assert cli.main(["--pkcs11-pin=S3CRET"]) == 2
    assert "no command was given. There are: credential-process" in capsys.readouterr().err
