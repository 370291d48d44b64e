"""What fails on the way is named for what it is, with advice that helps."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore.session
import pytest
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.call import Clocks, call
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.direct_transport import DirectTransport
from boto_rolesanywhere.create_session.plain_route import plain_route
from boto_rolesanywhere.errors import EndpointError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.settings.config import Arguments, Config
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.testing import CertificateAuthority

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
Play = Callable[[socket.socket], None]


class Peer:
    """Listens on this machine, and plays the same part with everybody who connects."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        self.play: Play = lambda _: None
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return self.listening.getsockname()[1]

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.calls += 1
                with connection, suppress(OSError):
                    self.play(connection)


@pytest.fixture
def peer() -> Iterator[Peer]:
    running = Peer()
    yield running
    running.listening.shutdown(socket.SHUT_RDWR)
    running.listening.close()


def config_for(url: str) -> Config:
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": url,
    }
    config = config_of(look_up(botocore.session.Session(), arguments=arguments))
    assert config is not None
    return config


def failure(
    identity: Identity,
    url: str,
    *,
    verify: Path | None = None,
    proxy: str | None = None,
) -> EndpointError:
    proxies = {"https": proxy, "http": proxy} if proxy else {}
    creator = SessionCreator(
        config_for(url),
        lambda: identity,
        client_config=ClientConfig(proxies=proxies),
        verify=str(verify) if verify else None,
        clocks=Clocks(CorrectedClock(), sleep=lambda _: None),
    )
    return error_of(creator.create)


def failure_without_botocore(
    identity: Identity, url: str, *, verify: Path | None = None
) -> EndpointError:
    config = config_for(url)
    route = plain_route(config, {}, {"AWS_CA_BUNDLE": str(verify)} if verify else {})
    assert route is not None
    transport = DirectTransport(config.region, route)
    clocks = Clocks(CorrectedClock(), sleep=lambda _: None)
    return error_of(lambda: call(config, identity, transport, clocks))


def error_of(create: Callable[[], object]) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        create()
    assert caught.value.code == "endpoint-unreachable"
    return caught.value


Failing = Callable[..., EndpointError]
THROUGH_BOTH = pytest.mark.parametrize(
    "failing", [failure, failure_without_botocore], ids=["botocore", "direct"]
)
ALL, ONE = 5, 1


def alert(number: int) -> Play:
    def play(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(bytes([21, 3, 3, 0, 2, 2, number]))

    return play


def answer(status: str, *headers: str) -> Play:
    def play(connection: socket.socket) -> None:
        connection.recv(65536)
        head = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers]
        connection.sendall("\r\n".join([*head, "", ""]).encode())

    return play


def closing(connection: socket.socket) -> None:
    connection.recv(65536)


def resetting(connection: socket.socket) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@THROUGH_BOTH
@pytest.mark.parametrize(
    ("play", "words", "remedy", "calls"),
    [
        (alert(40), "TLS handshake with 'handshake failure'", "No CA helps here", ONE),
        (alert(70), "TLS handshake with 'protocol version'", "TLS 1.2 and 1.3", ONE),
        (alert(112), "TLS handshake with 'unrecognized name'", "No CA helps here", ONE),
        (alert(116), "TLS handshake with 'certificate required'", "no client certificate", ONE),
        (alert(48), "TLS handshake with 'unknown ca'", "No CA helps here", ONE),
        (
            alert(80),
            "TLS handshake with 'internal error'",
            "Check the URL, and that its service",
            ALL,
        ),
        (answer("400 Bad Request"), "speaks no TLS", "Check the port", ONE),
        (closing, "closed during the TLS handshake", "Check the URL, and that its service", ALL),
        (resetting, "Connection reset by peer", "Check the URL, and that its service", ALL),
    ],
)
def test_a_handshake_that_fails_says_why(
    identity: Identity,
    peer: Peer,
    failing: Failing,
    play: Play,
    words: str,
    remedy: str,
    calls: int,
) -> None:
    peer.play = play

    error = failing(identity, f"https://localhost:{peer.port}")

    assert words in error.problem
    assert remedy in str(error.remedy)
    assert "Name the CA" not in str(error)
    assert peer.calls == calls


