"""What most tests of the whole need: an authority, the service that trusts it, and S3 and STS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from boto_rolesanywhere.testing import CertificateAuthority, Emulator


@pytest.fixture(scope="session")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """A server that answers as S3, STS and the rest of AWS do."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
