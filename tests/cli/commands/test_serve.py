"""``serve`` as a process: started as users do, read by boto3 as it is, with the emulator behind."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import processes
import pytest

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths, Role
from boto_rolesanywhere.testing.faults import ErrorStatus, Hang

PATIENCE = 20.0
CREDENTIALS = "/latest/meta-data/iam/security-credentials"


@pytest.fixture(scope="module")
def paths(ca: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> IssuedPaths:
    return ca.issue("workload").write(tmp_path_factory.mktemp("identity"))


def flags_of(emulator: Emulator, paths: IssuedPaths) -> list[str]:
    return [
        *("--certificate", str(paths.certificate), "--private-key", str(paths.private_key)),
        *("--trust-anchor-arn", emulator.trust_anchor_arn, "--profile-arn", emulator.profile_arn),
        *("--role-arn", emulator.role_arn, "--endpoint", emulator.endpoint_url),
    ]


@pytest.fixture
def flags(emulator: Emulator, paths: IssuedPaths) -> list[str]:
    return flags_of(emulator, paths)


@dataclass
class Answer:
    status: int
    body: str

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


@dataclass
class Running:
    """A server that is up, and what it printed."""

    process: subprocess.Popen[str]
    exports: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    url: str = ""

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host.strip("[]"), int(port)

    def ask(
        self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET"
    ) -> Answer:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        finally:
            connection.close()

    def by_imds(self, path: str) -> Answer:
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = self.ask("/latest/api/token", ttl, method="PUT").body
        return self.ask(path, {"X-aws-ec2-metadata-token": token})

    def by_container(self, name: str = "RolesAnywhere", folder: Path | None = None) -> Answer:
        file = Path(self.exports["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        token = (folder or file.parent).joinpath(f"{name}.token").read_text()
        return self.ask(f"/credentials/{name}", {"Authorization": token})

    def health(self) -> tuple[int, str]:
        answer = self.ask("/healthz")
        return answer.status, answer.json["status"]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        waited, end = threading.Event(), time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            waited.wait(0.05)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Its exit status, and the rest of what it printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self.printed + out, err


def start(arguments: Sequence[str], **environ: str) -> subprocess.Popen[str]:
    return processes.Process(
        "serve",
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def refused(arguments: Sequence[str], **environ: str) -> tuple[int, str]:
    """The exit status and the error of a server that does not start."""
    process = start(arguments, **environ)
    out, err = process.communicate(timeout=PATIENCE)
    assert out == ""
    return process.returncode, err


@contextmanager
def serving(
    arguments: Sequence[str], tmp_path: Path, *, last_line: str = "TOKEN_FILE=", **environ: str
) -> Iterator[Running]:
    folder = {"XDG_RUNTIME_DIR": str(tmp_path)}
    process = start([*arguments, "--port", "0"], **{**folder, **environ})
    running = Running(process)
    overdue = threading.Timer(PATIENCE, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        while running.printed.count(last_line) < max(1, arguments.count("--role")):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            running.printed += line
        overdue.cancel()
        words = [shlex.split(line, comments=True) for line in running.printed.splitlines()]
        running.exports = dict(word[1].split("=", 1) for word in words if word)
        match = re.search(r"http://\S+:\d+", running.printed)
        assert match
        running.url = match[0]
        yield running
    finally:
        overdue.cancel()
        process.kill()
        process.communicate()


def boto3_credentials(monkeypatch: pytest.MonkeyPatch, **environ: str) -> tuple[str, str]:
    """The method and the key that boto3's own chain finds with these variables."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    credentials = boto3.Session(region_name="eu-west-1").get_credentials()
    assert credentials is not None
    return credentials.method, credentials.get_frozen_credentials().access_key


def last_key(emulator: Emulator) -> str | None:
    return emulator.requests[-1].access_key_id


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


