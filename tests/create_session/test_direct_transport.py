"""Whatever the other side does, the call without botocore ends as the call through it does."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import botocore.session
import pytest

from boto_rolesanywhere.composition import creator_of
from boto_rolesanywhere.create_session import trust
from boto_rolesanywhere.create_session.call import Clocks, call
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.direct_transport import DirectTransport
from boto_rolesanywhere.create_session.plain_route import plain_route
from boto_rolesanywhere.create_session.transport import Transport
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.settings.config import Arguments, Config, resolve
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, TlsFiles

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a route is plain on Linux alone")

ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
GOOD = json.dumps({
    "credentialSet": [
        {
            "credentials": {
                "accessKeyId": "ASIAEXAMPLE",
                "secretAccessKey": "secret",
                "sessionToken": "token",
                "expiration": "2036-01-01T00:00:00Z",
            },
        }
    ]
}).encode()  # fmt: skip
JSON = b"Content-Type: application/json\r\n"
REFUSED = b'{"message": "Untrusted signing certificate"}'


def answer(status: bytes, body: bytes, head: bytes = JSON, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, head, size, body)


CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "a session": answer(b"201 Created", GOOD),
    "a session in chunks": CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
    "a session after 100": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"201 Created", GOOD),
    "no length": b"HTTP/1.1 201 Created\r\n\r\n" + GOOD,
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "half a head": b"HTTP/1.1 201 Created\r\nContent-",
    "a head without end": b"HTTP/1.1 201 Created\r\n" + b"X-Long: x\r\n" * 200,
    "a long line": b"HTTP/1.1 201 Created\r\nX: " + b"x" * 70_000 + b"\r\n\r\n" + GOOD,
    "a cut body": answer(b"201 Created", GOOD[:40], length=len(GOOD)),
    "a cut chunk": CHUNKED + b"%x\r\n%b" % (len(GOOD), GOOD[:40]),
    "a chunk of no size": CHUNKED + b"zz\r\n" + GOOD,
    "a huge body": answer(b"201 Created", b" " * 1_000_001 + GOOD),
    "a web page": answer(b"200 OK", b"<html>", b"Content-Type: text/html\r\n"),
    "a proxy's page": answer(b"502 Bad Gateway", b"<html>", b"Content-Type: text/html\r\n"),
    "a redirect": answer(b"301 Moved", b"", b"Location: http://127.0.0.1:1/\r\n"),
    "a refusal": answer(b"403 Forbidden", REFUSED, JSON + b"x-amzn-errortype: AccessDenied:x\r\n"),
    "an odd refusal": answer(b"403 Forbidden", b"[" * 5000, JSON),
    "throttled": answer(b"429 Too Many", REFUSED, JSON + b"Retry-After: 3\r\n"),
    "a failure": answer(b"500 Oops", b'{"message": "oops"}', JSON),
    "a header twice": answer(b"403 No", REFUSED, JSON + b"x-amzn-errortype: A\r\n" * 2),
    "compressed": answer(b"201 Created", b"\x1f\x8b\x08", JSON + b"Content-Encoding: gzip\r\n"),
    "no credentials": answer(b"201 Created", b"{}"),
}


class Service(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes."""

    daemon_threads = True
    answer = b""
    seen: list[bytes]


class _Handler(socketserver.StreamRequestHandler):
    server: Service

    def handle(self) -> None:
        length, head = 0, b""
        if self.rfile.peek(1)[:1] == b"\x16":  # the first byte of TLS
            self.wfile.write(self.server.answer)
            return
        while line := self.rfile.readline().strip():
            head += line + b"\n"
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.server.seen.append(head + b"\n" + self.rfile.read(length))
        with suppress(OSError):  # who has read enough may hang up
            self.wfile.write(self.server.answer)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), _Handler) as running:
        running.seen = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def config_for(endpoint: str | None) -> Config:
    arguments: Arguments = {
        "cert": b"in the identity",
        "anchor": f"{ARN}:trust-anchor/1",
        "profile": f"{ARN}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": endpoint,
    }
    config = resolve(arguments, environ={}, section={})
    assert config is not None
    return config


def direct(config: Config, bundle: Path | None = None) -> Transport:
    route = plain_route(config, {}, {"AWS_CA_BUNDLE": str(bundle)} if bundle else {})
    assert route is not None
    return DirectTransport(config.region, route)


def through_botocore(config: Config, bundle: Path | None = None) -> Transport:
    verify = str(bundle) if bundle else None
    session = botocore.session.Session()
    creator = creator_of(config, session, lambda: None, verify=verify)  # type: ignore[arg-type, return-value]  # nothing is signed by it
    return creator.open_transport()


BOTH: tuple[Callable[[Config, Path | None], Transport], ...] = (direct, through_botocore)


