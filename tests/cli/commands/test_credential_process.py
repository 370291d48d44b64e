"""``boto-rolesanywhere credential-process`` as SDKs start it, against the emulator."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest
from cached_command import CA, Caller
from commands import COMMAND, arns, complaint, environment, identity, run
from soft_token import PIN, SOFTHSM, soft_token

from boto_rolesanywhere.testing import Emulator


def test_it_prints_the_credentials_and_nothing_else(caller: Caller) -> None:
    done = caller.run()

    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert sorted(answer) == [
        *("AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "SessionToken", "Version")
    ]
    assert done.stdout.startswith(b'{"Version":1,"AccessKeyId":"ASIA')  # scripts cut it with sed
    assert answer["Version"] == 1
    assert answer["AccountId"] == caller.emulator.account
    assert answer["AccessKeyId"] == caller.emulator.requests[-1].access_key_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["Expiration"])
    assert done.stdout.count(b"\n") == 1


def test_boto3_gets_credentials_through_it(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    config = caller.home / "config"
    command = " ".join((*COMMAND, "credential-process", *caller.flags))
    config.write_text(f"[profile onprem]\ncredential_process = {command}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(caller.home))
    # As the AWS CLI sets it for the command too, which must not ask that profile in turn.
    monkeypatch.setenv("AWS_PROFILE", "onprem")

    credentials = boto3.Session().get_credentials()

    assert credentials is not None
    frozen = credentials.get_frozen_credentials()
    assert frozen.access_key == caller.emulator.requests[-1].access_key_id
    assert frozen.token
    assert caller.created == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "no arguments were given, and nothing is configured"),
        (("--certificate", "x.pem"), "trust anchor ARN (--trust-anchor-arn or AWS_ROLESANYWHERE"),
        (("--nocache",), "there is no flag --nocache (did you mean --no-cache?). See"),
        (("--certificate", "x", "--cert-selector", "y"), "--certificate and --cert-selector were"),
        (("--config-profile", "gone"), "there is no profile 'gone' in the AWS config file"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(
    caller: Caller, flags: tuple[str, ...], words: str
) -> None:
    assert words in complaint(caller.run(flags=flags))
    assert caller.created == 0


def test_a_lost_certificate_is_named(caller: Caller) -> None:
    caller.paths.certificate.unlink()

    message = complaint(caller.run())

    assert f"{caller.paths.certificate}: there is no such file" in message


def test_with_debug_it_tells_what_it_does_and_no_secret(caller: Caller) -> None:
    done = caller.run("--debug", "--pkcs8-password", "pa55word")

    answer = json.loads(done.stdout)
    told = done.stderr.decode()
    assert "CreateSession" in told
    assert done.returncode == 0
    for secret in (answer["SecretAccessKey"], answer["SessionToken"], "pa55word"):
        assert secret not in told
    assert "Signature=" not in told
    assert caller.paths.private_key.read_text().split("\n")[1] not in told


def test_an_unchecked_endpoint_is_warned_of_once(tmp_path: Path) -> None:
    with Emulator(CA, tls=True) as emulator:
        caller = Caller(emulator, tmp_path)

        assert "beside the system's store" in complaint(caller.run())
        done = caller.run("--no-verify-ssl")

        assert b"ASIA" in done.stdout
        warning = done.stderr.decode()
        assert warning.startswith("boto-rolesanywhere: --no-verify-ssl: the endpoint's TLS")
        assert warning.count("\n") == 1


def test_a_session_from_an_unchecked_endpoint_is_not_shared(tmp_path: Path) -> None:
    with Emulator(CA, tls=True) as emulator:
        caller = Caller(emulator, tmp_path)
        bundle = {"AWS_CA_BUNDLE": str(emulator.ca_bundle_path)}

        unchecked = caller.key_id("--no-verify-ssl", warned=True)
        assert not caller.folder.exists()
        checked = caller.key_id(**bundle)
        again = caller.key_id("--no-verify-ssl", warned=True)

        assert caller.key_id(**bundle) == checked
        assert len({unchecked, checked, again}) == 3


def test_each_endpoint_has_its_own_session(caller: Caller) -> None:
    """The credentials file counts for botocore too, and the case of a key does not."""
    caller.flags = tuple(
        word for word in caller.flags if "--endpoint" not in word and "http" not in word
    )
    files = {name: caller.home / name for name in ("config", "credentials")}
    files["config"].write_text("[default]\n")
    variables = {
        "AWS_CONFIG_FILE": str(files["config"]),
        "AWS_SHARED_CREDENTIALS_FILE": str(files["credentials"]),
    }
    arns = {
        f"{name}_arn": getattr(caller.emulator, f"{name}_arn")
        for name in ("trust_anchor", "profile", "role")
    }
    with Emulator(CA, **arns) as other:
        found = []
        for emulator in (caller.emulator, other, caller.emulator, other):
            files["credentials"].write_text(f"[default]\nEndpoint_URL = {emulator.endpoint_url}\n")
            found.append(caller.key_id(**variables))

        assert found[:2] == found[2:]
        assert (caller.created, other.created) == (1, 1)


def test_proxies_are_honoured_with_or_without_the_flag(caller: Caller) -> None:
    nowhere = "http://127.0.0.1:9"
    for more in ((), ("--with-proxy",)):
        done = caller.run(*more, HTTP_PROXY=nowhere, http_proxy=nowhere, AWS_MAX_ATTEMPTS="1")
        assert "127.0.0.1:9" in complaint(done)


def test_an_encrypted_key_opens_by_flag_variable_or_file(caller: Caller) -> None:
    paths = CA.issue("web").write(caller.home / "encrypted", passphrase="pa55word")
    caller.flags = (*identity(paths), *arns(caller.emulator), "--no-cache")
    secret = caller.home / "secret"
    secret.write_text("pa55word\n")

    assert caller.key_id("--pkcs8-password", "pa55word")
    assert caller.key_id("--pkcs8-password-env", "MINE", MINE="pa55word")
    assert caller.key_id("--pkcs8-password-file", str(secret))
    assert "--pkcs8-password-env MINE" in complaint(
        caller.run("--pkcs8-password-env", "MINE", MINE="wrong")
    )


def test_a_certificate_is_chosen_from_a_folder(caller: Caller) -> None:
    store = caller.home / "store"
    for name in ("web", "mail"):
        CA.issue(name).write(store, name=name)
    caller.flags = (*arns(caller.emulator), "--cert-store", str(store))

    first = caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=mail")

    assert caller.emulator.requests[-1].access_key_id == first
    assert caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=mail") == first
    assert caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=web") != first
    assert caller.created == 2


def test_a_profile_says_what_opens_the_store(caller: Caller) -> None:
    store = caller.home / "store"
    CA.issue("web").write(store, name="web", passphrase="pa55word")
    file = caller.home / "passphrase"
    file.write_text("pa55word")
    config = caller.home / "config"
    config.write_text(f"[profile p]\nrolesanywhere_private_key_passphrase_file = {file}\n")
    caller.flags = (*arns(caller.emulator), "--cert-store", str(store), "--config-profile", "p")

    key = caller.key_id(
        "--cert-selector", "Key=x509Subject,Value=CN=web", AWS_CONFIG_FILE=str(config)
    )

    assert caller.emulator.requests[-1].access_key_id == key


def test_a_certificate_is_chosen_from_a_token(caller: Caller) -> None:
    issuing = CA.issue_intermediate("Issuing")
    old, new = issuing.issue("web"), issuing.issue("mail")
    with soft_token() as token:
        for number, (name, one) in enumerate((("old", old), ("new", new)), 1):
            token.add_key(one.private_key, label=name, id_=f"0{number}")
            token.add_public_key(one.private_key.public_key(), label=name, id_=f"0{number}")
            token.add_certificate(one.certificate, label=name, id_=f"0{number}")
        token.add_certificate(new.certificate, label="copy", id_="02")  # as some tools leave one
        token.add_certificate(new.chain[0], label="issuing", id_="09")
        pin = caller.home / "pin"
        pin.write_text(f"{PIN}\n")
        selector = ("--cert-selector", "Key=x509Subject,Value=CN=mail", "--pkcs11-lib", SOFTHSM)
        caller.flags = (*arns(caller.emulator), *selector)

        by_file = ("--cert-store", token.uri, "--pkcs11-pin-file", str(pin))
        first = caller.key_id(*by_file)
        assert caller.key_id(*by_file) == first
        in_uri = caller.key_id("--cert-store", f"{token.uri}?pin-value={PIN}")
        by_variable = caller.key_id(
            *("--cert-store", token.uri, "--no-cache"),
            AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE=PIN,
        )
        assert len({first, in_uri, by_variable}) == 3

    assert caller.created == 3
    assert caller.emulator.requests[-1].certificate_serial == new.serial_number


def test_help_teaches_with_an_example() -> None:
    done = run("credential-process", "--help", env=environment(Path("/nowhere")))

    text = done.stdout.decode()
    assert done.returncode == 0
    for words in ("credential_process = boto-rolesanywhere", "--no-cache", "--force-refresh"):
        assert words in text
