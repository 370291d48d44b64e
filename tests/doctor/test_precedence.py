"""What the doctor says of credentials that programs find before those of IAM Roles Anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from examined import ARNS, ISSUING, config_file, examined, only, written


def test_nothing_comes_first(folder: Path) -> None:
    found = only(examined(written(ISSUING.issue("app"), folder)), "precedence")
    assert (found.status, found.remedy) == ("ok", None)


@pytest.mark.parametrize("profile_name", [None, "default"])
def test_access_keys_of_the_environment_fail_by_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, profile_name: str | None
) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    verdicts = list(examined(arguments, profile_name=profile_name))

    found = only(verdicts, "precedence")
    assert found.status == "fail"
    assert "AWS_ACCESS_KEY_ID of the environment comes first" in found.text
    assert "Unset AWS_ACCESS_KEY_ID" in str(found.remedy)
    assert "AKIAOLD" not in str(verdicts)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("role_arn = arn:aws:iam::123456789012:role/Next\nsource_profile = other", True),
        ("sso_account_id = 123456789012", True),
        ("region = eu-west-1", False),
    ],
)
def test_what_a_profile_has_before_its_credential_process(
    clean_environment: Path, line: str, counts: bool
) -> None:
    config_file(
        clean_environment,
        f"[default]\n{line}\ncredential_process = boto-rolesanywhere credential-process\n"
        "[profile other]\nregion = eu-west-1\n",
    )
    found = only(examined({}), "precedence")
    assert (found.status == "fail", line.split(maxsplit=1)[0] in found.text) == (counts, counts)


def test_a_profile_that_also_assumes_a_role(folder: Path, clean_environment: Path) -> None:
    arguments = written(ISSUING.issue("app"), folder)
    lines = [f"rolesanywhere_{key} = {value}" for key, value in _settings(arguments).items()]
    config_file(clean_environment, "[default]\nrole_arn = x\n" + "\n".join(lines) + "\n")

    assert "role_arn of profile 'default' comes first" in only(examined({}), "precedence").text
    assert only(examined(arguments), "precedence").status == "ok"


@pytest.mark.parametrize(
    ("line", "stored", "environment", "first"),
    [
        ("", "aws_access_key_id = AKIAOLD", {}, "aws_access_key_id of [default] in"),
        ("sso_account_id = 123456789012", "", {}, "sso_account_id of profile 'default'"),
        ("", "", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, "AWS_WEB_IDENTITY_TOKEN_FILE of the env"),
        ("", "region = eu-west-1", {}, None),
    ],
)
def test_a_profile_with_settings_and_a_line_for_the_aws_cli(
    folder: Path,
    clean_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    stored: str,
    environment: dict[str, str],
    first: str | None,
) -> None:
    """`setup` and ``ca issue`` write both: programs without install() go by the line alone."""
    settings = _settings(written(ISSUING.issue("app"), folder))
    lines = [f"rolesanywhere_{key} = {value}" for key, value in settings.items()]
    lines += [line, "credential_process = boto-rolesanywhere credential-process"]
    config = config_file(clean_environment, "[default]\n" + "\n".join(lines) + "\n")
    config.with_name("credentials").write_text(f"[default]\n{stored}\n")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)

    found = only(examined({}), "precedence")

    assert found.status == ("fail" if first else "ok")
    assert first is None or "the AWS CLI and boto3 without install() do not run the" in found.text
    assert (first or "find nothing before") in found.text


@pytest.mark.parametrize(
    ("lines", "stored", "status", "words"),
    [
        ("", "", "ok", "the AWS CLI and boto3 without install() need a credential_process"),
        ("", "aws_access_key_id = AKIAOLD", "warn", "aws_access_key_id of [default] in"),
        ("aws_access_key_id = AKIAOLD", "", "warn", "aws_access_key_id of profile 'default'"),
        ("credential_process = /opt/vault-aws get", "", "warn", "runs another program"),
        ("credential_process = aws_signing_helper serve", "", "fail", "with serve"),
        (
            "credential_process = aws_signing_helper credential-process --role-arn old",
            "",
            "warn",
            "has another rolesanywhere_role_arn",
        ),
        (
            "credential_process = boto-rolesanywhere credential-process --config-profile old",
            "",
            "warn",
            "reads profile 'old'",
        ),
        (
            "credential_process = boto-rolesanywhere credential-process --config-profile default",
            "",
            "ok",
            "find nothing before",
        ),
    ],
)
def test_programs_that_do_not_know_the_settings_take_something_else(
    folder: Path, clean_environment: Path, lines: str, stored: str, status: str, words: str
) -> None:
    settings = _settings(written(ISSUING.issue("app"), folder))
    ours = "\n".join(f"rolesanywhere_{key} = {value}" for key, value in settings.items())
    config = config_file(clean_environment, f"[default]\n{ours}\n{lines}\n")
    config.with_name("credentials").write_text(f"[default]\n{stored}\n")

    found = only(examined({}), "precedence")

    assert (found.status, words in found.text) == (status, True), found.text
    assert "AKIAOLD" not in f"{found}"


@pytest.mark.parametrize(("named", "status"), [(None, "fail"), ("onprem", "ok")])
def test_the_other_variable_for_a_profile_fails_by_name(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, status: str
) -> None:
    config_file(
        clean_environment, "[profile onprem]\nrolesanywhere_role_arn = x\n[profile other]\n"
    )
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "other")
    monkeypatch.setenv("AWS_PROFILE", "onprem")

    found = only(examined({}, profile_name=named), "precedence")

    assert found.status == status
    assert ("profile 'other' of AWS_DEFAULT_PROFILE comes" in found.text) == (named is None)
    assert named or found.remedy == (
        "Unset AWS_DEFAULT_PROFILE: botocore looks at it before AWS_PROFILE."
    )


def _settings(arguments: dict[str, object]) -> dict[str, object]:
    return {
        "certificate": arguments["cert"],
        "trust_anchor_arn": ARNS["anchor"],
        "profile_arn": ARNS["profile"],
        "role_arn": ARNS["role"],
    }
