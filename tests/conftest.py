"""What all tests share: a clean environment, and the services that a test may ask for."""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest
from botocore.loaders import JSONFileLoader, Loader
from hypothesis import settings

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

# A busy machine is no fault. Where CI is set, both profiles build on hypothesis's "ci": the same
# examples in every run.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# scripts/test asks for it on the Pythons that it runs besides the first.
settings.register_profile("quick", max_examples=20)
if "HYPOTHESIS_PROFILE" in os.environ:
    settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])

# A shell starts what runs in its background with SIGINT ignored, and so would ours be.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nor do users start Python as some machines of CI have it started: without bytecode on the disk,
# each process compiles all that it imports.
for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)
sys.dont_write_bytecode = False


_load_file = JSONFileLoader.load_file


def load_file_once(self: JSONFileLoader, file_path: str) -> object:
    """botocore's, which reads its models anew for each session: tests make thousands of those.

    Clients of one session share a model, so nothing changes it. Models elsewhere are read anew.
    """
    if not file_path.startswith(Loader.BUILTIN_DATA_PATH):
        return _load_file(self, file_path)
    if file_path not in _models:
        _models[file_path] = _load_file(self, file_path)
    return _models[file_path]


_models: dict[str, object] = {}
JSONFileLoader.load_file = load_file_once

# scripts/test runs these in environments of their own: aiobotocore wants an older botocore.
collect_ignore_glob = [] if find_spec("aiobotocore") else ["test_aio*.py"]

# The managed policies of AWS that tests and pages attach.
ATTACHED = ("AWSDenyAll", "AmazonS3ReadOnlyAccess", "ReadOnlyAccess")


def pytest_collection_finish() -> None:
    """Leave what is loaded by now to no later collection: some tests ask for one at each call."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No AWS settings but those that a test makes; gives the (empty) home folder."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # It would keep the settings, keys and models of the test that was the first to use it.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return home


@pytest.fixture(autouse=True)
def logger_as_it_was() -> Iterator[None]:
    """A command that runs in the test's own process sets the package's logger up for itself."""
    logger = logging.getLogger("boto_rolesanywhere")
    level, handlers = logger.level, logger.handlers[:]
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@dataclass
class ConnectProxy:
    """An HTTP proxy that tunnels every CONNECT to one address, and remembers what was asked for.

    So a test can call a real host name over real TLS without leaving the machine.
    """

    target: tuple[str, int]
    url: str = ""
    login: str | None = None  # the Proxy-Authorization that it asks for
    hosts: list[str] = field(default_factory=list)


class _Tunnel(socketserver.StreamRequestHandler):
    proxy: ConnectProxy

    def handle(self) -> None:
        self.proxy.hosts.append(self.rfile.readline().split()[1].decode())
        lines = list(iter(lambda: self.rfile.readline().strip().decode(), ""))
        if self.proxy.login and f"Proxy-Authorization: {self.proxy.login}" not in lines:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        with socket.create_connection(self.proxy.target) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {self.connection: upstream, upstream: self.connection}
            while True:
                for readable in select.select(list(ends), [], [])[0]:
                    data = readable.recv(65536)
                    if not data:
                        return
                    ends[readable].sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def connect_proxy() -> Iterator[ConnectProxy]:
    """A running proxy; set its `target` before use."""
    proxy = ConnectProxy(("127.0.0.1", 9))
    handler = type("Tunnel", (_Tunnel,), {"proxy": proxy})
    with _Server(("127.0.0.1", 0), handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield proxy
        server.shutdown()


@pytest.fixture(scope="session")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    """A workload's certificate, straight below the CA, and its key."""
    return ca.issue("app")


@pytest.fixture
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """A server that answers as S3, STS and the rest of AWS do."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # AWS's own policies, to attach
    from moto.iam import models
    from moto.server import ThreadedMotoServer  # slow to load, and few tests ask for it

    # moto makes all of AWS's policies, over a thousand, anew at each reset: it took most of the
    # time of many tests.
    policies = json.loads(models.aws_managed_policies_data)
    models.aws_managed_policies_data = json.dumps({name: policies[name] for name in ATTACHED})
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
