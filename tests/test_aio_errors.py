"""What is told where a session of aiobotocore cannot be made or used; it is tried again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from aio_sessions import aio_session, arguments, keys_of
from aiobotocore.session import AioSession

import boto_rolesanywhere
from boto_rolesanywhere import aio
from boto_rolesanywhere.errors import CertificateError, ConfigurationError, EndpointError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


def test_errors_of_settings_come_at_once_and_those_of_files_at_the_first_use(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    with pytest.raises(ConfigurationError, match="ARN"):
        aio_session(emulator, issued, role="nonsense")
    with pytest.raises(ConfigurationError, match="argument verify"):
        aio_session(emulator, issued, verify="/no/such.pem")
    session = aio_session(emulator, issued, cert="/no/such/certificate.pem")
    for _ in range(2):
        with pytest.raises(CertificateError, match=r"no/such/certificate\.pem"):
            asyncio.run(keys_of(session))


def test_the_issuer_of_an_untrusted_certificate_is_told_behind_a_proxy_with_a_password(
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    connect_proxy,  # noqa: ANN001  # its class is in conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect_proxy.login = "Basic dXNlcjpodW50ZXIy"
    monkeypatch.setenv("HTTPS_PROXY", connect_proxy.url.replace("//", "//user:hunter2@"))
    with Emulator(ca, tls=True) as emulator:
        connect_proxy.target = ("127.0.0.1", int(emulator.endpoint_url.rsplit(":", 1)[1]))
        session = aio_session(emulator, issued, endpoint_url=None)
        with pytest.raises(EndpointError, match="issued by CN=Emulator TLS CA") as raised:
            asyncio.run(keys_of(session))

    assert "hunter2" not in str(raised.value)


def test_what_failed_is_tried_again(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    session = aio_session(emulator, ca.issue("app"), cert=str(tmp_path / "c"), key=tmp_path / "k")
    with pytest.raises(CertificateError):
        asyncio.run(keys_of(session))
    issued = ca.issue("app")
    (tmp_path / "c").write_bytes(issued.certificate_pem)
    (tmp_path / "k").write_bytes(issued.private_key_pem)

    assert asyncio.run(keys_of(session))


SYNC_SIDE = [boto_rolesanywhere.install, boto_rolesanywhere.RolesAnywhereProvider]


@pytest.mark.parametrize("take", SYNC_SIDE)
def test_the_other_side_names_the_way(take: Any) -> None:  # noqa: ANN401  # a function or a class
    with pytest.raises(ConfigurationError, match=r"AioSession.*Use boto_rolesanywhere\.aio"):
        take(AioSession())


def test_the_other_sides_get_session_names_the_way(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = AioSession()
    with pytest.raises(ConfigurationError, match=r"AioSession.*Use boto_rolesanywhere\.aio"):
        boto_rolesanywhere.get_session(**arguments(emulator, issued, botocore_session=given))
    assert given._credentials is None


@pytest.mark.parametrize("make", [botocore.session.Session, boto3.Session, lambda: 5])
def test_this_side_refuses_what_is_not_awaited(make: Any) -> None:  # noqa: ANN401  # a function
    for take in (aio.install, aio.AioRolesAnywhereProvider):
        with pytest.raises(ConfigurationError, match="expected a session of aiobotocore"):
            take(make())
    with pytest.raises(ConfigurationError, match=r"boto_rolesanywhere\.get_session"):
        aio.get_session(botocore_session=make())
