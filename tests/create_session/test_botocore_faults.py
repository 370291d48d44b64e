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
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.errors import EndpointError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
Play = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def identity(ca: CertificateAuthority) -> Identity:
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    return open_identity(sources, now=datetime.now(timezone.utc))


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


def failure(
    identity: Identity,
    url: str,
    *,
    verify: Path | None = None,
    proxy: str | None = None,
) -> EndpointError:
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": url,
    }
    session = botocore.session.Session()
    config = config_of(look_up(session, arguments=arguments))
    assert config is not None
    proxies = {"https": proxy, "http": proxy} if proxy else {}
    creator = SessionCreator(
        config,
        lambda: identity,
        client_config=ClientConfig(proxies=proxies, retries={"total_max_attempts": 2}),
        verify=str(verify) if verify else None,
        session=private_session(session),
        sleep=lambda _: None,
    )
    with pytest.raises(EndpointError) as caught:
        creator.create()
    assert caught.value.code == "endpoint-unreachable"
    return caught.value


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


@pytest.mark.parametrize(
    ("play", "words", "remedy", "calls"),
    [
        (alert(40), "TLS handshake with 'handshake failure'", "No CA helps here", 1),
        (alert(70), "TLS handshake with 'protocol version'", "TLS 1.2 and 1.3", 1),
        (alert(112), "TLS handshake with 'unrecognized name'", "No CA helps here", 1),
        (alert(116), "TLS handshake with 'certificate required'", "no client certificate", 1),
        (alert(48), "TLS handshake with 'unknown ca'", "No CA helps here", 1),
        (alert(80), "TLS handshake with 'internal error'", "Check the Region", 2),
        (answer("400 Bad Request"), "speaks no TLS", "Check the port", 1),
        (closing, "closed during the TLS handshake", "Check the Region", 2),
        (resetting, "Connection reset by peer", "Check the Region", 2),
    ],
)
def test_a_handshake_that_fails_says_why(
    identity: Identity, peer: Peer, play: Play, words: str, remedy: str, calls: int
) -> None:
    peer.play = play

    error = failure(identity, f"https://localhost:{peer.port}")

    assert words in error.problem
    assert remedy in str(error.remedy)
    assert "Name the CA" not in str(error)
    assert peer.calls == calls


@pytest.mark.parametrize(
    ("play", "words", "remedy"),
    [
        (alert(50), "speaks TLS, and the URL is http://", "Write https://"),
        (closing, "Connection was closed before", "Check the Region"),
        (resetting, "Connection was closed before", "Check the Region"),
    ],
)
def test_a_connection_that_ends_says_why(
    identity: Identity, peer: Peer, play: Play, words: str, remedy: str
) -> None:
    peer.play = play

    error = failure(identity, f"http://127.0.0.1:{peer.port}")

    assert words in error.problem
    assert remedy in str(error.remedy)


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

    error = failure(identity, f"https://localhost:{peer.port}", verify=bundle)

    assert words in error.problem
    assert remedy in str(error.remedy)
    assert peer.calls == 1


@pytest.mark.parametrize(
    ("play", "words", "remedy", "calls"),
    [
        (
            answer("407 Proxy Authentication Required"),
            "the proxy asks for a user name and a password (HTTP 407)",
            "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
            1,
        ),
        (answer("403 Forbidden"), "not let the call through (HTTP 403 Forbidden)", "NO_PROXY", 1),
        (answer("502 Bad Gateway"), "not let the call through (HTTP 502", "Check HTTPS_PROXY", 2),
        (answer("503"), "not let the call through (HTTP 503)", "Check HTTPS_PROXY", 2),
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
