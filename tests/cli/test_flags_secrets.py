"""Secrets come from a flag, a variable or a file, and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from flag_parsing import PLAIN, config, parsed, refusal, secret_of

from boto_rolesanywhere.cli.flag_table import SECRETS
from boto_rolesanywhere.errors import ConfigurationError


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
