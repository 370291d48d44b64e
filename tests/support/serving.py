"""``serve`` as a process: started, read and ended."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import processes
import pytest
from older import AGING, grow_older

from boto_rolesanywhere.testing import Emulator

PATIENCE = 20.0
CREDENTIALS = "/latest/meta-data/iam/security-credentials"


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
    ahead: Path | None = None

    def age(self, seconds: int) -> None:
        """Let the session of a server that is `aging` get older."""
        assert self.ahead is not None
        grow_older(self.ahead, seconds)

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


def start(
    arguments: Sequence[str], ahead: Path | None = None, **environ: str
) -> subprocess.Popen[str]:
    module = {} if ahead is None else {"module": AGING}
    return processes.Process(
        "serve",
        *arguments,
        **module,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECONDS_AHEAD": str(ahead), **environ},
    )


def refused(arguments: Sequence[str], **environ: str) -> tuple[int, str]:
    """The exit status and the error of a server that does not start."""
    process = start(arguments, **environ)
    out, err = process.communicate(timeout=PATIENCE)
    assert out == ""
    return process.returncode, err


@contextmanager
def serving(
    arguments: Sequence[str],
    tmp_path: Path,
    *,
    last_line: str = "TOKEN_FILE=",
    aging: bool = False,
    **environ: str,
) -> Iterator[Running]:
    folder = {"XDG_RUNTIME_DIR": str(tmp_path)}
    ahead = tmp_path / "ahead" if aging else None
    process = start([*arguments, "--port", "0"], ahead, **{**folder, **environ})
    running = Running(process, ahead=ahead)
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
