"""doctor reads and checks the profile's ``credential_process``, ours or that of AWS's helper."""

from __future__ import annotations

from pathlib import Path

import pytest
from examined import ARNS, ISSUING, bad, config_file, examined, named, only, written

from boto_rolesanywhere.cli.store.process_choice import chosen_arguments
from boto_rolesanywhere.doctor import examine

PROGRAMS = (
    "aws_signing_helper credential-process",
    "/opt/bin/aws_signing_helper credential-process",
    "boto-rolesanywhere credential-process",
    "/usr/bin/python3 -m boto_rolesanywhere credential-process",
    "env boto-rolesanywhere --debug credential-process",
)


def line(arguments: dict[str, object], *more: str, program: str = PROGRAMS[0]) -> str:
    words = {
        "--certificate": arguments["cert"],
        "--private-key": arguments["key"],
        "--trust-anchor-arn": ARNS["anchor"],
        "--profile-arn": ARNS["profile"],
    }
    flags = [f"{flag} {value}" for flag, value in words.items()]
    return " ".join([program, *flags, f"--role-arn={ARNS['role']}", *more])


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_line_is_checked(folder: Path, clean_environment: Path, program: str) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    file = config_file(
        clean_environment,
        f"[profile onprem]\ncredential_process = {line(arguments, program=program)}\n",
    )
    verdicts = examined({}, profile_name="onprem")

    found = only(verdicts, "configuration")
    assert found.status == "ok", found
    assert f"credential_process of profile 'onprem', {file}, line 2" in found.text
    assert dict(found.details)["certificate"] == f"{arguments['cert']} (from --certificate)"
    assert only(verdicts, "key").status == "ok"
    assert "60 minutes" in only(verdicts, "settings").text  # as the helper asks for


@pytest.mark.parametrize("key", ["credential_process", "Credential_Process"])
def test_the_line_may_stand_in_the_credentials_file(
    folder: Path, clean_environment: Path, key: str
) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    file = config_file(clean_environment, "[profile onprem]\nregion = eu-west-1\n")
    stored = file.with_name("credentials")
    stored.write_text(f"[onprem]\n# by hand\n{key} = {line(arguments)}\n")

    found = only(examined({}, profile_name="onprem"), "configuration")

    assert found.status == "ok"
    assert f"credential_process of profile 'onprem', {stored}, line 3" in found.text


def test_what_is_wrong_in_the_line_is_found(folder: Path, clean_environment: Path) -> None:
    arguments = written(ISSUING.issue("app"), folder) | {"key": "/gone.key"}
    more = "--session-duration 10 --cert-store /x"
    config_file(clean_environment, f"[default]\ncredential_process = {line(arguments, more)}\n")

    verdicts = examined({})

    assert ("file", "fail") in bad(verdicts)
    assert "--session-duration: '10' is not" in only(verdicts, "settings").text
    told = [one.text for one in named(verdicts, "configuration") if one.status == "warn"]
    assert told == ["doctor does not follow --cert-store of credential_process"]


@pytest.mark.parametrize(
    "more",
    [
        *("--no-verify-ssl=false --debug=T", "--with-proxy true", "--session-duration 0xE10"),
        "--no-tpm-key-password",
    ],
)
def test_values_are_read_as_the_helper_reads_them(
    folder: Path, clean_environment: Path, more: str
) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    config_file(clean_environment, f"[default]\ncredential_process = {line(arguments, more)}\n")

    verdicts = examined({})

    assert [one for one in named(verdicts, "configuration") if one.status != "ok"] == []
    assert "60 minutes" in only(verdicts, "settings").text


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("--cert-store {}", ""),
        ("--cert-store {} --system-store-name MY --use-latest-expiring-certificate", ""),
        ("", "Name what to choose from: --cert-store"),
        ("--cert-store {}/gone", "gone: it cannot be read"),
    ],
)
def test_what_the_line_chooses_from_a_store_is_checked(
    folder: Path, clean_environment: Path, place: str, told: str
) -> None:
    written(ISSUING.issue("app"), folder)
    words = line({"cert": "", "key": ""}).replace("--certificate  --private-key ", "")
    selector = "--cert-selector Key=x509Subject,Value=CN=app"
    config_file(
        clean_environment,
        f"[default]\ncredential_process = {words} {selector} {place.format(folder)}\n",
    )

    verdicts = list(examine(offline=True, choose=chosen_arguments))

    failed = [f"{one.text} {one.remedy}" for one in verdicts if one.status in ("fail", "warn")]
    if told:
        assert told in failed[0]
    else:
        assert failed == []
        assert only(verdicts, "key").status == only(verdicts, "chain").status == "ok"


