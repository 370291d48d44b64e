"""Each shell that is there completes by the script that is printed for it.

There is no PowerShell to install: its script is read by a parser of the language.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Final

import pytest
from installed import require
from powershell import found, parsed

from boto_rolesanywhere import cli
from boto_rolesanywhere.cli.completion.scripts import SCRIPTS
from boto_rolesanywhere.cli.completion.tree import contexts

Complete = Callable[..., list[str]]
# Of a script for PowerShell: all that are quoted, and the keys of its tables among them.
STRINGS: Final = """
(verbatim_string_characters) @text
(key_expression (unary_expression (string_literal (verbatim_string_characters) @key)))
"""


def printed(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


def path_of(shell: str) -> str:
    found = shutil.which(shell)
    require(found is not None, shell)
    return str(found)


@pytest.fixture(params=["bash", "fish"])
def complete(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Complete:
    """What a shell offers for the last of these words."""
    shell = request.param
    program = path_of(shell)
    script = printed(shell, capsys)

    def by_bash(*words: str) -> list[str]:
        asked = (
            'COMP_WORDS=(boto-rolesanywhere "$@"); COMP_CWORD=$#; _boto_rolesanywhere;'
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return _lines([program, "--norc", "-c", f"{script}\n{asked}", "bash", *words])

    def by_fish(*words: str) -> list[str]:
        line = " ".join(("boto-rolesanywhere", *words))
        return _lines([program, "--no-config", "-c", f"{script}\ncomplete -C '{line}'"])

    return by_bash if shell == "bash" else by_fish


def _lines(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines() if line]


def test_a_shell_completes_commands_actions_flags_and_values(complete: Complete) -> None:
    assert complete("cred") == ["credential-process"]
    assert complete("ca", "ren") == ["renew"]
    assert complete("ca", "renew", "--key-t") == ["--key-type"]
    assert complete("env", "--debug", "--form") == ["--format"]
    assert "--format" not in complete("serve", "--")
    assert set(complete("env", "--format", "")) == {"sh", "fish", "powershell", "dotenv", "json"}
    assert complete("completion", "zs") == ["zsh"]
    assert complete("env", "--role-arn", "arn:") == []


@pytest.mark.parametrize("shell", ["zsh", "fish", "bash"])
def test_a_shell_can_read_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = path_of(shell)
    script = printed(shell, capsys)

    done = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, check=True)

    assert done.stderr == ""


def test_zsh_completes_words_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    program = path_of("zsh")
    # Outside of its line editor the functions of zsh offer nothing: these say what they were asked.
    stubs = (
        "compdef() { :; }; _describe() { print -l -- ${known%%:*}; }; _files() { print FILES; };"
        " _message() { print VALUE; }; compadd() { shift; print -l -- $@; }; PREFIX=;"
    )
    inside = "words=(boto-rolesanywhere $@); CURRENT=$#words; _boto-rolesanywhere"
    script = f"{stubs}\n{printed('zsh', capsys)}\n{inside}"

    def offered(*words: str) -> list[str]:
        return _lines([program, "-f", "-c", script, "zsh", *words])

    assert {"credential-process", "ca", "--version"} <= set(offered("x"))
    assert {"issue", "renew"} <= set(offered("ca", "x"))
    assert "--format" in offered("env", "--debug", "--x")
    assert offered("env", "--format", "x") == ["sh", "fish", "powershell", "dotenv", "json"]
    assert offered("env", "--certificate", "x") == ["FILES"]
    assert offered("env", "--role-arn", "x") == ["VALUE"]


def test_the_script_for_powershell_is_one_and_its_tables_hold_what_they_should(
    capsys: pytest.CaptureFixture[str],
) -> None:
    strings = found(STRINGS, parsed(printed("powershell", capsys)))

    keys = strings["key"]
    # PowerShell takes no key twice in one table, and "A" is "a" to it.
    paths = [key for key in keys if ":" not in key]
    assert len({key.lower() for key in keys}) == len(keys)
    assert set(paths) == {each.path for each in contexts()}
    texts = set(strings["text"])
    for each in contexts():
        assert {f"{word.text}|{word.help or word.text}" for word in each.words} <= texts
        assert {f"{one}|{one}" for word in each.words for one in word.choices} <= texts


def test_every_command_and_visible_flag_is_in_each_script() -> None:
    known = contexts()
    assert {each.path for each in known} >= {*cli.COMMANDS, "", "ca issue", "crl sync"}
    for write in SCRIPTS.values():
        script = write(known)
        for each in known:
            assert each.path in script
            assert all(word.text.removeprefix("--") in script for word in each.words)
        assert "--debug=true" not in script
