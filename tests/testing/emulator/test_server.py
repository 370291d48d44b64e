"""Starting, stopping, TLS, the port; what importing costs; speed."""

from __future__ import annotations

import gc
import json
import re
import socket
import ssl
import subprocess
import sys
import time
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, TlsFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Client


def test_after_an_outage_it_is_back_on_the_same_port(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    url = emulator.endpoint_url
    for _ in range(3):
        assert client.create(issued).status == 201
        emulator.stop()
        with pytest.raises(ConnectionRefusedError):
            client.create(issued)
        emulator.start()
        assert emulator.endpoint_url == url
    assert client.create(issued).status == 201
    assert emulator.created == 4


def test_an_outage_breaks_idle_connections(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    connection = client.connect()
    connection.request("GET", "/")
    connection.getresponse().read()
    emulator.stop()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_the_port_stays_ours_during_an_outage(emulator: Emulator) -> None:
    port = urlsplit(emulator.endpoint_url).port
    emulator.stop()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    emulator.close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_starting_and_stopping_twice_does_nothing_more(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    emulator = Emulator(ca)
    with pytest.raises(ConfigurationError, match="no port before its first start"):
        _ = emulator.endpoint_url
    emulator.stop()
    emulator.start()
    url = emulator.endpoint_url
    emulator.start()
    assert emulator.endpoint_url == url
    assert client_of(emulator).create(issued).status == 201
    emulator.stop()
    emulator.stop()
    emulator.close()
    emulator.close()


def test_a_port_can_be_chosen_and_may_be_taken(ca: CertificateAuthority) -> None:
    with Emulator(ca) as first:
        port = urlsplit(first.endpoint_url).port
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {port}"):
            Emulator(ca, port=port).start()
    for none in (-1, 99_999):
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {none}"):
            Emulator(ca, port=none).start()
    with Emulator(ca, port=port) as second:
        assert urlsplit(second.endpoint_url).port == port


def test_without_an_authority_it_makes_one(client_of: Callable[[Emulator], Client]) -> None:
    with Emulator() as emulator:
        assert emulator.ca is not None
        assert client_of(emulator).create(emulator.ca.issue()).status == 201


def test_two_emulators_have_nothing_in_common(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca) as first, Emulator(ca) as second:
        assert first.trust_anchor_arn != second.trust_anchor_arn
        assert first.endpoint_url != second.endpoint_url
        assert client_of(first).create(issued).status == 201
        assert (first.created, second.created) == (1, 0)


def test_tls_files_go_when_it_is_closed(ca: CertificateAuthority) -> None:
    emulator = Emulator(ca, tls=True)
    bundle = emulator.ca_bundle_path
    assert bundle is not None
    assert bundle.read_bytes() == emulator.ca_bundle_pem
    with emulator:
        emulator.stop()
        assert bundle.exists()
    assert not bundle.parent.exists()


def test_without_tls_there_is_no_bundle(emulator: Emulator) -> None:
    assert emulator.ca_bundle_path is None
    assert emulator.ca_bundle_pem is None


def shown_name(emulator: Emulator, trusted: bytes) -> str:
    """The host name in the server's certificate, which must chain to `trusted`."""
    url = urlsplit(emulator.endpoint_url)
    context = ssl.create_default_context(cadata=trusted.decode())
    with (
        socket.create_connection((url.hostname, url.port)) as plain,
        context.wrap_socket(plain, server_hostname="service.example.com") as secured,
    ):
        return secured.getpeercert()["subject"][0][0][1]


@pytest.mark.parametrize("as_files", [True, False])
def test_it_shows_a_certificate_of_ones_own(
    ca: CertificateAuthority, tmp_path: Path, as_files: bool
) -> None:
    root = CertificateAuthority("Web")
    server = root.issue_intermediate("Issuing").issue("own", san=("DNS:service.example.com",))
    paths = server.write(tmp_path)
    files = TlsFiles(certificate=paths.bundle, private_key=paths.private_key)
    with Emulator(ca, tls=files if as_files else server) as emulator:
        assert emulator.ca_bundle_path is None
        assert shown_name(emulator, root.certificate_pem) == "own"


def test_unusable_tls_files_are_a_clear_error(ca: CertificateAuthority, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    emulator = Emulator(ca, tls=TlsFiles(certificate=empty, private_key=empty))
    with pytest.raises(ConfigurationError, match="the emulator did not start"):
        emulator.start()
    emulator.close()


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_is_imported_without_what_it_does_not_need() -> None:
    heavy = "{'http.server', 'ssl', 'cryptography', 'botocore'}"
    code = f"import boto_rolesanywhere.testing, sys; print(sorted({heavy} & set(sys.modules)))"
    assert run_python(code) == "[]"


def test_it_needs_no_package_but_the_librarys_own() -> None:
    code = (
        "from boto_rolesanywhere.testing import Emulator; import sys\n"
        "with Emulator(): print(*sorted({name.partition('.')[0] for name in sys.modules}"
        "- sys.stdlib_module_names))"
    )
    loaded = {name for name in run_python(code).split() if not name.startswith("_")}
    assert loaded == {"boto_rolesanywhere", "botocore", "cryptography"}


def test_all_public_names_are_there() -> None:
    from boto_rolesanywhere import testing

    assert all(getattr(testing, name) is not None for name in dir(testing))
    with pytest.raises(AttributeError, match="no attribute 'Emulater'"):
        _ = testing.Emulater


def test_the_emulator_shares_no_code_with_what_it_verifies() -> None:
    code = """
import sys, boto_rolesanywhere.testing.emulator.facade
print(*sorted(name for name in sys.modules if name.startswith("boto_rolesanywhere")
      and not name.startswith("boto_rolesanywhere.testing")))
"""
    assert run_python(code).split() == [
        "boto_rolesanywhere",
        "boto_rolesanywhere._version",
        "boto_rolesanywhere.atomic_file",
        # What makes certificates and lists for tests; nothing here verifies one.
        "boto_rolesanywhere.authority",
        "boto_rolesanywhere.authority.drafts",
        "boto_rolesanywhere.authority.issued",
        "boto_rolesanywhere.authority.keys",
        "boto_rolesanywhere.authority.revocation",
        "boto_rolesanywhere.clock",
        "boto_rolesanywhere.errors",
        "boto_rolesanywhere.settings",
        "boto_rolesanywhere.settings.distinguished_names",
    ]


def test_it_starts_and_stops_quickly(ca: CertificateAuthority) -> None:
    with Emulator(ca):
        pass  # what is imported once is not counted

    def cycle() -> float:
        started = time.monotonic()
        with Emulator(ca):
            pass
        return time.monotonic() - started

    assert min(cycle() for _ in range(5)) < 0.05


def test_it_listens_on_ipv6_too(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    if not socket.has_ipv6 or not _can_bind("::1"):
        pytest.skip("this machine has no IPv6 loopback")
    with Emulator(ca, host="::1", tls=True) as emulator:
        assert emulator.endpoint_url.startswith("https://[::1]:")
        assert client_of(emulator).create(issued).status == 201


def _can_bind(host: str) -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
        return True


def test_a_connection_that_comes_with_the_end_is_closed_too(ca: CertificateAuthority) -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        for _ in range(5):
            with Emulator(ca, tls=True) as emulator:
                port = int(emulator.endpoint_url.rpartition(":")[2])
                socket.create_connection(("127.0.0.1", port)).close()
        gc.collect()

    assert [str(one.message) for one in complaints] == []


def spoken(emulator: Emulator, sent: bytes) -> bytes:
    """All that the emulator says to these bytes, until it closes the connection."""
    url = urlsplit(emulator.endpoint_url)
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


BODY = b'{"name":"sent","roleArns":[]}'
LENGTH = str(len(BODY)).encode()
CHUNKS = b"9;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (BODY[:9], len(BODY) - 9, BODY[9:])


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"POST /profiles HTTP/1.1\r\nContent-Length: %b\r\n\r\n%b" % (LENGTH, BODY), [b"201"]),
        (b"POST /profiles HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + CHUNKS, [b"201"]),
        (
            b"POST /profiles HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %b\r\n\r\n%b"
            % (LENGTH, BODY),
            [b"100", b"201"],
        ),
        (b"HEAD /profiles HTTP/1.1\r\n\r\n", [b"404"]),
        (b"", []),
    ],
)
def test_requests_of_each_form_are_read_to_their_end(
    emulator: Emulator, sent: bytes, statuses: list[bytes]
) -> None:
    last = b"GET /profiles HTTP/1.1\r\nConnection: close\r\n\r\n"
    said = spoken(emulator, sent + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [*statuses, b"200"]
    assert said.count(b"Connection: close") == 1
    names = {each["name"] for each in json.loads(said.rpartition(b"\r\n\r\n")[2])["profiles"]}
    assert names == ({"default", "sent"} if b"201" in statuses else {"default"})


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.0\r\n\r\n", b"505"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"POST /profiles HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", b""),
        (b"\x16\x03\x01", b"400"),
    ],
)
def test_what_is_no_request_is_refused_and_disturbs_nothing(
    emulator: Emulator,
    client: Client,
    issued: IssuedCertificate,
    sent: bytes,
    status: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url = urlsplit(emulator.endpoint_url)
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status in said
    assert bool(said) is bool(status)
    assert client.create(issued).status == 201
    assert capfd.readouterr() == ("", "")
