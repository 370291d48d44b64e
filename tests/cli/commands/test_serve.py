"""``serve`` as a process: read by boto3 as it is, with the emulator behind."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest
from older import DUE, ENDED
from serving import CREDENTIALS, PATIENCE, boto3_credentials, last_key, serving

from boto_rolesanywhere.testing import Emulator
from boto_rolesanywhere.testing.faults import ErrorStatus, Hang


def test_boto3_reads_by_imdsv2(
    emulator: Emulator, flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(flags, tmp_path) as running:
        endpoint = running.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        found = boto3_credentials(
            monkeypatch,
            AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint,
            AWS_EC2_METADATA_V1_DISABLED="true",
        )

    assert found == ("iam-role", last_key(emulator))
    assert emulator.created == 1


def test_boto3_reads_by_the_container_protocol(
    emulator: Emulator, flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(flags, tmp_path) as running:
        container = {k: v for k, v in running.exports.items() if k.startswith("AWS_CONTAINER_")}
        found = boto3_credentials(monkeypatch, **container)

    assert len(container) == 2
    assert found == ("container-role", last_key(emulator))
    assert emulator.created == 1


def test_what_is_printed_can_be_pasted_into_sh(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "tokens of $HOME's `machine`"
    with serving([*flags, "--token-folder", str(folder), "--no-imds"], tmp_path) as running:
        script = f'{running.printed}\ncat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"'
        pasted = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
        token = (folder / "RolesAnywhere.token").read_text()

    assert pasted.stdout == token


def test_a_client_may_come_by_another_port_or_an_allowed_name(
    flags: list[str], tmp_path: Path
) -> None:
    with serving([*flags, "--allowed-host", "creds"], tmp_path) as running:
        for host in ("169.254.169.254", "localhost:80", "creds:9911"):
            assert running.ask("//healthz", {"Host": host}).status == 200
        assert running.ask("/healthz", {"Host": "other:9911"}).status == 400


def test_what_is_printed_names_the_region(flags: list[str], tmp_path: Path) -> None:
    with serving(flags, tmp_path) as running:
        assert running.exports["AWS_REGION"] == "eu-west-1"
        assert running.exports["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_clients_go_over_to_new_credentials_by_themselves(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    with serving(flags, tmp_path, aging=True) as running:
        first = running.by_container().json["AccessKeyId"]
        running.age(DUE)
        emulator.wait_for_requests(2, timeout=PATIENCE)
        running.wait_for(lambda: running.by_container().json["AccessKeyId"] != first)
        second = running.by_imds(f"{CREDENTIALS}/RolesAnywhere").json["AccessKeyId"]

    created = [record.access_key_id for record in emulator.requests]
    assert first == created[0]
    assert second in created[1:]


def test_a_hanging_create_session_holds_up_nobody(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    with serving(flags, tmp_path, aging=True) as running:
        first = running.by_container().json["AccessKeyId"]
        emulator.inject(Hang(), times=None)
        running.age(DUE)
        emulator.wait_for_requests(2, timeout=PATIENCE)
        for _ in range(20):
            started = time.monotonic()
            assert running.by_container().json["AccessKeyId"] == first
            assert time.monotonic() - started < 10  # the call itself takes 30
        started = time.monotonic()
        status, _, _ = running.end()

        assert status == 0
        assert time.monotonic() - started < 15
        assert len(emulator.requests) == 2


def test_an_outage_is_outlived_as_long_as_the_credentials_are_good_and_503_after_that(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    with serving(flags, tmp_path, aging=True, AWS_MAX_ATTEMPTS="1") as running:
        first = running.by_container()
        emulator.inject(ErrorStatus(), times=None)
        running.age(DUE)
        running.wait_for(lambda: running.health() == (200, "degraded"))
        assert running.by_container().json == first.json

        running.age(ENDED - DUE)
        running.wait_for(lambda: running.health() == (503, "unavailable"))
        gone = running.by_container()
        gone_by_imds = running.by_imds(f"{CREDENTIALS}/RolesAnywhere")
        assert (gone.status, gone_by_imds.status) == (503, 503)
        assert gone.json["code"] == "CredentialsUnavailable"
        assert "AccessKeyId" not in gone.body + gone_by_imds.body

        emulator.clear_faults()
        running.age(600)  # longer than the pause between two tries
        running.wait_for(lambda: running.health() == (200, "ok"))
        assert running.by_container().status == 200
        status, _, err = running.end()

    assert status == 0
    assert "The credentials were not renewed" in err
    assert "RolesAnywhere: there are no credentials" in err


def test_an_address_that_others_reach_is_served_with_tokens_alone(
    flags: list[str], tmp_path: Path
) -> None:
    with serving([*flags, "--listen", "0.0.0.0"], tmp_path) as running:
        assert running.by_container().status == 200
        assert running.ask("/latest/api/token", method="PUT").status == 404
        assert running.ask(f"{CREDENTIALS}/RolesAnywhere").status == 404
        assert "AWS_EC2_METADATA" not in running.printed


def test_imds_can_be_turned_off(flags: list[str], tmp_path: Path) -> None:
    with serving([*flags, "--no-imds"], tmp_path) as running:
        assert running.by_container().status == 200
        assert running.ask("/latest/api/token", method="PUT").status == 404
        assert "AWS_EC2_METADATA" not in running.printed


def test_it_serves_on_ipv6(flags: list[str], tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving([*flags, "--listen", "::1"], tmp_path) as running:
        assert running.url.startswith("http://[::1]:")
        assert running.by_imds(f"{CREDENTIALS}/RolesAnywhere").status == 200


def test_a_rebound_name_and_a_proxy_get_nothing(flags: list[str], tmp_path: Path) -> None:
    with serving(flags, tmp_path) as running:
        port = running.address[1]
        for path in ("/healthz", "/credentials/RolesAnywhere", f"{CREDENTIALS}/", "/nowhere"):
            assert running.ask(path, {"Host": f"attacker.example:{port}"}).status == 400
            assert running.ask(path, {"X-Forwarded-For": "10.0.0.1"}).status == 400
        token = running.ask(
            "/latest/api/token",
            {"X-aws-ec2-metadata-token-ttl-seconds": "60", "X-Forwarded-For": "10.0.0.1"},
            method="PUT",
        )
        assert token.status == 400


def test_a_token_file_is_private_and_outlives_a_restart(flags: list[str], tmp_path: Path) -> None:
    file = tmp_path / "boto-rolesanywhere" / "RolesAnywhere.token"
    with serving(flags, tmp_path) as running:
        token = file.read_text()
        assert running.exports["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == str(file)
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        running.end()
    with serving(flags, tmp_path) as running:
        assert file.read_text() == token
        assert running.by_container().status == 200


def test_nothing_secret_is_said_not_even_with_debug(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    with serving([*flags, "--debug"], tmp_path, aging=True) as running:
        given = running.by_container().json
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        imds_token = running.ask("/latest/api/token", ttl, method="PUT").body
        running.ask(f"{CREDENTIALS}/", {"X-aws-ec2-metadata-token": imds_token})
        running.ask("/credentials/RolesAnywhere", {"Authorization": "a-wrong-guess-at-it"})
        running.age(DUE)
        emulator.wait_for_requests(2, timeout=PATIENCE)
        running.wait_for(lambda: running.by_container().json["Token"] != given["Token"])
        renewed = running.by_container().json
        token = (tmp_path / "boto-rolesanywhere" / "RolesAnywhere.token").read_text()
        _, out, err = running.end()

    assert "CreateSession" in err
    for secret in (
        *(given["SecretAccessKey"], given["Token"], renewed["SecretAccessKey"], renewed["Token"]),
        *(token, imds_token, "a-wrong-guess-at-it"),
    ):
        assert secret not in out + err
