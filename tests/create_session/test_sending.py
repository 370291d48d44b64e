"""An answer that drips or never ends is cut off, and holds up neither the call nor a later one."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import chain, repeat

import botocore.session
import pytest
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.errors import EndpointError, InvalidResponseError, RolesAnywhereError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
DEADLINE = 0.4
PATIENCE = 10.0
HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 900000\r\n\r\n"


class Service(socketserver.ThreadingTCPServer):
    """Sends `first` at once, then `drop` again and again until the client goes or it is `over`."""

    daemon_threads = True
    first = b""
    drop = b""
    pause = 0.05
    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.cut_off = threading.Event()


class _Handler(socketserver.BaseRequestHandler):
    server: Service

    def handle(self) -> None:
        self.server.requests += 1
        self.request.recv(65536)
        with suppress(OSError):
            for data in chain([self.server.first], repeat(self.server.drop)):
                self.request.sendall(data)
                if self.server.over.wait(self.server.pause):
                    return
        self.server.cut_off.set()


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.over.set()
        running.shutdown()


def creator(
    ca: CertificateAuthority, service: Service, *, attempts: int = 1, deadline: float = DEADLINE
) -> SessionCreator:
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    identity = open_identity(sources, now=datetime.now(timezone.utc))
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": f"http://127.0.0.1:{service.server_address[1]}",
    }
    session = botocore.session.Session()
    config = config_of(look_up(session, arguments=arguments))
    assert config is not None
    options = ClientConfig(retries={"total_max_attempts": attempts}, read_timeout=PATIENCE)
    return SessionCreator(
        config,
        lambda: identity,
        client_config=options,
        session=private_session(session),
        deadline=deadline,
    )


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 201 Created\r\nX: ", b"y"),
        (HEAD, b" "),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", b" "),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["status", "header", "body", "refusal", "chunks"],
)
def test_an_answer_that_drips_is_cut_off(
    ca: CertificateAuthority, service: Service, first: bytes, drop: bytes
) -> None:
    service.first, service.drop = first, drop
    started = time.monotonic()

    with pytest.raises(EndpointError, match="took too long"):
        creator(ca, service).create()
    assert DEADLINE <= time.monotonic() - started < PATIENCE


def test_the_time_is_that_of_the_whole_call(ca: CertificateAuthority, service: Service) -> None:
    service.first, service.drop, service.pause = HEAD, b" ", PATIENCE
    started = time.monotonic()

    with pytest.raises(EndpointError, match="took too long"):
        creator(ca, service, attempts=5).create()
    assert time.monotonic() - started < PATIENCE
    assert service.requests == 1


def test_a_call_whose_time_is_over_sends_nothing(
    ca: CertificateAuthority, service: Service
) -> None:
    with pytest.raises(EndpointError, match="took too long"):
        creator(ca, service, deadline=0.0).create()
    assert service.requests == 0


def test_a_body_without_an_end_is_cut_off_at_its_size(
    ca: CertificateAuthority, service: Service
) -> None:
    service.first = b"HTTP/1.1 201 Created\r\n\r\n"
    service.drop, service.pause = b" " * 100_000, 0.0

    with pytest.raises(InvalidResponseError, match="more than 1,000,000 bytes"):
        creator(ca, service, deadline=PATIENCE).create()
    assert service.cut_off.wait(PATIENCE)


def test_what_was_given_up_reads_no_further(ca: CertificateAuthority, service: Service) -> None:
    service.first, service.drop, service.pause = HEAD, b" " * 4096, 0.02

    with pytest.raises(EndpointError, match="took too long"):
        creator(ca, service).create()
    assert service.cut_off.wait(PATIENCE)


def test_the_interpreter_may_be_ending(
    ca: CertificateAuthority, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    service.first = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
    call = creator(ca, service)
    with monkeypatch.context() as patch:
        # The server's own thread comes through here too, so only that of the call is refused.
        start = threading.Thread.start
        patch.setattr(
            threading.Thread,
            "start",
            lambda thread: refuse(thread) if thread.name == "create-session" else start(thread),
        )
        with pytest.raises(RolesAnywhereError, match="without usable credentials"):
            call.create()
