"""configure, run as a user runs it with flags: what it writes is tried with the emulator behind."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from commands import ended, parsed

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


def test_configure_writes_a_profile_that_works(
    emulator: Emulator, flags: list[str], file: Path
) -> None:
    file.write_bytes(b"[default]\nregion = eu-west-3 ; mine\n")

    done = ended("configure", "--profile", "on prem", *flags)

    assert file.read_bytes().startswith(
        b"[default]\nregion = eu-west-3 ; mine\n\n[profile 'on prem']\nregion = eu-west-1\n"
    )
    assert "doctor --config-profile 'on prem'" in done.stdout
    session = boto_rolesanywhere.get_session(profile_name="on prem")
    assert session.get_credentials().get_frozen_credentials().access_key
    assert emulator.created == 1


def test_configure_writes_a_credential_process_line_that_boto3_runs(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    ended("configure", "--credential-process", "--profile", "default", *flags)

    credentials = boto3.Session().get_credentials()

    assert credentials.method == "custom-process"
    assert credentials.get_frozen_credentials().access_key == (emulator.requests[0].access_key_id)


@pytest.mark.parametrize("stored", [True, False])
def test_configure_names_old_keys_of_the_same_profile(
    flags: list[str], file: Path, *, stored: bool
) -> None:
    name = "onprem" if stored else "other"
    file.with_name("credentials").write_text(f"[{name}]\naws_access_key_id = AKIAOLD\n")

    done = ended("configure", "--profile", "onprem", *flags)

    assert ("aws_access_key_id of [onprem] in ~/.aws/credentials comes" in done.stderr) == stored
    assert "AKIAOLD" not in done.stderr


@pytest.mark.parametrize("selector", ["Key=x509Subject,Value=CN=app", "file://app.json"])
def test_configure_writes_a_line_that_chooses_the_certificate(
    emulator: Emulator,
    flags: list[str],
    paths: IssuedPaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    selector: str,
) -> None:
    chosen = [{"Key": "x509Subject", "Value": "CN=app"}]
    (tmp_path / "app.json").write_text(json.dumps(chosen))
    monkeypatch.chdir(tmp_path)
    which = ["--cert-selector", selector, "--cert-store", paths.certificate.parent.name]
    ended("configure", "--credential-process", *which, *flags[4:])
    monkeypatch.chdir("/")

    credentials = boto3.Session().get_credentials().get_frozen_credentials()

    assert credentials.access_key == emulator.requests[0].access_key_id


def test_configure_writes_where_botocore_reads_the_default_profile(
    flags: list[str], file: Path
) -> None:
    file.write_text("[profile default]\nregion = eu-west-3\n")

    ended("configure", *flags)

    assert file.read_text().startswith("[profile default]\nregion = eu-west-3\nrolesanywhere_")
    assert boto3.Session().region_name == "eu-west-3"
    assert boto_rolesanywhere.get_session().get_credentials()
    ended("credential-process", "--config-profile", "default")


def test_configure_keeps_the_region_that_is_there(flags: list[str], file: Path) -> None:
    file.write_text("[default]\nregion = eu-west-3\n")

    ended("configure", *flags)
    ended("configure", "--profile", "other", "--region", "eu-west-2", *flags)

    written = parsed(file)
    assert written["default"]["region"] == "eu-west-3"
    assert written["profile other"]["region"] == "eu-west-2"


def test_configure_changes_one_thing_of_a_profile(
    flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "config"
    ended("configure", "--profile", "work", *flags)
    before = file.read_text()

    changed = ["--config-profile", "work", "--session-duration", "900"]
    ended("configure", "--profile", "work", *changed)

    assert file.read_text() == before + "rolesanywhere_duration_seconds = 900\n"


def test_configure_copies_a_profile_with_what_unlocks_its_key(
    ca: CertificateAuthority, flags: list[str], clean_environment: Path, tmp_path: Path
) -> None:
    locked = ca.issue("locked").write(tmp_path / "locked", passphrase="hunter2")
    files = ["--certificate", str(locked.certificate), "--private-key", str(locked.private_key)]
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    variable = {"LOCK": "hunter2"}
    ended("configure", "--profile", "a", *flags, *files, "--pkcs8-password-env", "LOCK", **variable)

    ended("configure", "--profile", "b", "--config-profile", "a", **variable)
    other = ["--config-profile", "a", "--pkcs8-password-file", str(secret)]
    ended("configure", "--profile", "c", *other)

    written = parsed(clean_environment / ".aws" / "config")
    key = "rolesanywhere_private_key_passphrase"
    assert dict(written["profile a"]) == dict(written["profile b"])
    assert written["profile c"][f"{key}_file"] == str(secret)
    assert f"{key}_env" not in written["profile c"]


def test_configure_writes_a_line_that_names_a_profile(
    emulator: Emulator, flags: list[str], clean_environment: Path
) -> None:
    ended("configure", "--profile", "work", *flags)
    ended("configure", "--profile", "cli", "--config-profile", "work", "--credential-process")

    line = parsed(clean_environment / ".aws" / "config")["profile cli"]["credential_process"]
    credentials = boto3.Session(profile_name="cli").get_credentials().get_frozen_credentials()

    assert line.endswith(" credential-process --config-profile work")
    assert credentials.access_key == emulator.requests[0].access_key_id


def test_configure_says_that_there_is_nobody_to_ask(clean_environment: Path) -> None:
    told = ended("configure", status=2).stderr

    assert "no arguments were given, and there is no terminal at which to ask for them" in told
    assert not (clean_environment / ".aws" / "config").exists()


def test_configure_copies_no_pin(flags: list[str], file: Path) -> None:
    before = "[profile token]\nrolesanywhere_certificate = pkcs11:token=t?pin-value=4711\n"
    file.write_text(before)

    told = ended("configure", *flags[4:], "--config-profile", "token", status=1).stderr

    assert "rolesanywhere_certificate: the PIN in it (pin-value) is not written" in told
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("[a]\nkey = 1\n[b\nsecret-word\n", "{file}, line 3: "),
        ("[a]\nkey = 1\nkey = secret-word\n", "{file}, line 3: "),
        ("secret-word\n", "{file}, line 1: "),
        ("[a]\ns3 =\n  secret-word\n", "{file}: "),
    ],
)
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_that_botocore_cannot_read_is_named_with_its_line(
    flags: list[str], clean_environment: Path, name: str, broken: str, line: str
) -> None:
    file = clean_environment / ".aws" / name
    file.parent.mkdir()
    file.write_text(broken)
    commands = [["env"], *([["configure"]] if name == "config" else [])]

    for command in commands:
        # With all flags given, nothing in the file counts for the call: there it is a warning.
        told = ended(*command, *flags, status=1 if command == ["configure"] else 0).stderr

        assert f"{line.format(file=file)}it cannot be read as an INI file" in told
        assert "secret-word" not in told
    assert file.read_text() == broken


def test_configure_names_a_passphrase_and_never_writes_it(
    emulator: Emulator, flags: list[str], clean_environment: Path, tmp_path: Path
) -> None:
    refused = ended("configure", *flags, "--pkcs8-password", "hunter2", status=1)
    assert "--pkcs8-password: its value is not written to a file" in refused.stderr
    assert "hunter2" not in refused.stderr

    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    ended("configure", *flags, "--pkcs8-password-file", str(secret))

    written = (clean_environment / ".aws" / "config").read_text()
    assert f"rolesanywhere_private_key_passphrase_file = {secret}" in written
    assert "hunter2" not in written


def test_configure_leaves_no_key_of_ours_that_it_has_not_checked(
    flags: list[str], clean_environment: Path, tmp_path: Path
) -> None:
    file = clean_environment / ".aws" / "config"
    secret = tmp_path / "secret"
    secret.write_text("not needed")
    named = {"OLD": "not needed either"}
    ended("configure", *flags, "--session-duration", "900", "--pkcs8-password-env", "OLD", **named)
    file.write_text(file.read_text() + "# mine\noutput = json\n")

    done = ended("configure", *flags, "--pkcs8-password-file", str(secret))

    written = file.read_text()
    assert "# mine\noutput = json\n" in written
    assert f"rolesanywhere_private_key_passphrase_file = {secret}" in written
    for key in ("rolesanywhere_private_key_passphrase_env", "rolesanywhere_duration_seconds"):
        assert key not in written
        assert f"  {key} is removed\n" in done.stdout


def test_configure_takes_variables_in_the_files_path_as_botocore_does(
    flags: list[str], tmp_path: Path
) -> None:
    ended("configure", *flags, HERE=str(tmp_path), AWS_CONFIG_FILE="$HERE/config")
    update = ["update", "--once", *flags]
    ended(*update, HERE=str(tmp_path), AWS_SHARED_CREDENTIALS_FILE="$HERE/credentials")

    assert "rolesanywhere_role_arn" in (tmp_path / "config").read_text()
    assert "aws_access_key_id" in (tmp_path / "credentials").read_text()


def test_configure_writes_where_a_library_of_pkcs11_is(
    flags: list[str], clean_environment: Path
) -> None:
    file = clean_environment / ".aws" / "config"
    for given, written in (("./mine.so", Path("mine.so").absolute()), ("mine.so", "mine.so")):
        ended("configure", *flags, "--pkcs11-lib", given)
        assert f"rolesanywhere_pkcs11_module = {written}\n" in file.read_text()


@pytest.mark.parametrize(
    ("flag", "value", "wording"),
    [
        ("--role-arn", "arn:aws:iam::1:role/x", "no twelve-digit account"),
        ("--certificate", "/nowhere/cert.pem", "/nowhere/cert.pem"),
        ("--certificate", "pkcs11:token=t?pin-value=4711", "--certificate: the PIN in it (pin-val"),
        ("--private-key", "PKCS11:token=t?pin-value=4711", "expected pin-source=file:… in its pl"),
    ],
)
def test_configure_writes_nothing_that_is_wrong(
    flags: list[str], clean_environment: Path, flag: str, value: str, wording: str
) -> None:
    pairs = zip(["", *flags], flags, strict=False)
    changed = [value if before == flag else word for before, word in pairs]

    told = ended("configure", *changed, status=2 if flag == "--role-arn" else 1).stderr
    assert wording in told
    assert "4711" not in told
    assert not (clean_environment / ".aws").exists()


@pytest.mark.parametrize(
    ("more", "wording"),
    [
        (["--profile", ""], "--profile: it is empty"),
        (
            ["--no-verify-ssl"],
            "--no-verify-ssl: a profile has no setting for it; expected --cre",
        ),
    ],
)
def test_configure_drops_nothing_in_silence(
    flags: list[str], clean_environment: Path, more: list[str], wording: str
) -> None:
    status = 2 if more[0] == "--profile" else 1
    assert wording in ended("configure", *flags, *more, status=status).stderr
    assert not (clean_environment / ".aws").exists()


def test_configure_has_no_key_for_a_selector(flags: list[str], clean_environment: Path) -> None:
    chosen = ["--cert-selector", "Key=x509Subject,Value=CN=app", "--cert-store", "/etc"]

    told = ended("configure", *chosen, *flags[4:], status=1).stderr

    assert "--cert-selector: a profile has no setting for it; expected --credential-process" in told
    assert not (clean_environment / ".aws").exists()


def test_configure_does_without_the_variables_that_are_set_now(
    ca: CertificateAuthority, flags: list[str], tmp_path: Path
) -> None:
    locked = ca.issue("locked").write(tmp_path / "locked", passphrase="hunter2")
    files = ["--certificate", str(locked.certificate), "--private-key", str(locked.private_key)]
    variable = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE": "hunter2"}

    told = ended("configure", *flags, *files, status=1, **variable).stderr

    assert "Say where it is, with one of --pkcs8-password-file, " in told
    assert "what is written must do without the variables that are set now" in told
