"""The doctor's way to AWS through a proxy: real ones, on loopback, and what is none."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from way_to_aws import ALL_WELL, CA, examined, failed_at, statuses

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

pytestmark = pytest.mark.usefixtures("sts")

AWS_HOST = "rolesanywhere.eu-west-1.amazonaws.com"


class TestProxy:
    @pytest.fixture
    def aws(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
        """An emulator that has AWS's own name, reached through a proxy alone."""
        authority = CertificateAuthority("TLS")
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(authority.certificate_pem)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        with Emulator(CA, tls=authority.issue("aws", san=(f"DNS:{AWS_HOST}",))) as running:
            yield running

    def test_the_call_goes_through_it(
        self,
        aws: Emulator,
        connect_proxy,  # noqa: ANN001  # its class is in conftest
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        connect_proxy.target = ("127.0.0.1", int(aws.endpoint_url.rsplit(":", 1)[1]))
        with_user = connect_proxy.url.replace("//", "//user:hunter2@")
        monkeypatch.setenv("HTTPS_PROXY", with_user)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

        verdicts = examined(aws, url=None)

        assert statuses(verdicts) == ALL_WELL
        assert verdicts["endpoint"].text == f"https://{AWS_HOST}"
        assert verdicts["proxy"].text == f"{connect_proxy.url} (from HTTPS_PROXY)"
        assert verdicts["connection"].text == f"{AWS_HOST} port 443, through {connect_proxy.url}"
        assert set(connect_proxy.hosts) == {f"{AWS_HOST}:443"}
        assert len(connect_proxy.hosts) == 4
        assert "hunter2" not in str(verdicts)

    def test_it_refuses(self, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        with answering(b"HTTP/1.1 403 Forbidden\r\n\r\n") as url:
            monkeypatch.setenv("HTTPS_PROXY", url)
            verdicts = examined(aws, url=None)
        assert statuses(verdicts) == failed_at("connection")
        assert "Tunnel connection failed: 403 Forbidden" in verdicts["connection"].text
        assert "Check that the proxy runs" in str(verdicts["connection"].remedy)

    @pytest.mark.parametrize("answer", [b"220 mail.example ESMTP\r\n", b""])
    def test_it_is_none(
        self, aws: Emulator, answer: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with answering(answer) as url:
            monkeypatch.setenv("HTTPS_PROXY", url)
            verdicts = examined(aws, url=None)
        assert statuses(verdicts) == failed_at("connection")

    def test_it_is_not_there(self, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://u:hunter2@127.0.0.1:9")
        verdicts = examined(aws, url=None)
        assert statuses(verdicts) == failed_at("connection")
        assert "the proxy http://127.0.0.1:9 did not connect to" in verdicts["connection"].text
        assert verdicts["proxy"].text.endswith("(from https_proxy)")
        assert "hunter2" not in str(verdicts)

    def test_its_name_does_not_exist(self, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
        verdicts = examined(aws, url=None)
        assert statuses(verdicts) == failed_at("name-resolution")
        assert "proxy.invalid cannot be resolved" in verdicts["name-resolution"].text
        assert "the proxy's URL" in str(verdicts["name-resolution"].remedy)

    def test_it_is_of_another_kind(self, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "socks5://u:hunter2@127.0.0.1:1080")
        verdicts = examined(aws, url=None)
        assert statuses(verdicts) == failed_at("endpoint")
        assert "the proxy is a SOCKS proxy" in verdicts["endpoint"].text
        assert "hunter2" not in str(verdicts)

    def test_no_proxy_covers_the_host(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        verdicts = examined(emulator)
        assert verdicts["proxy"].text == "none: NO_PROXY covers 127.0.0.1"
        assert statuses(verdicts) == ALL_WELL | {"tls": "skip"}


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives every connection the same answer."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)

    make: Callable[..., socketserver.BaseRequestHandler] = Handler
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), make) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
