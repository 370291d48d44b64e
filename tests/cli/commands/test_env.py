"""env, run as a user runs it, with the emulator behind."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from commands import ended

from boto_rolesanywhere.testing import Emulator, faults


def test_env_in_sh_can_be_evaluated(emulator: Emulator, flags: list[str]) -> None:
    script = f'eval "$1"; exec {sys.executable} -c "$2"'
    show = "import os; print(*(os.environ[n] for n in sorted(os.environ) if 'AWS_' in n))"

    done = subprocess.run(
        ["sh", "-c", script, "sh", ended("env", *flags).stdout, show],
        capture_output=True,
        text=True,
        check=True,
    )

    assert str(emulator.requests[0].access_key_id) in done.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sh", "export AWS_ACCESS_KEY_ID={}\n"),
        ("fish", "set -gx AWS_ACCESS_KEY_ID '{}'\n"),
        ("powershell", "$env:AWS_ACCESS_KEY_ID = '{}'\n"),
        ("dotenv", "AWS_ACCESS_KEY_ID={}\n"),
        ("json", '{{\n  "AWS_ACCESS_KEY_ID": "{}",\n'),
    ],
)
def test_env_in_each_format(emulator: Emulator, flags: list[str], name: str, line: str) -> None:
    printed = ended("env", "--format", name, *flags).stdout

    assert printed.startswith(line.format(emulator.requests[0].access_key_id))
    assert "AWS_CREDENTIAL_EXPIRATION" in printed
    if name == "json":
        assert list(json.loads(printed))[3:] == [
            *("AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID", "AWS_REGION", "AWS_DEFAULT_REGION")
        ]
        assert json.loads(printed)["AWS_REGION"] == emulator.region
        assert json.loads(printed)["AWS_ACCOUNT_ID"] == emulator.account


def test_env_fails_on_one_line_with_nothing_on_stdout(emulator: Emulator, flags: list[str]) -> None:
    emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked"))

    done = ended("env", *flags, status=1)

    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Certificate revoked" in done.stderr


class _Hostile(BaseHTTPRequestHandler):
    """Answers CreateSession with a secret key of its server's."""

    server: _HostileServer

    def do_POST(self) -> None:
        credentials = {
            "accessKeyId": "ASIAEXAMPLE",
            "secretAccessKey": self.server.secret_key,
            "sessionToken": "token",
            "expiration": (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(),
        }
        body = json.dumps({"credentialSet": [{"credentials": credentials}]}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _HostileServer(ThreadingHTTPServer):
    secret_key = ""


@pytest.mark.parametrize(
    ("name", "secret_key"),
    [
        ("sh", "nul\0"),
        ("fish", "a blank"),
        ("powershell", "\u2019; calc; \u2019"),
        ("dotenv", "key\nLD_PRELOAD=/tmp/x.so"),
        ("json", "lone \ud800"),
    ],
)
def test_env_prints_no_value_that_is_more_than_a_word(
    emulator: Emulator, flags: list[str], name: str, secret_key: str
) -> None:
    with _HostileServer(("127.0.0.1", 0), _Hostile) as server:
        server.secret_key = secret_key
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        there = [endpoint if flag == emulator.endpoint_url else flag for flag in flags]
        done = ended("env", "--format", name, *there, status=1)
        server.shutdown()

    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "CreateSession was answered without usable credentials" in done.stderr