def outcome(config: Config, identity: Identity, transport: Transport) -> tuple[object, ...]:
    """What comes of a call: the session, or the error's kind and how often was tried."""
    waited: list[float] = []
    clocks = Clocks(CorrectedClock(), sleep=waited.append)
    try:
        session = call(config, identity, transport, clocks)
    except RolesAnywhereError as error:
        return type(error).__name__, error.code, error.remedy, len(waited)
    return session.access_key_id, session.secret_access_key, len(waited)


# botocore leaves a connection to the garbage collector whose answer it could not read to its end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_the_same_outcome(service: Service, identity: Identity, name: str) -> None:
    service.answer = ANSWERS[name]
    config = config_for(f"http://127.0.0.1:{service.server_address[1]}")

    ours, botocores = (outcome(config, identity, made(config, None)) for made in BOTH)

    assert ours == botocores


def test_nobody_listening_has_the_same_outcome(identity: Identity) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = config_for(f"http://127.0.0.1:{port}")

    ours, botocores = (outcome(config, identity, made(config, None)) for made in BOTH)

    assert ours == botocores
    assert ours[:2] == ("EndpointError", "endpoint-unreachable")


def test_a_name_without_address_has_the_same_outcome(identity: Identity) -> None:
    config = config_for("https://nowhere.invalid")

    ours, botocores = (outcome(config, identity, made(config, None)) for made in BOTH)

    assert ours == botocores


def test_tls_on_one_side_alone_has_the_same_outcome(
    service: Service, ca: CertificateAuthority, identity: Identity
) -> None:
    service.answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    without = config_for(f"https://127.0.0.1:{service.server_address[1]}")
    with Emulator(ca, tls=True) as emulator:
        alone = config_for(emulator.endpoint_url.replace("https://", "http://"))

        for config in (without, alone):
            ours, botocores = (outcome(config, identity, made(config, None)) for made in BOTH)
            assert ours == botocores


def test_the_same_is_sent(service: Service, identity: Identity) -> None:
    service.answer, service.seen = ANSWERS["a session"], []
    config = config_for(f"http://127.0.0.1:{service.server_address[1]}")

    for made in BOTH:
        outcome(config, identity, made(config, None))

    (first, ours), (second, botocores) = (seen.split(b"\n\n") for seen in service.seen)
    assert json.loads(ours) == json.loads(botocores)
    assert first.splitlines()[0] == second.splitlines()[0] == b"POST /sessions HTTP/1.1"
    names = [
        {line.split(b":")[0].lower() for line in head.splitlines()[1:]} for head in (first, second)
    ]
    assert names[0] == names[1]


def tls_service(folder: Path, ca: CertificateAuthority, name: str, trusted: bytes) -> TlsFiles:
    paths = ca.issue("endpoint", san=[name]).write(folder)
    bundle = folder / "bundle.pem"
    bundle.write_bytes(trusted)
    return TlsFiles(certificate=paths.certificate, private_key=paths.private_key, ca_bundle=bundle)


@pytest.mark.parametrize(
    ("name", "known"),
    [("DNS:localhost", True), ("DNS:elsewhere.example", True), ("DNS:localhost", False)],
)
def test_tls_is_checked_as_botocore_checks_it(
    identity: Identity, ca: CertificateAuthority, tmp_path: Path, name: str, known: bool
) -> None:
    other = CertificateAuthority()
    tls = tls_service(tmp_path, ca, name, (ca if known else other).certificate_pem)
    with Emulator(ca, tls=tls) as emulator:
        config = config_for(f"https://localhost:{emulator.endpoint_url.rpartition(':')[2]}")

        ours, botocores = (outcome(config, identity, made(config, tls.ca_bundle)) for made in BOTH)

    assert ours == botocores
    refused_by_tls = ours[1] == "endpoint-unreachable"
    assert refused_by_tls == (name != "DNS:localhost" or not known)


def test_what_amazons_cas_did_not_sign_is_tried_with_all(
    identity: Identity,
    ca: CertificateAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where an endpoint's certificate is another CA's one day: the whole bundle counts."""
    other = CertificateAuthority()
    pem = other.certificate_pem.decode()
    tls = tls_service(
        tmp_path, ca, "DNS:localhost", f'# Label: "Amazon"\n{pem}'.encode() + ca.certificate_pem
    )
    monkeypatch.setattr(trust, "bundle_file", lambda: str(tls.ca_bundle))
    amazons = trust.amazons_context(str(tls.ca_bundle))
    assert amazons is not None
    with Emulator(ca, tls=tls) as emulator:
        port = int(emulator.endpoint_url.rpartition(":")[2])
        with socket.create_connection(("localhost", port)) as raw, pytest.raises(ssl.SSLError):
            amazons.wrap_socket(raw, server_hostname="localhost")
        config = config_for(None)
        route = plain_route(config, {}, {})
        assert route is not None
        route = route._replace(url=f"https://localhost:{port}", host="localhost", port=port)

        found = outcome(config, identity, DirectTransport("eu-west-1", route))

    assert found[1] != "endpoint-unreachable"
