"""configure at a terminal: what it asks for, and asks again."""

from __future__ import annotations

from pathlib import Path

from commands import at_terminal, ended, parsed

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


def test_configure_asks_where_the_passphrase_is(
    ca: CertificateAuthority, flags: list[str], clean_environment: Path, tmp_path: Path
) -> None:
    locked = ca.issue("locked").write(tmp_path / "locked", passphrase="hunter2")
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    files = ["--certificate", str(locked.certificate), "--private-key", str(locked.private_key)]

    told = at_terminal(["configure", *flags, *files], ["", "$NOT_SET", "/nowhere", str(secret)])

    assert "the environment variable that it names is not set" in told
    assert "the passphrase file '/nowhere' cannot be read" in told
    section = parsed(clean_environment / ".aws" / "config")["default"]
    assert section["rolesanywhere_private_key_passphrase_file"] == str(secret)


def test_answers_are_checked_against_each_other_as_they_are_given(
    ca: CertificateAuthority,
    emulator: Emulator,
    paths: IssuedPaths,
    clean_environment: Path,
    tmp_path: Path,
) -> None:
    other = ca.issue("other").write(tmp_path / "other")
    elsewhere = emulator.profile_arn.replace("eu-west-1", "us-east-1")
    answers = [
        *(str(paths.certificate), str(other.private_key), "", str(paths.private_key), ""),
        *(emulator.trust_anchor_arn, elsewhere, emulator.profile_arn),
        *("arn:aws-cn:iam::123456789012:role/x", emulator.role_arn),
    ]

    told = at_terminal(["configure"], answers)

    assert "[key-not-of-certificate]" in told
    assert "[key-not-in-file]" in told
    assert "in Region 'eu-west-1' and the profile in 'us-east-1'" in told
    assert "in partition 'aws' and the role in 'aws-cn'" in told
    section = parsed(clean_environment / ".aws" / "config")["default"]
    assert section["rolesanywhere_private_key"] == str(paths.private_key)


def test_a_certificate_that_the_key_shows_unusable_is_asked_for_again(
    ca: CertificateAuthority, emulator: Emulator, paths: IssuedPaths, tmp_path: Path
) -> None:
    expired = ca.issue("old", flaws=("expired",)).write(tmp_path / "old")
    answers = [
        *(str(expired.certificate), str(expired.private_key)),
        *(str(paths.certificate), str(paths.private_key), ""),
        *(emulator.trust_anchor_arn, emulator.profile_arn, emulator.role_arn),
    ]
    assert "[certificate-expired]" in at_terminal(["configure"], answers)


def test_what_the_profile_has_is_offered(
    emulator: Emulator, flags: list[str], paths: IssuedPaths, file: Path
) -> None:
    ended("configure", "--profile", "onprem", *flags)
    role = emulator.role_arn.replace("role/", "role/path/")

    at_terminal(["configure", "--profile", "onprem"], ["", "", "", "", "", role])

    section = parsed(file)["profile onprem"]
    assert section["rolesanywhere_certificate"] == str(paths.certificate)
    assert section["rolesanywhere_role_arn"] == role


def test_what_was_answered_is_kept_when_it_is_broken_off(paths: IssuedPaths) -> None:
    told = at_terminal(["configure"], [str(paths.certificate), str(paths.private_key), "\x04"], 130)
    assert (
        "nothing was written. To go on: boto-rolesanywhere configure --profile default"
        f" --certificate {paths.certificate} --private-key {paths.private_key}" in told
    )


def test_configure_asks_for_what_no_flag_gives_and_asks_again(
    emulator: Emulator, paths: IssuedPaths, clean_environment: Path
) -> None:
    answers = [
        *(str(paths.private_key), str(paths.certificate)),  # asked again after the first
        *("/nowhere/key.pem", str(paths.certificate), str(paths.private_key)),
        "",
        *("nonsense", emulator.trust_anchor_arn),
        emulator.profile_arn,
        emulator.role_arn,
    ]

    told = at_terminal(["configure"], answers)

    assert "/nowhere/key.pem: there is no such file" in told
    assert f"{paths.private_key}: it holds 1 private key and no certificate" in told
    assert f"{paths.certificate}: it holds 1 certificate and no private key" in told
    assert "'nonsense' is not an ARN" in told
    section = parsed(clean_environment / ".aws" / "config")["default"]
    assert section["rolesanywhere_trust_anchor_arn"] == emulator.trust_anchor_arn
    assert "rolesanywhere_certificate_chain" not in section
