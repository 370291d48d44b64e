"""What the page on migrating says of single flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.cli.flags import add_flags
from boto_rolesanywhere.cli.inputs import config_from, inputs_from
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.config import Config
from boto_rolesanywhere.testing import CertificateAuthority

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a"
PROFILE = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p"
ROLE = "arn:aws:iam::123456789012:role/R"
ARNS = ("--trust-anchor-arn", ANCHOR, "--profile-arn", PROFILE, "--role-arn", ROLE)
PAIR = ("--certificate", "cert.pem", "--private-key", "key.pem")


def config(*argv: str, **environ: str) -> Config:
    made = Parser(prog="boto-rolesanywhere try", allow_abbrev=False)
    add_flags(made)
    return config_from(inputs_from(made.parse_args(argv), environ=environ))


@pytest.mark.parametrize(
    ("flag", "arn", "words"),
    [
        ("--profile-arn", PROFILE.replace("eu-west-1", "us-east-1"), "us-east-1"),
        ("--profile-arn", PROFILE.replace("123456789012", "210987654321"), "210987654321"),
        ("--profile-arn", ANCHOR, "--profile-arn"),
        ("--role-arn", PROFILE, "--role-arn"),
    ],
)
def test_arns_are_checked_against_each_other(flag: str, arn: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config(*PAIR, *ARNS, flag, arn)

    assert words in str(refused.value)


@pytest.mark.parametrize("flags", [(), ("--role-arn", ROLE)], ids=["profile", "role"])
def test_beside_a_profile_no_duration_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    file = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    file.write_text(
        "[profile onprem]\n"
        "rolesanywhere_certificate = cert.pem\n"
        f"rolesanywhere_trust_anchor_arn = {ANCHOR}\n"
        f"rolesanywhere_profile_arn = {PROFILE}\n"
        f"rolesanywhere_role_arn = {ROLE}\n"
    )

    assert config("--config-profile", "onprem", *flags).duration is None


def test_the_store_of_windows_changes_nothing(tmp_path: Path) -> None:
    CertificateAuthority().issue("web").write(tmp_path)
    chosen = ("--cert-store", str(tmp_path), "--cert-selector", "Key=x509Subject,Value=CN=web")
    named = ("--system-store-name", "MY", "--system-store-location", "LocalMachine")

    assert config(*ARNS, *chosen, *named).sources == config(*ARNS, *chosen).sources


@pytest.mark.parametrize("words", [("--trust-anchor", ANCHOR), ("--no-such-flag",)])
def test_a_flag_is_written_whole(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        config(*PAIR, *ARNS, *words)

    assert f"there is no flag {words[0]}" in capsys.readouterr().err