def test_everything_ends_cleanly_on_a_signal(flags: list[str], tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving(flags, tmp_path) as running:
            status, _, err = running.end(number)
            assert (status, err) == (0, "")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(running.address)


def test_it_waits_for_the_network(emulator: Emulator, flags: list[str], tmp_path: Path) -> None:
    emulator.inject(ErrorStatus(503), times=3)
    with serving(flags, tmp_path, AWS_MAX_ATTEMPTS="3") as running:
        assert running.by_container().json["AccessKeyId"] == last_key(emulator)
        assert "RolesAnywhere: trying again for " in running.end()[2]


def test_nobody_who_answers_ends_the_start_when_the_time_is_over(flags: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    flags = [*flags[:-1], f"http://127.0.0.1:{port}", "--startup-timeout", "0", "--port", "0"]

    status, err = refused(flags, AWS_MAX_ATTEMPTS="1")

    assert status == 1
    assert "[endpoint-unreachable]" in err


def test_without_a_folder_to_write_to_imds_is_served(flags: list[str], tmp_path: Path) -> None:
    nowhere = {"XDG_RUNTIME_DIR": "/proc/none"}
    with serving(flags, tmp_path, last_line="DEFAULT_REGION=", **nowhere) as running:
        assert running.by_imds(f"{CREDENTIALS}/RolesAnywhere").status == 200
        assert running.ask("/credentials/RolesAnywhere").status == 404
        assert "AWS_CONTAINER" not in running.printed
        assert "IMDSv2 alone is served" in running.end()[2]

    status, err = refused([*flags, "--no-imds", "--port", "0"], **nowhere)
    assert status == 1
    assert "[token-file-unsafe]" in err


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


def test_it_does_not_start_when_the_first_create_session_is_refused(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.add(replace(emulator.profile, enabled=False))
    status, err = refused([*flags, "--port", "0"], XDG_RUNTIME_DIR=str(tmp_path))

    assert status == 1
    assert err.startswith("boto-rolesanywhere: CreateSession was refused")
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("boto-rolesanywhere"))


# In a callback of the interpreter, what a handler raises goes no further than standard error.
IN_A_CALLBACK = """
import os, signal, sys
from boto_rolesanywhere import cli
from boto_rolesanywhere.cli import outcome

def seen(frame, event, argument):
    code = frame.f_code
    if code.co_name == "cb" and "importlib" in code.co_filename:
        if signal.getsignal(signal.SIGTERM) is outcome.leave:
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGTERM)

sys.setprofile(seen)
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["update"]], ids=" ".join)
def test_sigterm_in_a_callback_of_the_interpreter_is_not_lost(
    flags: list[str], clean_environment: Path, command: list[str]
) -> None:
    folder = {"XDG_RUNTIME_DIR": str(clean_environment)}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CALLBACK, *command, *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **folder},
    )

    assert "SystemExit: 0" in done.stderr  # so that it was lost there
    assert (done.returncode, done.stdout) == (0, "")


def test_it_ends_at_once_while_the_first_create_session_hangs(
    emulator: Emulator, flags: list[str]
) -> None:
    emulator.inject(Hang())
    process = start([*flags, "--port", "0"])
    emulator.wait_for_requests(1, timeout=PATIENCE)
    process.terminate()
    started = time.monotonic()
    out, _ = process.communicate(timeout=PATIENCE)

    assert time.monotonic() - started < 15  # the call itself would take 30
    assert (process.returncode, out) == (0, "")


def test_a_port_in_use_is_told_before_aws_is_asked(emulator: Emulator, flags: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = refused([*flags, "--port", str(port)])

    assert status == 1
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in err
    assert "--port" in err
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (["--listen", "example.com"], 2, "'example.com' is not an IP address"),
        (["--listen", "192.0.2.1"], 1, "Name an address of this machine with --listen"),
        (["--port", "65536"], 2, "'65536' is not a port: 0 to 65535"),
        (["--hop-limit", "0"], 2, "'0' is not a hop limit: 1 to 255"),
        (["--role", "one"], 2, "--role-arn and --role were both given"),
        (["--token-folder", "/proc/none"], 1, "--token-folder"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    flags: list[str], more: list[str], status: int, words: str
) -> None:
    got, err = refused([*flags, *more])

    assert got == status
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["a/b"], "'a/b' gives no usable name"),
        (["=prod"], "'=prod' gives no usable name"),
        (["a="], "'a=' gives no usable name"),
        ([".."], "'..' gives no usable name"),
        (["one", "one=two"], "two roles called one"),
        (["nowhere"], "no profile 'nowhere'"),
    ],
)
def test_a_wrong_role_is_told_in_one_line(roles: list[str], words: str) -> None:
    status, err = refused([word for role in roles for word in ("--role", role)])

    assert status == 1
    assert words in err
    assert err.count("\n") == 1


def test_one_role_for_all_is_not_several_roles() -> None:
    variable = {"AWS_ROLESANYWHERE_ROLE_ARN": "arn:aws:iam::123456789012:role/One"}
    status, err = refused(["--role", "one", "--role", "two"], **variable)

    assert status == 1
    assert "AWS_ROLESANYWHERE_ROLE_ARN: it is set, and would be the role of every --role" in err


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['httptools'] = None;"
        "from boto_rolesanywhere.cli import main; sys.exit(main(['serve', '--role', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "pip install 'boto_rolesanywhere[serve]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_teaches() -> None:
    done = processes.run("serve", "--help", capture_output=True, text=True, check=True)

    for word in ("--hop-limit", "--listen", "--role", "--token-folder", "9911", "examples:", "503"):
        assert word in done.stdout


def test_clients_go_over_to_new_credentials_by_themselves(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 6
    with serving(flags, tmp_path) as running:
        first = running.by_container().json["AccessKeyId"]
        emulator.wait_for_requests(2, timeout=PATIENCE)
        running.wait_for(lambda: running.by_container().json["AccessKeyId"] != first)
        second = running.by_imds(f"{CREDENTIALS}/RolesAnywhere").json["AccessKeyId"]

    created = [record.access_key_id for record in emulator.requests]
    assert first == created[0]
    assert second in created[1:]


def test_a_hanging_create_session_holds_up_nobody(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.max_lifetime = 10
    with serving(flags, tmp_path) as running:
        first = running.by_container().json["AccessKeyId"]
        emulator.inject(Hang(), times=None)
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
    emulator.max_lifetime = 10
    with serving([*flags], tmp_path, AWS_MAX_ATTEMPTS="1") as running:
        first = running.by_container()
        emulator.inject(ErrorStatus(), times=None)
        running.wait_for(lambda: running.health() == (200, "degraded"))
        assert running.by_container().json == first.json

        running.wait_for(lambda: running.health() == (503, "unavailable"))
        gone = running.by_container()
        gone_by_imds = running.by_imds(f"{CREDENTIALS}/RolesAnywhere")
        assert (gone.status, gone_by_imds.status) == (503, 503)
        assert gone.json["code"] == "CredentialsUnavailable"
        assert "AccessKeyId" not in gone.body + gone_by_imds.body

        emulator.clear_faults()
        emulator.max_lifetime = None
        running.wait_for(lambda: running.health() == (200, "ok"))
        assert running.by_container().status == 200
        status, _, err = running.end()

    assert status == 0
    assert "The credentials were not renewed" in err
    assert "RolesAnywhere: there are no credentials" in err


@pytest.fixture
def two_roles(
    emulator: Emulator, flags: list[str], clean_environment: Path, paths: IssuedPaths
) -> list[str]:
    """Two profiles of the AWS config file, and the flags that serve both."""
    writer = Role(arn=f"{emulator.role_arn}Writer", max_session_duration=3600)
    emulator.add(writer)
    emulator.add(replace(emulator.profile, role_arns=(emulator.role_arn, writer.arn)))
    config = "".join(
        f"[profile {name}]\n"
        f"rolesanywhere_certificate = {paths.certificate}\n"
        f"rolesanywhere_private_key = {paths.private_key}\n"
        f"rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}\n"
        f"rolesanywhere_profile_arn = {emulator.profile_arn}\n"
        f"rolesanywhere_role_arn = {arn}\n"
        for name, arn in (("reader", emulator.role_arn), ("prod-writer", writer.arn))
    )
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "config").write_text(config)
    endpoint = ["--endpoint", emulator.endpoint_url]
    return ["--role", "reader", "--role", "writer=prod-writer", *endpoint]


def test_of_several_roles_the_one_that_is_refused_is_named(
    emulator: Emulator, two_roles: list[str]
) -> None:
    emulator.remove(f"{emulator.role_arn}Writer")

    status, err = refused([*two_roles, "--port", "0"])

    assert status == 1
    assert err.startswith("boto-rolesanywhere: serve: the role writer: CreateSession was refused")
    assert err.count("\n") == 1


def test_several_roles_each_have_their_path_and_token(
    emulator: Emulator, two_roles: list[str], tmp_path: Path
) -> None:
    with serving(two_roles, tmp_path) as running:
        reader, writer = running.by_container("reader"), running.by_container("writer")
        tokens = tmp_path / "boto-rolesanywhere"
        crossed = running.ask(
            "/credentials/writer", {"Authorization": (tokens / "reader.token").read_text()}
        )
        name = running.by_imds(f"{CREDENTIALS}/").body
        by_imds = running.by_imds(f"{CREDENTIALS}/reader").json
        other_by_imds = running.by_imds(f"{CREDENTIALS}/writer")

    assert reader.json["RoleArn"] == emulator.role_arn
    assert writer.json["RoleArn"] == f"{emulator.role_arn}Writer"
    assert reader.json["AccessKeyId"] != writer.json["AccessKeyId"]
    assert crossed.status == 401
    assert (name, by_imds["AccessKeyId"]) == ("reader", reader.json["AccessKeyId"])
    assert other_by_imds.status == 404
    assert emulator.created == 2


def test_one_role_that_fails_keeps_all_from_starting(
    emulator: Emulator, two_roles: list[str], tmp_path: Path
) -> None:
    emulator.remove(f"{emulator.role_arn}Writer")
    status, err = refused([*two_roles, "--port", "0"], XDG_RUNTIME_DIR=str(tmp_path))

    assert status == 1
    assert "CreateSession was refused" in err


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
    emulator.max_lifetime = 6
    with serving([*flags, "--debug"], tmp_path) as running:
        given = running.by_container().json
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        imds_token = running.ask("/latest/api/token", ttl, method="PUT").body
        running.ask(f"{CREDENTIALS}/", {"X-aws-ec2-metadata-token": imds_token})
        running.ask("/credentials/RolesAnywhere", {"Authorization": "a-wrong-guess-at-it"})
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


def test_systemd_is_told(flags: list[str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{tmp_path}/notify")
        manager.settimeout(PATIENCE)
        with serving(flags, tmp_path, NOTIFY_SOCKET=f"@{tmp_path}/notify") as running:
            assert manager.recv(100) == b"READY=1"
            assert running.health() == (200, "ok")
            assert running.end()[0] == 0
            assert manager.recv(100) == b"STOPPING=1"


def test_it_serves_even_if_nobody_reads_the_exports(flags: list[str], tmp_path: Path) -> None:
    unread, stdout = os.pipe()
    os.close(unread)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        process = processes.Process(
            "serve",
            *flags,
            *("--port", "0"),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        os.close(stdout)
        assert manager.recv(100) == b"READY=1"
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err.count("\n") == err.count("was not told STOPPING=1")
