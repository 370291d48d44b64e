"""Which program a ``credential_process`` line runs, in what, and with which command."""

from __future__ import annotations

import sys

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.process_line import read_line
from boto_rolesanywhere.settings.process_words import not_read, words_of

LINE = "aws_signing_helper credential-process --region eu-west-1"
WINDOWS = r"C:\AWS\aws_signing_helper.exe credential-process --certificate C:\pki\app.pem"


@pytest.mark.parametrize(
    ("line", "variables", "around"),
    [
        (LINE, {}, None),
        (f"/opt/aws/{LINE}", {}, None),
        (f"sh -c '{LINE}'", {}, None),
        (f"/bin/bash -lc 'exec {LINE}'", {}, None),
        (f"env AWS_CA_BUNDLE=/ca.pem A= {LINE}", {"AWS_CA_BUNDLE": "/ca.pem", "A": ""}, None),
        (f"sh -c 'A=1 {LINE}'", {"A": "1"}, None),
        (f"sudo -n -u svc {LINE}", {}, "sudo"),
        (f"timeout 9 docker run --rm -e A=1 image {LINE}", {"A": "1"}, "docker"),
        (LINE.replace("helper", "helper-1.8.0_linux_amd64"), {}, None),
        (f"/mnt/c/AWS/{LINE.replace('helper', 'helper.exe')}", {}, None),
    ],
)
def test_the_program_is_found_in_what_runs_it(
    line: str, variables: dict[str, str], around: str | None
) -> None:
    words = words_of(line, "here")

    assert words is not None
    assert (words.variables, words.around) == (variables, around)
    assert words.flags == ("credential-process", "--region", "eu-west-1")


def test_on_windows_a_backslash_is_part_of_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    found = read_line(WINDOWS)

    assert found is not None
    assert found.program == r"C:\AWS\aws_signing_helper.exe"
    assert found.values == {"--certificate": r"C:\pki\app.pem"}
    assert not_read(WINDOWS) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"sh -c '{LINE} | jq .'", "it runs sh, and only that shell can interpret the rest"),
        (f"bash -c '{LINE} --certificate $HOME/c.pem'", "it runs bash, and only that shell can"),
        (
            f'powershell -c "{LINE}"',
            "it runs powershell, and only that shell can interpret the rest",
        ),
        (WINDOWS, "the backslashes in it are lost"),
        ("/opt/my_aws_signing_helper.sh x", "it runs another program, around this one"),
    ],
)
def test_why_a_line_is_not_read_is_said(line: str, words: str) -> None:
    assert read_line(line) is None
    reason = not_read(line)
    assert reason is not None
    assert words in reason[0]


def test_another_program_needs_no_reason() -> None:
    assert (read_line("vault 'aws"), not_read("vault 'aws")) == (None, None)


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        ("serve --port 9911", "with serve, which prints no credentials", "does not end"),
        ("--debug update", "with update, which prints no credentials", "the profile that it"),
        ("env", "with env, which prints no credentials", "A shell reads what it prints."),
        ("--region eu-west-1", "with no command, which prints", ""),
        ("HUNTER2", "with another command, which prints", ""),
    ],
)
def test_another_command_than_credential_process_is_refused(
    words: str, problem: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_line(f"/opt/aws_signing_helper {words}", "config, line 2")

    assert f"it runs aws_signing_helper {problem}" in refused.value.problem
    assert refused.value.where == "config, line 2"
    assert remedy in (refused.value.remedy or "")
    assert "HUNTER2" not in str(refused.value)