@pytest.mark.parametrize("form", ["--pkcs8-password-file {}", "--pkcs8-password hunter2"])
def test_the_passphrase_of_the_line_is_used_and_not_shown(
    folder: Path, clean_environment: Path, form: str
) -> None:
    arguments = written(ISSUING.issue("app"), folder, passphrase="hunter2")
    (folder / "phrase").write_text("hunter2\n")
    (folder / "phrase").chmod(0o600)
    config_file(
        clean_environment,
        f"[default]\ncredential_process = {line(arguments, form.format(folder / 'phrase'))}\n",
    )
    verdicts = examined({})
    assert only(verdicts, "key").status == "ok"
    assert "hunter2" not in str(verdicts)
    warned = [one.text for one in named(verdicts, "configuration") if one.status == "warn"]
    in_line = "the value of --pkcs8-password in credential_process is the secret itself"
    assert [text.startswith(in_line) for text in warned] == [True] * ("-file" not in form)


def test_a_line_that_names_a_profile_is_followed(folder: Path, clean_environment: Path) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    keys = {
        "certificate": arguments["cert"],
        "private_key": arguments["key"],
        "trust_anchor_arn": ARNS["anchor"],
        "profile_arn": ARNS["profile"],
        "role_arn": ARNS["role"],
    }
    text = "".join(f"rolesanywhere_{key} = {value}\n" for key, value in keys.items())
    config_file(
        clean_environment,
        f"[profile base]\n{text}[profile onprem]\n"
        "credential_process = boto-rolesanywhere credential-process --config-profile base\n",
    )
    verdicts = examined({}, profile_name="onprem")
    assert only(verdicts, "configuration").status == "ok"
    assert only(verdicts, "key").status == "ok"


@pytest.mark.parametrize(
    "lines",
    [
        "{} \\\n  --certificate x \\\n  --private-key y",
        "{} \\\n--certificate x \\\n--private-key y",
        "{} \\\n  # nothing follows",
        "{} \\",
    ],
)
def test_a_continued_line_is_named_with_its_number(clean_environment: Path, lines: str) -> None:
    value = lines.format("aws_signing_helper credential-process")
    file = config_file(clean_environment, f"[default]\ncredential_process = {value}\n")

    failed = [one for one in examined({}) if one.code == "config-file-unparseable"]

    assert len(failed) == 1
    assert failed[0].text.startswith(f"{file}, line 2: this line is continued")


def test_a_line_that_goes_on_below_is_read_as_botocore_reads_it(
    folder: Path, clean_environment: Path
) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    value = line(arguments).replace(" --", "\n  --")
    file = config_file(clean_environment, f"[default]\ncredential_process = {value}\n")

    verdicts = examined({})

    (warned,) = [one.text for one in verdicts if one.status == "warn"]
    assert f"credential_process goes on below {file}, line 2: boto3 and the AWS CLI" in warned
    assert only(verdicts, "key").status == "ok"


def test_another_program_is_left_alone(clean_environment: Path) -> None:
    config_file(clean_environment, "[default]\ncredential_process = vault 'aws\n")
    assert "nothing is configured" in only(examined({}), "configuration").text


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("env AWS_CA_BUNDLE=/x aws_signing_helper", "sets AWS_CA_BUNDLE, and doctor runs without"),
        ("sudo -u svc aws_signing_helper", "runs aws_signing_helper by sudo, and doctor runs here"),
    ],
)
def test_what_the_line_does_around_the_program_is_warned_of(
    folder: Path, clean_environment: Path, program: str, told: str
) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    words = line(arguments, program=f"{program} credential-process")
    config_file(clean_environment, f"[default]\ncredential_process = {words}\n")

    verdicts = examined({})

    warned = [one.text for one in verdicts if one.status == "warn"]
    assert len(warned) == 1
    assert told in warned[0]
    assert only(verdicts, "key").status == "ok"


def test_another_command_of_the_helper_is_refused(clean_environment: Path) -> None:
    file = config_file(
        clean_environment, "[default]\ncredential_process = aws_signing_helper serve\n"
    )

    refused, unset = [one for one in named(examined({}), "configuration") if one.status == "fail"]

    assert refused.text.startswith(f"{file}, line 2: it runs aws_signing_helper with serve")
    assert "profile 'default' gives no settings: correct that line" in str(unset.remedy)


def test_flags_with_one_hyphen_are_pointed_out(clean_environment: Path) -> None:
    line = "aws_signing_helper credential-process -certificate HUNTER2 -region x"
    config_file(clean_environment, f"[default]\ncredential_process = {line}\n")

    told = str(only(examined({}), "configuration").remedy)

    assert "gives no settings (it has -certificate, -region): correct that line" in told
    assert "HUNTER2" not in told


def test_a_shell_around_the_helper_is_pointed_out(clean_environment: Path) -> None:
    line = "sh -c 'aws_signing_helper credential-process --certificate x | jq .'"
    config_file(clean_environment, f"[default]\ncredential_process = {line}\n")
    assert "profile 'default': it runs sh, and only that shell can interpret the rest" in str(
        only(examined({}), "configuration").remedy
    )
