"""Endpoints, proxies, TLS and time-outs are botocore's own; here they are shown to hold.

Real host names over real TLS: a proxy on loopback tunnels every CONNECT to the emulator, whose
certificate carries those names and is signed by a private CA.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config as ClientConfig
from created_sessions import create, creator_for

import boto_rolesanywhere
from boto_rolesanywhere.errors import ConfigurationError, EndpointError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, TlsFiles

HOSTS = (
    "rolesanywhere.eu-west-1.amazonaws.com",
    "rolesanywhere.cn-north-1.amazonaws.com.cn",
    "rolesanywhere.us-gov-west-1.amazonaws.com",
    "rolesanywhere-fips.us-east-1.amazonaws.com",
    "rolesanywhere-fips.us-gov-west-1.amazonaws.com",
    "rolesanywhere.us-iso-east-1.c2s.ic.gov",
    "rolesanywhere.eu-west-1.api.aws",
    "rolesanywhere-fips.us-east-1.api.aws",
    "private.example",
)


@pytest.fixture(scope="module")
def tls(ca: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder = tmp_path_factory.mktemp("tls")
    server = ca.issue("endpoints", san=[f"DNS:{host}" for host in (*HOSTS, "localhost")])
    paths = server.write(folder)
    bundle = folder / "ca.pem"
    bundle.write_bytes(ca.certificate_pem)
    return TlsFiles(certificate=paths.certificate, private_key=paths.private_key, ca_bundle=bundle)


@pytest.mark.parametrize(
    ("partition", "region", "settings", "host"),
    [
        ("aws", "eu-west-1", {}, "rolesanywhere.eu-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", {}, "rolesanywhere.cn-north-1.amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", {}, "rolesanywhere.us-gov-west-1.amazonaws.com"),
        ("aws-iso", "us-iso-east-1", {}, "rolesanywhere.us-iso-east-1.c2s.ic.gov"),
        (
            "aws",
            "us-east-1",
            {"use_fips_endpoint": True},
            "rolesanywhere-fips.us-east-1.amazonaws.com",
        ),
        (
            "aws-us-gov",
            "us-gov-west-1",
            {"use_fips_endpoint": True},
            "rolesanywhere-fips.us-gov-west-1.amazonaws.com",
        ),
        ("aws", "eu-west-1", {"use_dualstack_endpoint": True}, "rolesanywhere.eu-west-1.api.aws"),
        (
            "aws",
            "us-east-1",
            {"use_dualstack_endpoint": True, "use_fips_endpoint": True},
            "rolesanywhere-fips.us-east-1.api.aws",
        ),
    ],
)
def test_endpoints_of_every_kind_over_a_proxy_and_a_private_ca(
    ca: CertificateAuthority,
    identity: Identity,
    tls: TlsFiles,
    connect_proxy,  # noqa: ANN001  # its class is in conftest
    partition: str,
    region: str,
    settings: dict[str, bool],
    host: str,
) -> None:
    with Emulator(ca, partition=partition, region=region, tls=tls) as emulator:
        connect_proxy.target = ("127.0.0.1", int(emulator.endpoint_url.rsplit(":", 1)[1]))
        options = ClientConfig(proxies={"https": connect_proxy.url}, **settings)

        session = create(
            emulator,
            identity,
            client_config=options,
            verify=str(tls.ca_bundle),
            partition=partition,
        )

        assert session.access_key_id == emulator.requests[0].access_key_id
        assert connect_proxy.hosts == [f"{host}:443"]
        assert emulator.requests[0].headers["host"] == host


def test_proxy_and_ca_bundle_from_the_environment(
    ca: CertificateAuthority,
    identity: Identity,
    tls: TlsFiles,
    connect_proxy,  # noqa: ANN001  # its class is in conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", connect_proxy.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls.ca_bundle))
    with Emulator(ca, tls=tls) as emulator:
        connect_proxy.target = ("127.0.0.1", int(emulator.endpoint_url.rsplit(":", 1)[1]))

        assert create(emulator, identity).subject_arn

        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
        with pytest.raises(EndpointError, match="certificate"):
            create(emulator, identity)  # no such name in the certificate, but it was called
        assert connect_proxy.hosts[-1] == "rolesanywhere-fips.eu-west-1.amazonaws.com:443"


def test_the_services_own_endpoint_variable_is_obeyed(
    emulator: Emulator, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)

    assert create(emulator, identity).subject_arn


def test_the_config_files_services_section_is_obeyed(
    emulator: Emulator, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[default]\nservices = local\n[services local]\nrolesanywhere =\n"
        f"  endpoint_url = {emulator.endpoint_url}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    assert create(emulator, identity).subject_arn


def test_an_untrusted_endpoint_is_refused_with_what_to_do(
    ca: CertificateAuthority, identity: Identity, tls: TlsFiles
) -> None:
    with Emulator(ca, tls=tls) as emulator:
        url = emulator.endpoint_url.replace("127.0.0.1", "localhost")
        with pytest.raises(EndpointError, match=r"Name the CA .* AWS_CA_BUNDLE"):
            create(emulator, identity, endpoint_url=url)
        assert emulator.requests == []

        assert create(emulator, identity, endpoint_url=url, verify=str(tls.ca_bundle)).subject_arn


def test_a_host_with_a_dot_at_its_end_is_signed_as_it_is_sent(
    emulator: Emulator, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def resolved(host: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401  # the library's own
        return look_up("127.0.0.1" if host == "private.example." else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    url = emulator.endpoint_url.replace("127.0.0.1", "private.example.")

    assert create(emulator, identity, endpoint_url=url).subject_arn


def test_a_network_that_swallows_packets_does_not_hold_the_program_up(
    emulator: Emulator, identity: Identity
) -> None:
    def timeouts(**options: float) -> tuple[float, float]:
        creator = creator_for(emulator, identity, client_config=ClientConfig(**options))  # type: ignore[arg-type]  # any
        config = creator.open_transport()._client.meta.config
        return config.connect_timeout, config.read_timeout

    assert timeouts() == (10, 30)
    assert timeouts(read_timeout=3) == (10, 3)


def test_nobody_listening_says_where_and_what_to_check(
    emulator: Emulator, identity: Identity
) -> None:
    url = emulator.endpoint_url
    emulator.stop()

    with pytest.raises(EndpointError, match=f"did not reach {url}.*Check the URL"):
        create(emulator, identity, endpoint_url=url)


@pytest.mark.parametrize(
    ("variable", "value", "wording"),
    [
        ("AWS_ENDPOINT_URL_ROLESANYWHERE", "nonsense", "endpoint that is set for it .*nonsense"),
        (
            "AWS_DEFAULTS_MODE",
            "nonsense",
            "botocore cannot make the CreateSession call: .*nonsense.*: AWS_DEFAULTS_MODE, the",
        ),
        ("AWS_RETRY_MODE", "nonsense", "CreateSession call: .*nonsense.*: AWS_RETRY_MODE, the"),
        ("AWS_MAX_ATTEMPTS", "nonsense", "^AWS_MAX_ATTEMPTS, the profile .* what is set for it"),
    ],
)
def test_what_is_wrong_in_botocores_own_settings_is_a_configuration_error(
    emulator: Emulator,
    identity: Identity,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    wording: str,
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=wording):
        create(emulator, identity, client_config=None)


def test_a_proxy_that_is_not_there_is_named(
    emulator: Emulator, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:9")

    with pytest.raises(EndpointError, match="Check HTTPS_PROXY") as caught:
        create(emulator, identity)

    assert "hunter2" not in str(caught.value)


def test_the_sessions_own_client_options_hold_for_the_call(
    ca: CertificateAuthority, emulator: Emulator, identity: Identity
) -> None:
    issued = ca.issue("app")
    session = boto_rolesanywhere.get_session(
        issued.certificate_pem,
        issued.private_key_pem,
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
        client_config=ClientConfig(user_agent_extra="my-service/1.0"),
    )
    assert session.get_credentials().get_frozen_credentials()

    agent = emulator.requests[0].headers["user-agent"]
    assert "my-service/1.0" in agent
    assert "boto_rolesanywhere/" in agent


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://vpce.example:8080", True),
        ("http://localhost.example", True),
        ("http://127.example", True),
        ("HTTP://192.0.2.1", True),
        ("http://[2001:db8::1]", True),
        ("https://vpce.example", False),
        ("http://127.0.0.1:9911", False),
        ("http://127.9.9.9", False),
        ("http://LOCALHOST:9911", False),
        ("http://[::1]:9911", False),
    ],
)
def test_an_endpoint_elsewhere_that_is_not_encrypted_is_warned_of(
    emulator: Emulator,
    identity: Identity,
    caplog: pytest.LogCaptureFixture,
    url: str,
    warned: bool,
) -> None:
    creator_for(emulator, identity, endpoint_url=url).open_transport()

    assert ("is not encrypted" in caplog.text) == warned


@pytest.mark.parametrize("listed", ["127.0.0.0/8", "10.0.0.0/8, 127.0.0.1/32", "127.0.0.1"])
def test_no_proxy_may_name_a_network(
    emulator: Emulator, identity: Identity, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("NO_PROXY", listed)

    assert create(emulator, identity, endpoint_url=emulator.endpoint_url).subject_arn
