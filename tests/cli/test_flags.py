"""The flags that all commands share: those of AWS's helper, taken and refused as there."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere import cli
from boto_rolesanywhere.cli.flag_table import (
    EXCLUSIVE,
    FLAGS,
    SECRETS,
    TAKES_VALUE,
    conflict,
    read_plainly,
)
from boto_rolesanywhere.cli.flags import add_flags, given_flags
from boto_rolesanywhere.cli.inputs import config_from, inputs_from, issuer_from, sources_from
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.config import Config

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a"
PROFILE = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p"
ROLE = "arn:aws:iam::123456789012:role/R"
ARNS = ("--trust-anchor-arn", ANCHOR, "--profile-arn", PROFILE, "--role-arn", ROLE)
PLAIN = ("--certificate", "cert.pem", "--private-key", "key.pem", *ARNS)
HELPERS = {
    *("--certificate", "--private-key", "--intermediates"),
    *("--trust-anchor-arn", "--profile-arn", "--role-arn"),
    *("--session-duration", "--role-session-name", "--region", "--endpoint"),
    *("--no-verify-ssl", "--with-proxy", "--debug"),
    *("--pkcs8-password", "--pkcs11-lib", "--pkcs11-pin", "--reuse-pin"),
    *("--tpm-key-password", "--no-tpm-key-password"),
    *("--cert-selector", "--system-store-name", "--use-latest-expiring-certificate"),
}


def parser() -> Parser:
    made = Parser(prog="boto-rolesanywhere try", allow_abbrev=False)
    add_flags(made)
    return made


def parsed(*argv: str) -> argparse.Namespace:
    return parser().parse_args(argv)


def config(*argv: str, environ: Mapping[str, str] | None = None) -> Config:
    return config_from(inputs_from(parsed(*argv), environ=environ or {}))


def refusal(*argv: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config(*argv, environ=environ)
    return str(caught.value)


def secret_of(*argv: str, environ: Mapping[str, str] | None = None) -> bytes:
    secret = config(*PLAIN, *argv, environ=environ).sources.secret
    assert secret is not None
    return secret.reveal()


def test_every_flag_of_the_helper_is_there() -> None:
    assert set(TAKES_VALUE) >= HELPERS


def test_what_is_given_arrives() -> None:
    found = config(
        *PLAIN,
        *("--intermediates", "chain.pem", "--session-duration", "900"),
        *("--role-session-name", "me", "--region", "eu-central-1"),
        *("--endpoint", "https://e.example", "--pkcs11-lib", "/lib.so", "--tpm-tcti", "device:x"),
    )

    assert (found.sources.certificate, found.sources.private_key) == ("cert.pem", "key.pem")
    assert (found.sources.chain, found.sources.pkcs11_module) == ("chain.pem", "/lib.so")
    assert (found.sources.tpm_tcti, found.sources.secret) == ("device:x", None)
    assert (str(found.trust_anchor), str(found.profile), str(found.role)) == (ANCHOR, PROFILE, ROLE)
    assert (found.duration, found.session_name) == (900, "me")
    assert (found.region, found.endpoint_url) == ("eu-central-1", "https://e.example")


def test_the_private_key_may_be_left_out() -> None:
    assert config("--certificate", "pkcs11:token=t", *ARNS).sources.private_key is None


def test_an_hour_is_asked_for_where_the_helper_asks_for_one() -> None:
    assert config(*PLAIN).duration == 3600
    assert config(*PLAIN, "--session-duration", "900").duration == 900
    environ = {"AWS_ROLESANYWHERE_DURATION_SECONDS": "1800"}
    assert config(*PLAIN, environ=environ).duration == 1800


def test_the_helpers_other_forms_are_taken() -> None:
    found = config(
        *(f"{flag}={value}" for flag, value in zip(PLAIN[::2], PLAIN[1::2], strict=True))
    )
    assert str(found.role) == ROLE

    assert config(*PLAIN, "--endpoint", "e.example").endpoint_url == "https://e.example"
    empty = ("--intermediates", "", "--region", "", "--pkcs8-password", "")
    found = config(*PLAIN, *empty)
    assert (found.sources.chain, found.region, found.sources.secret) == (None, "eu-west-1", None)

    for words, debug in ((["--debug"], True), (["--debug=true"], True), (["--debug=false"], False)):
        assert parsed(*words).debug is debug
    assert "--debug" not in given_flags(parsed("--debug=false"))


def test_what_changes_nothing_is_accepted() -> None:
    assert config(*PLAIN, "--with-proxy", "--reuse-pin") == config(*PLAIN)


def test_all_that_the_helper_refuses_together_is_known() -> None:
    chosen = ("--cert-selector", "--system-store-name", "--system-store-location")
    latest = "--use-latest-expiring-certificate"
    helpers = {
        *((one, other) for one in ("--certificate", "--private-key") for other in chosen),
        *((one, "--reuse-pin") for one in (*chosen, latest, "--tpm-key-password")),
        *((one, "--intermediates") for one in (latest, "--cert-selector")),
        ("--private-key", latest),
        *((one, "--cert-selector") for one in ("--tpm-key-password", "--no-tpm-key-password")),
        ("--no-tpm-key-password", "--tpm-key-password"),
        ("--pkcs8-password", "--tpm-key-password"),
    }

    assert {frozenset(pair) for pair in helpers} <= {frozenset(pair) for pair in EXCLUSIVE}


def arguments_for(flag: str) -> tuple[str, ...]:
    return (flag, "value") if TAKES_VALUE[flag] else (flag,)


@pytest.mark.parametrize(("one", "other"), EXCLUSIVE)
def test_what_the_helper_refuses_together_is_refused(one: str, other: str) -> None:
    message = refusal(*arguments_for(one), *arguments_for(other))

    assert f"{one} and {other} were both given, and exclude each other" in message


@pytest.mark.parametrize("form", ["-env", "-file"])
def test_a_secret_from_elsewhere_excludes_what_the_secret_does(form: str) -> None:
    message = refusal("--pkcs8-password", "x", f"--tpm-key-password{form}", "y")

    assert f"--pkcs8-password and --tpm-key-password{form} were both given" in message


@pytest.mark.parametrize("flag", SECRETS)
def test_a_secret_comes_from_flag_variable_or_file(flag: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b" from file \n")

    assert secret_of(flag, "from flag") == b"from flag"
    assert secret_of(f"{flag}-env", "MINE", environ={"MINE": "from variable"}) == b"from variable"
    assert secret_of(f"{flag}-file", str(file)) == b" from file "


def test_a_secret_that_is_not_there_is_named_and_never_shown(tmp_path: Path) -> None:
    # The secret itself stands where the name of its variable or file belongs.
    said = refusal(*PLAIN, "--pkcs11-pin-env", "S3CRET")
    assert "--pkcs11-pin-env: the environment variable that it names is not set" in said
    with pytest.raises(ConfigurationError, match="may be the secret itself") as caught:
        secret_of("--pkcs11-pin-file", "S3CRET")
    assert "S3CRET" not in said + str(caught.value)
    with pytest.raises(ConfigurationError, match=r"--pkcs11-pin-file: the passphrase file .*gone"):
        secret_of("--pkcs11-pin-file", str(tmp_path / "gone"))
    both = refusal(*PLAIN, "--pkcs11-pin", "s3cret", "--pkcs8-password", "s3cret")
    assert "--pkcs8-password and --pkcs11-pin were given" in both
    assert "s3cret" not in both + repr(config(*PLAIN, "--pkcs11-pin", "s3cret"))


def test_no_password_means_none_whatever_the_environment_says() -> None:
    environ = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE": "x"}

    assert secret_of(environ=environ) == b"x"
    assert secret_of("--no-tpm-key-password", environ=environ) == b""


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    path.write_text(
        "[default]\nregion = us-east-1\n"
        "[profile onprem]\n"
        "rolesanywhere_certificate = file.pem\n"
        f"rolesanywhere_trust_anchor_arn = {ANCHOR}-file\n"
        f"rolesanywhere_profile_arn = {PROFILE}-file\n"
        f"rolesanywhere_role_arn = {ROLE}-file\n"
        '[profile "with blank"]\nrolesanywhere_certificate = blank.pem\n'
    )
    return path


def test_flags_beat_the_environment_which_beats_the_profile(config_file: Path) -> None:
    environ = {
        "AWS_CONFIG_FILE": str(config_file),
        "AWS_ROLESANYWHERE_ROLE_ARN": f"{ROLE}-env",
        "AWS_ROLESANYWHERE_PROFILE_ARN": f"{PROFILE}-env",
    }
    found = config("--config-profile", "onprem", "--role-arn", ROLE, environ=environ)

    assert (str(found.role), str(found.profile)) == (ROLE, f"{PROFILE}-env")
    assert str(found.trust_anchor) == f"{ANCHOR}-file"
    assert found.sources.certificate == "file.pem"


def test_a_profile_counts_only_when_it_is_named(config_file: Path) -> None:
    environ = {"AWS_CONFIG_FILE": str(config_file), "AWS_PROFILE": "onprem"}

    message = refusal(environ=environ)
    assert "no arguments were given" in message
    assert "AWS_PROFILE does not count here: --config-profile does." in message
    assert "backslash" not in message


def test_a_profile_without_keys_of_ours_is_named(config_file: Path) -> None:
    config_file.write_text("[profile plain]\nregion = eu-west-1\n")
    message = refusal("--config-profile", "plain", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert "--config-profile: the profile 'plain' has no rolesanywhere_… settings" in message
    assert "configure --profile" in message


def test_a_profile_that_is_not_there_is_named_with_those_that_are(config_file: Path) -> None:
    message = refusal("--config-profile", "onprm", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert "--config-profile: there is no profile 'onprm'" in message
    assert "onprem, with blank" in message


def test_a_config_file_that_cannot_be_read_is_said(config_file: Path) -> None:
    config_file.write_text("no header\n")

    message = refusal("--config-profile", "onprem", environ={"AWS_CONFIG_FILE": str(config_file)})

    assert message.startswith(f"{config_file}, line 1: it cannot be read as an INI file")


def test_a_variable_that_names_no_profile_is_said(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")

    with pytest.raises(ConfigurationError, match="AWS_PROFILE: there is no profile 'gone'"):
        issuer_from(parsed(*PLAIN))


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


def test_certificate_and_key_alone_suffice_where_no_service_is_asked() -> None:
    only_key = sources_from(parsed("--private-key", "key.pem"), environ={})
    assert (only_key.certificate, only_key.private_key) == ("key.pem", "key.pem")

    by_variable = sources_from(parsed(), environ={"AWS_ROLESANYWHERE_CERTIFICATE": "c.pem"})
    assert by_variable.certificate == "c.pem"
    with pytest.raises(ConfigurationError, match="neither a certificate nor a private key"):
        sources_from(parsed(), environ={})


def test_the_call_follows_the_settings() -> None:
    issuer = issuer_from(parsed(*PLAIN, "--session-duration", "900"))

    assert issuer.config.duration == 900
    assert issuer.credentials().refresh_needed()


def test_an_unquoted_selector_is_taken_whole_as_the_documentation_shows_it() -> None:
    words = ["Key=x509Subject,Value=CN=a", "Key=x509Issuer,Value=CN=b"]
    found = given_flags(parsed("--cert-selector", *words, "--debug"))

    assert found["--cert-selector"] == " ".join(words)
    assert read_plainly(["--cert-selector", *words, "--debug"], {}) == found


def test_a_selector_without_a_store_says_what_to_name() -> None:
    message = refusal(*ARNS, "--cert-selector", "Key=x509Subject,Value=CN=a")

    assert "stores of Windows and macOS are not supported" in message
    assert "--cert-store with a folder of certificate files or a pkcs11: URI" in message
    assert "without --cert-selector" in refusal(*ARNS, "--cert-store", "/etc/pki")


VALUES = st.text("abz=/:.é", min_size=1, max_size=6)
PARTS = st.sampled_from(sorted(TAKES_VALUE)).flatmap(
    lambda flag: st.one_of(
        st.tuples(st.just(flag), VALUES) if TAKES_VALUE[flag] else st.just((flag,)),
        VALUES.map(lambda value: (f"{flag}={value}",)) if TAKES_VALUE[flag] else st.just((flag,)),
    )
)
PARSER = parser()


@given(st.lists(PARTS, max_size=6), st.sampled_from([(), ("",), ("\n",), ("--nope",), ("-h",)]))
def test_what_is_read_plainly_is_what_the_parser_reads(
    parts: list[Sequence[str]], more: Sequence[str]
) -> None:
    argv = [word for part in parts for word in part] + list(more)
    plainly = read_plainly(argv, {})
    if plainly is None:
        return
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            arguments = PARSER.parse_args(argv)
        except SystemExit as stop:
            raise AssertionError(f"taken plainly, refused by the parser: {argv}") from stop
    if conflict(plainly):
        with pytest.raises(ConfigurationError, match="exclude each other"):
            given_flags(arguments)
    else:
        assert given_flags(arguments) == plainly


def test_plain_command_lines_are_read_plainly() -> None:
    assert read_plainly(PLAIN, {}) == dict(zip(PLAIN[::2], PLAIN[1::2], strict=True))
    assert read_plainly(["--mine", "x", "--more"], {"--mine": True, "--more": False}) == {
        "--mine": "x",
        "--more": "",
    }
    for odd in (
        ["x"],
        ["--region"],
        ["--region", "--debug"],
        ["--debug=true"],
        ["-h"],
        ["--regi=x"],
    ):
        assert read_plainly(odd, {}) is None
    assert read_plainly(["--region", "a", "--region", "b"], {}) is None


def test_help_explains_every_flag_and_warns_of_secrets_on_the_command_line() -> None:
    text = " ".join(parser().format_help().split())

    for group in FLAGS.values():
        for flag, _, explained in group:
            assert flag in text
            assert " ".join(explained.split()) in text
    assert text.count("Every user of this machine can read a running command's arguments") == 3


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
    ("argument", "words"),
    [
        (
            "--pkcs8-password-envHUNTER2",
            "flag of that name (did you mean --pkcs8-password-env?)",
        ),
        ("--pkcs8-password-envhunter", "flag of that name (did you mean --pkcs8-password-env?)"),
        ("--private-key-HUNTER2HUNTER2", "flag of that name (did you mean --private-key?)"),
        ("--pkcs8-passwd-env=HUNTER2", "no flag --pkcs8-passwd-env (did you mean"),
        ("--HUNTER2", "no flag of that name"),
        ("--xHUNTER2", "no flag of that name"),
    ],
)
def test_a_value_that_is_glued_to_a_flag_is_not_shown(
    argument: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(argument)

    complaint = capsys.readouterr().err
    assert words in complaint
    assert "hunter" not in complaint.lower()


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
