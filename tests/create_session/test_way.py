"""Errors of the call name who answered, and which setting chose endpoint, proxy and CA bundle."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from botocore.config import Config as ClientConfig
from one_answer import answering

import boto_rolesanywhere
from boto_rolesanywhere.create_session.way import Way, shown_proxy
from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
)
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths, TlsFiles

ONCE = ClientConfig(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2)
ARNS = {
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0bb0",
    "role": "arn:aws:iam::123456789012:role/app",
}
# What other services behind AWS_ENDPOINT_URL answer to a POST /sessions.
STRANGERS = {
    "MinIO": (400, {"content-type": "application/xml"}, b"<Error><Code>BadRequest</Code></Error>"),
    "LocalStack": (
        501,
        {"content-type": "application/json", "x-amzn-errortype": "InternalFailure"},
        b'{"message": "The API for service rolesanywhere is not implemented"}',
    ),
    "moto": (404, {"content-type": "text/html; charset=utf-8"}, b"<title>404 Not Found</title>"),
    "moto's errors": (500, {"content-type": "text/html"}, b"<title>500</title>"),
    "a gateway": (403, {"content-type": "application/json"}, b'{"message": "Forbidden"}'),
    "a cache": (400, {"content-type": "application/json"}, b"{}"),
}


@pytest.fixture(scope="module")
def paths(ca: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> IssuedPaths:
    return ca.issue("app").write(tmp_path_factory.mktemp("pki"))


def failure(
    paths: IssuedPaths, kind: type[RolesAnywhereError], **options: object
) -> RolesAnywhereError:
    """The error of the first use of a session."""
    arguments: dict[str, object] = {"client_config": ONCE, **ARNS, **options}
    with pytest.raises(kind) as raised:
        boto_rolesanywhere.get_session(
            str(paths.certificate),
            str(paths.private_key),
            **arguments,  # type: ignore[arg-type]  # a test's own
        ).get_credentials().get_frozen_credentials()  # type: ignore[union-attr]  # it has some
    return raised.value


@pytest.mark.parametrize("stranger", STRANGERS)
def test_another_service_that_answers_is_named_with_the_variable(
    stranger: str, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, headers, body = STRANGERS[stranger]
    with answering(status, headers, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = failure(paths, RolesAnywhereError)

    assert isinstance(error, InvalidResponseError | ServiceError)
    assert f"{url} (from AWS_ENDPOINT_URL)" in str(error)
    assert str(status) in str(error)
    assert "AWS_ENDPOINT_URL is for all services" in str(error)


@pytest.mark.parametrize("body", [b'{"status": "ok"}', b'{"credentialSet": []}'])
def test_another_service_that_answers_with_json_of_its_own_is_named(
    body: bytes, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(200, {"content-type": "application/json"}, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = failure(paths, InvalidResponseError)

    assert f"{url} (from AWS_ENDPOINT_URL): CreateSession was answered without" in str(error)
    assert "AWS_ENDPOINT_URL is for all services" in str(error.remedy)


def test_a_url_where_nobody_listens_is_named_with_what_to_do_about_its_variable(
    paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)

    error = failure(paths, EndpointError)

    assert f"{url} (from AWS_ENDPOINT_URL)" in str(error)
    assert "AWS_ENDPOINT_URL is for all services" in str(error.remedy)
    assert "Region, name resolution" not in str(error.remedy)


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (b"", "there is no certificate in it", "certificate-not-in-file"),
        (b"-----BEGIN PRIVATE KEY-----\n", "there is no certificate", "certificate-not-in-file"),
        (b"\x30\x82\x01\x00", "there is no certificate in it", "certificate-not-in-file"),
        (None, "it is a directory", "path-not-a-file"),
    ],
)
def test_a_ca_bundle_that_has_no_certificate_is_refused_before_anything_is_sent(
    paths: IssuedPaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    words: str,
    code: str,
) -> None:
    bundle = tmp_path / "bundle"
    if content is None:
        bundle.mkdir()
    else:
        bundle.write_bytes(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    error = failure(paths, ConfigurationError, endpoint_url="https://127.0.0.1:9")

    assert f"the CA bundle {bundle} (from AWS_CA_BUNDLE): {words}" in str(error)
    assert error.code == code


@pytest.mark.parametrize(
    ("variables", "lines", "origin"),
    [
        ({"AWS_ENDPOINT_URL_ROLESANYWHERE": "{}"}, "", "AWS_ENDPOINT_URL_ROLESANYWHERE"),
        ({"AWS_ROLESANYWHERE_ENDPOINT_URL": "{}"}, "", "AWS_ROLESANYWHERE_ENDPOINT_URL"),
        ({}, "endpoint_url = {}", "endpoint_url of the profile"),
        ({}, "rolesanywhere_endpoint_url = {}", "rolesanywhere_endpoint_url of profile 'default'"),
        (
            {},
            "services = mine\n[services mine]\nrolesanywhere =\n  endpoint_url = {}",
            "rolesanywhere's endpoint_url in [services mine]",
        ),
    ],
)
def test_the_setting_of_the_endpoint_is_named(
    variables: dict[str, str],
    lines: str,
    origin: str,
    paths: IssuedPaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(404, {"content-type": "text/html"}, b"") as url:
        (tmp_path / "config").write_text(f"[default]\n{lines.format(url)}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(url))
        error = failure(paths, InvalidResponseError)

    assert f"{url} (from {origin}) answered HTTP 404" in str(error)
    assert origin in str(error.remedy)


@pytest.mark.parametrize("setting", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle", "verify"])
def test_the_bundle_that_lacks_the_issuer_is_named(
    setting: str,
    paths: IssuedPaths,
    ca: CertificateAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(CertificateAuthority("Another").certificate_pem)
    options = use_bundle(setting, bundle, tmp_path, monkeypatch)
    server = ca.issue("server", san=["DNS:localhost"]).write(tmp_path / "server")
    files = TlsFiles(certificate=server.certificate, private_key=server.private_key)
    with Emulator(ca, tls=files) as emulator:
        error = failure(paths, EndpointError, endpoint_url=emulator.endpoint_url, **options)

    assert f"checked with the CA bundle {bundle} ({setting})" in str(error)
    assert f"the certificate was issued by {ca.certificate.subject.rfc4514_string()}" in str(error)


def test_the_issuer_is_looked_up_through_a_proxy_with_a_password(
    paths: IssuedPaths,
    ca: CertificateAuthority,
    tmp_path: Path,
    connect_proxy,  # noqa: ANN001  # its class is in conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect_proxy.login = "Basic dXNlcjpodW50ZXIy"
    monkeypatch.setenv("HTTPS_PROXY", connect_proxy.url.replace("//", "//user:hunter2@"))
    server = ca.issue("server", san=["DNS:localhost"]).write(tmp_path / "server")
    files = TlsFiles(certificate=server.certificate, private_key=server.private_key)
    with Emulator(ca, tls=files) as emulator:
        connect_proxy.target = ("127.0.0.1", int(emulator.endpoint_url.rsplit(":", 1)[1]))
        text = str(failure(paths, EndpointError))

    assert f"the certificate was issued by {ca.certificate.subject.rfc4514_string()}" in text
    assert f"through the proxy {connect_proxy.url} (from HTTPS_PROXY)" in text
    assert "hunter2" not in text
    assert "dXNlcjpodW50ZXIy" not in text


@pytest.mark.parametrize("setting", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_a_bundle_that_is_not_there_is_named_before_a_call(
    setting: str, paths: IssuedPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_bundle(setting, tmp_path / "gone.pem", tmp_path, monkeypatch)
    error = failure(paths, ConfigurationError)

    assert error.code == "file-missing"
    assert f"the CA bundle {tmp_path / 'gone.pem'} (from {setting})" in str(error)


def test_the_proxy_that_does_not_answer_is_named_without_its_password(
    paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{port}")

    error = failure(paths, EndpointError)

    assert f"through the proxy http://127.0.0.1:{port} (from HTTPS_PROXY)" in str(error)
    assert "hunter2" not in str(error)


def test_a_proxy_that_hangs_up_is_what_there_is_to_check(
    paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.close()

        proxy = threading.Thread(target=hang_up)
        proxy.start()
        error = failure(paths, EndpointError)
        proxy.join()

    assert f"through the proxy http://127.0.0.1:{port} (from HTTPS_PROXY)" in str(error)
    assert error.remedy == "Check HTTPS_PROXY, and NO_PROXY if none should be used."


def use_bundle(
    setting: str, bundle: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    if setting == "verify":
        return {"verify": str(bundle)}
    if setting == "ca_bundle":
        (folder / "config").write_text(f"[default]\nca_bundle = {bundle}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    else:
        monkeypatch.setenv(setting, str(bundle))
    return {}


def test_a_proxy_is_shown_as_a_url_without_its_password() -> None:
    assert shown_proxy("http://user:hunter2@[::1]:8080") == "http://[::1]:8080"
    assert shown_proxy("https://user:hunter2@proxy") == "https://proxy"


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("cn-north-1", "https://rolesanywhere.cn-north-1.amazonaws.com.cn."),
        ("us-gov-west-1", "https://rolesanywhere.us-gov-west-1.amazonaws.com."),
        ("moon", "that of AWS."),
    ],
)
def test_the_advice_has_the_endpoint_of_the_regions_partition(region: str, url: str) -> None:
    way = Way(region, "http://localhost:4566", "AWS_ENDPOINT_URL")
    assert way.advice.endswith(f" to {url}")
