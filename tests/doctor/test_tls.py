"""The doctor's check of TLS: bundles of CAs, and certificates of the endpoint that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from way_to_aws import ALL_WELL, CA, examined, failed_at, statuses

from boto_rolesanywhere.doctor import Verdict
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

pytestmark = pytest.mark.usefixtures("sts")


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
