"""The doctor's checks of the way to AWS: against an emulator, moto, proxies, and what is not there.

`examine` runs in the test's own process; the emulator and the proxy are real, on loopback.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from boto_rolesanywhere.doctor import Verdict, examine
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults

CA = CertificateAuthority("Root")
APP = CA.issue("app")
AWS_HOST = "rolesanywhere.eu-west-1.amazonaws.com"


@pytest.fixture(autouse=True)
def sts(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(CA) as running:
        yield running


@pytest.fixture
def tls_emulator() -> Iterator[Emulator]:
    with Emulator(CA, tls=True) as running:
        yield running


def examined(
    emulator: Emulator,
    *,
    url: str | None = "",
    issued: IssuedCertificate = APP,
    verify: bool | str | None = None,
) -> dict[str, Verdict]:
    arguments: dict[str, object] = {
        "cert": issued.bundle_pem,
        "key": issued.private_key_pem,
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url if url == "" else url,
    }
    verdicts = list(examine(arguments, verify=verify, timeout=3))
    return {one.name: one for one in verdicts}


def statuses(verdicts: dict[str, Verdict]) -> dict[str, str]:
    names = list(verdicts)
    return {name: verdicts[name].status for name in names[names.index("endpoint") :]}


def failed_at(name: str) -> dict[str, str]:
    """Well up to there, skipped from there on."""
    order = [
        *("endpoint", "proxy", "name-resolution", "connection", "tls"),
        *("clock", "create-session", "caller-identity"),
    ]
    at = order.index(name)
    return {
        one: "fail" if place == at else "ok" if place < at else "skip"
        for place, one in enumerate(order)
    }


ALL_WELL = dict.fromkeys(failed_at("endpoint"), "ok")


def test_all_is_well_without_tls(emulator: Emulator) -> None:
    verdicts = examined(emulator)

    assert statuses(verdicts) == ALL_WELL | {"tls": "skip"}
    assert verdicts["proxy"].text == "none: the connection is direct"
    assert verdicts["name-resolution"].text == "127.0.0.1 is an address, not a name"
    assert verdicts["create-session"].text.startswith("credentials for 60 minutes, until ")
    assert ("source identity", "CN=app") in verdicts["create-session"].details
    assert verdicts["caller-identity"].text.startswith("AWS says: arn:aws:sts::")
    assert emulator.created == 1


def test_all_is_well_with_tls(tls_emulator: Emulator) -> None:
    bundle = str(tls_emulator.ca_bundle_path)
    verdicts = examined(tls_emulator, verify=bundle)

    assert statuses(verdicts) == ALL_WELL
    assert verdicts["tls"].text.startswith("trusted, issued by CN=Emulator TLS CA, until ")
    assert ("CA bundle", f"{bundle} (verify)") in verdicts["tls"].details


def test_the_verdicts_come_one_by_one(emulator: Emulator) -> None:
    arguments = {"cert": APP.bundle_pem, "key": APP.private_key_pem}
    arguments |= {"anchor": emulator.trust_anchor_arn, "profile": emulator.profile_arn}
    arguments |= {"role": emulator.role_arn, "endpoint_url": emulator.endpoint_url}
    for verdict in examine(arguments):
        if verdict.name == "clock":
            assert emulator.created == 0
        if verdict.name == "create-session":
            assert emulator.created == 1


def test_offline_sends_nothing(emulator: Emulator) -> None:
    arguments = {"cert": APP.bundle_pem, "key": APP.private_key_pem}
    arguments |= {"anchor": emulator.trust_anchor_arn, "profile": emulator.profile_arn}
    arguments |= {"role": emulator.role_arn, "endpoint_url": emulator.endpoint_url}
    names = [one.name for one in examine(arguments, offline=True)]
    assert names[-1] == "crl"
    assert emulator.requests == []


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_ca_bundle_that_counts_is_named(
    tls_emulator: Emulator, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tls_emulator.ca_bundle_path))
    verdicts = examined(tls_emulator)
    assert statuses(verdicts) == ALL_WELL
    assert (
        "CA bundle",
        f"{tls_emulator.ca_bundle_path} ({variable})",
    ) in verdicts["tls"].details


def test_the_ca_bundle_of_the_profile_is_named(
    tls_emulator: Emulator, clean_environment: Path
) -> None:
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "config").write_text(f"[default]\nca_bundle = {tls_emulator.ca_bundle_path}\n")
    verdicts = examined(tls_emulator)
    assert (
        "CA bundle",
        f"{tls_emulator.ca_bundle_path} (ca_bundle)",
    ) in verdicts["tls"].details


def test_a_wrong_ca_bundle(tls_emulator: Emulator, tmp_path: Path) -> None:
    bundle = tmp_path / "other.pem"
    bundle.write_bytes(CertificateAuthority("Other").certificate_pem)

    verdicts = examined(tls_emulator, verify=str(bundle))

    assert statuses(verdicts) == failed_at("tls")
    tls = verdicts["tls"]
    assert "issued by CN=Emulator TLS CA, is not trusted: unable to get local issuer" in tls.text
    assert "AWS_CA_BUNDLE" in str(tls.remedy)
    assert tls_emulator.requests == []


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_bundle_that_is_none(
    tls_emulator: Emulator, tmp_path: Path, content: bytes | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    verdicts = examined(tls_emulator, verify=str(bundle))
    assert statuses(verdicts) == failed_at("tls")
    assert f"the CA bundle {bundle} (from verify) cannot be read" in verdicts["tls"].text


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_check_that_is_switched_off_is_warned_of(tls_emulator: Emulator) -> None:
    verdicts = examined(tls_emulator, verify=False)
    assert statuses(verdicts) == ALL_WELL | {"tls": "warn"}


def test_a_certificate_for_another_host(tmp_path: Path) -> None:
    authority = CertificateAuthority("TLS")
    server = authority.issue("elsewhere", san=("DNS:elsewhere.example",))
    with Emulator(CA, tls=server) as emulator:
        verdicts = examined_with_bundle(emulator, authority, tmp_path)
    assert statuses(verdicts) == failed_at("tls")
    assert "Use the host name that the certificate is for" in str(verdicts["tls"].remedy)


def test_an_expired_certificate_of_the_endpoint(tmp_path: Path) -> None:
    authority = CertificateAuthority("TLS")
    server = authority.issue("x", san=("IP:127.0.0.1",), flaws=("expired",))
    with Emulator(CA, tls=server) as emulator:
        verdicts = examined_with_bundle(emulator, authority, tmp_path)
    assert statuses(verdicts) == failed_at("tls")
    assert "certificate has expired" in verdicts["tls"].text
    assert "clock" in str(verdicts["tls"].remedy)


def examined_with_bundle(
    emulator: Emulator, authority: CertificateAuthority, folder: Path
) -> dict[str, Verdict]:
    bundle = folder / "bundle.pem"
    bundle.write_bytes(authority.certificate_pem)
    return examined(emulator, verify=str(bundle))


def test_a_port_that_speaks_no_tls(emulator: Emulator) -> None:
    url = emulator.endpoint_url.replace("http:", "https:")
    verdicts = examined(emulator, url=url)
    assert statuses(verdicts) == failed_at("tls")
    assert "the handshake fails" in verdicts["tls"].text


def test_an_unencrypted_endpoint_elsewhere_is_warned_of(emulator: Emulator) -> None:
    verdicts = examined(emulator, url="http://nowhere.invalid")
    assert verdicts["endpoint"].status == "warn"


def test_a_dead_port(emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    verdicts = examined(emulator, url=f"https://127.0.0.1:{port}")
    assert statuses(verdicts) == failed_at("connection")
    assert verdicts["connection"].text == (
        f"127.0.0.1 port {port} does not accept connections (Connection refused)"
    )


def test_a_name_that_does_not_exist(emulator: Emulator) -> None:
    verdicts = examined(emulator, url="https://nowhere.invalid")
    assert statuses(verdicts) == failed_at("name-resolution")
    assert "nowhere.invalid cannot be resolved" in verdicts["name-resolution"].text


def test_a_clock_that_is_off_by_much(emulator: Emulator) -> None:
    emulator.clock_offset = timedelta(minutes=12)
    verdicts = examined(emulator)

    assert verdicts["clock"].status == "fail"
    assert "behind the service's, which is more than the 5 minutes" in verdicts["clock"].text
    # The library's call is signed by the service's time; others are not.
    assert verdicts["create-session"].status == "ok"


def test_a_clock_that_is_off_by_little(emulator: Emulator) -> None:
    emulator.clock_offset = timedelta(seconds=-90)
    verdicts = examined(emulator)
    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "clock": "warn"}
    assert "ahead of the service's" in verdicts["clock"].text


def test_an_answer_without_a_time(emulator: Emulator) -> None:
    emulator.inject(faults.HtmlBody(502))
    verdicts = examined(emulator)
    # The page of whatever stands in between may say its time or not; the session is made then.
    assert verdicts["clock"].status in {"ok", "warn"}
    assert verdicts["create-session"].status == "ok"


def test_an_endpoint_that_answers_nothing(emulator: Emulator) -> None:
    emulator.inject(faults.Reset())
    verdicts = examined(emulator)
    assert verdicts["clock"].status == "fail"
    assert "the endpoint does not answer" in verdicts["clock"].text
    assert verdicts["create-session"].status == "skip"


def test_a_certificate_that_would_be_refused_is_not_sent(emulator: Emulator) -> None:
    for flaw, why in (
        ("expired", "the certificate has expired, or is not valid yet"),
        ("no-digital-signature", "AWS would refuse the certificate"),
    ):
        verdicts = examined(emulator, issued=CA.issue("app", flaws=(flaw,)))
        assert (verdicts["create-session"].status, verdicts["create-session"].text) == (
            "skip",
            why,
        )
        assert verdicts["clock"].status == "ok"
    assert emulator.created == 0


def test_a_wrong_key_is_not_tried(emulator: Emulator) -> None:
    verdicts = examined(emulator, issued=CA.issue("app", flaws=("wrong-key",)))
    assert verdicts["key"].status == "fail"
    assert verdicts["create-session"].text == "no usable pair of key and certificate was found"


def test_the_chain_goes_with_the_call(emulator: Emulator) -> None:
    issued = CA.issue_intermediate("Issuing").issue("app")
    assert examined(emulator, issued=issued)["create-session"].status == "ok"


def test_a_refusal_is_explained(emulator: Emulator) -> None:
    emulator.remove(emulator.profile_arn)
    refused = examined(emulator)["create-session"]
    assert "Invalid or empty profile provided." in refused.text
    assert ("likely cause", "the profile is deleted or disabled") in refused.details
    assert refused.remedy == "Check the profile's ARN and that it is enabled."


def test_sts_that_is_not_reached(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    verdicts = examined(emulator)
    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "caller-identity": "fail"}
    assert "http://127.0.0.1:9" in verdicts["caller-identity"].text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:QUXX@127.0.0.1:9",
        "http://user:QUXX/ZYXW@127.0.0.1:9",
        "http://user:QUXX#ZYXW@127.0.0.1:9",
        "http://user:QUXX?ZYXW@127.0.0.1:9",
        "http://user:QUXX[ZYXW]@127.0.0.1:9",
        "http://user:QUXX://ZYXW@127.0.0.1:9",
        "http://user:QUXX/ZYXW",
        "user:QUXX",
        "HTTP://user:QUXX@127.0.0.1:9",
        "http:user:QUXX@127.0.0.1:9",
    ],
)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_STS", "HTTPS_PROXY"])
def test_a_password_on_the_way_to_sts_is_not_shown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # the emulator is reached, STS is not
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    monkeypatch.setenv(variable, url)

    verdicts = examined(emulator)

    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "caller-identity": "fail"}
    assert "QUXX" not in repr(verdicts)
    assert "ZYXW" not in repr(verdicts)


@contextmanager
def sts_answering(status: int, body: bytes) -> Iterator[str]:
    """An STS that gives every call the same answer."""

    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>It works!</html>",
        b"{}",
        b"",
        b"\xff\xfe",
        b"<GetCallerIdentityResponse><GetCallerIdentityResult>",
        b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>",
    ],
)
def test_what_does_not_answer_as_sts_is_a_verdict(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    with sts_answering(200, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        verdict = examined(emulator)["caller-identity"]

    assert verdict.status == "fail"
    assert "not answered as STS answers" in verdict.text


@pytest.mark.parametrize(
    ("status", "path"),
    [(403, "ErrorResponse Error Message"), (200, "Response GetCallerIdentityResult Arn")],
)
def test_what_sts_says_is_bounded_and_stays_on_its_line(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, status: int, path: str
) -> None:
    elements = path.split()
    opening = "".join(f"<{element}>" for element in elements)
    closing = "".join(f"</{element}>" for element in reversed(elements))
    body = f"{opening}{'a&#10;FAIL chain&#155;31m' * 10_000}{closing}".encode()

    with sts_answering(status, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        verdict = examined(emulator)["caller-identity"]

    assert "FAIL chain" in verdict.text
    assert verdict.text.isprintable()
    assert len(verdict.text) < 2_000


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