@THROUGH_BOTH
@pytest.mark.parametrize(
    ("play", "words", "remedy"),
    [
        (alert(50), "speaks TLS, and the URL is http://", "Write https://"),
        (closing, "onnection", "Check the URL, and that its service"),
        (resetting, "onnection", "Check the URL, and that its service"),
    ],
)
def test_a_connection_that_ends_says_why(
    identity: Identity, peer: Peer, failing: Failing, play: Play, words: str, remedy: str
) -> None:
    peer.play = play

    error = failing(identity, f"http://127.0.0.1:{peer.port}")

    assert words in error.problem
    assert remedy in str(error.remedy)


@THROUGH_BOTH
@pytest.mark.parametrize(
    ("name", "hours", "known", "words", "remedy"),
    [
        ("localhost", 1, False, "unable to get local issuer", "Name the CA"),
        ("elsewhere", 1, True, "certificate", "Check the endpoint URL"),
        ("localhost", -1, True, "certificate has expired", "Check this machine's clock"),
    ],
)
def test_a_certificate_that_is_not_taken_says_why(
    ca: CertificateAuthority,
    identity: Identity,
    peer: Peer,
    tmp_path: Path,
    failing: Failing,
    name: str,
    hours: int,
    known: bool,
    words: str,
    remedy: str,
) -> None:
    now = datetime.now(timezone.utc)
    paths = ca.issue(
        name,
        san=[f"DNS:{name}"],
        not_before=now - timedelta(hours=9),
        not_after=now + timedelta(hours=hours),
    ).write(tmp_path)
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes((ca if known else CertificateAuthority("Other")).certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.certificate, paths.private_key)

    def play(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as protected:
            protected.recv(1)

    peer.play = play

    error = failing(identity, f"https://localhost:{peer.port}", verify=bundle)

    assert words in error.problem
    assert remedy in str(error.remedy)
    assert peer.calls == (1 if known else 2)  # the second only looks who issued it


@pytest.mark.parametrize(
    ("play", "words", "remedy", "calls"),
    [
        (
            answer("407 Proxy Authentication Required"),
            "the proxy asks for a user name and a password (HTTP 407)",
            "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
            ONE,
        ),
        (answer("403 Forbidden"), "not let the call through (HTTP 403 Forbidden)", "NO_PROXY", ONE),
        (answer("502 Bad Gateway"), "not let the call through (HTTP 502", "Check HTTPS_PROXY", ALL),
        (answer("503"), "not let the call through (HTTP 503)", "Check HTTPS_PROXY", ALL),
    ],
)
def test_a_proxy_that_does_not_tunnel_says_why(
    identity: Identity, peer: Peer, play: Play, words: str, remedy: str, calls: int
) -> None:
    peer.play = play

    error = failure(
        identity, "https://private.example", proxy=f"http://me:hunter2@127.0.0.1:{peer.port}"
    )

    assert words in error.problem
    assert remedy in str(error.remedy)
    assert "hunter2" not in f"{error} {error.__cause__!r}"
    assert peer.calls == calls


def test_a_proxy_asks_for_a_password_without_a_tunnel_too(identity: Identity, peer: Peer) -> None:
    peer.play = answer("407 Proxy Authentication Required", "Proxy-Authenticate: Basic")

    error = failure(identity, "http://private.example", proxy=f"http://127.0.0.1:{peer.port}")

    assert "the proxy asks for a user name and a password (HTTP 407)" in error.problem
    assert peer.calls == 1


def test_a_proxy_without_tls_that_is_named_with_it(identity: Identity, peer: Peer) -> None:
    peer.play = answer("400 Bad Request")

    error = failure(identity, "https://private.example", proxy=f"https://127.0.0.1:{peer.port}")

    assert "the proxy speaks no TLS, and its URL is https://" in error.problem


@pytest.mark.parametrize(
    ("url", "proxy", "words"),
    [
        ("https://nowhere.invalid", None, "its name has no address"),
        ("https://127.0.0.1:9", None, "(Connection refused)"),
        ("https://private.example", "http://127.0.0.1:9", "Failed to connect to proxy"),
        ("https://private.example", "http://127.0.0.1:9", "(Connection refused)"),
        ("https://private.example", "http://nowhere.invalid:1", "proxy"),
    ],
)
def test_where_nobody_listens_says_so(
    identity: Identity, url: str, proxy: str | None, words: str
) -> None:
    assert words in failure(identity, url, proxy=proxy).problem
