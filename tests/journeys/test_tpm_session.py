"""Keys in a TPM handed to `get_session`, to the environment and to the AWS config file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sessions import certificate_for, opens_a_session
from software_tpm import SoftwareTpm, software_tpm

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

HANDLE = "handle:0x81000101"


@pytest.fixture(scope="module")
def tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        tpm.persistent(0x81000101, "rsa2048")
        yield tpm


@pytest.fixture(autouse=True)
def no_tcti(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPM2TOOLS_TCTI", raising=False)


@pytest.fixture(scope="module")
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as emulator:
        yield emulator


@pytest.fixture
def cert(tpm: SoftwareTpm, ca: CertificateAuthority, tmp_path: Path) -> Path:
    """The certificate of the persistent key."""
    certificate = certificate_for(ca, tpm.public_key_of_handle(0x81000101))
    path = tmp_path / "handle-cert.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def file_key(tpm: SoftwareTpm, ca: CertificateAuthority, tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and a key file with the password "secret"."""
    key = tmp_path / "tpm-key.pem"
    key.write_bytes(tpm.pem("group:P-256", "user-auth:secret"))
    key.chmod(0o600)
    certificate = certificate_for(ca, tpm.public_key_of_pem("secret"))
    path = tmp_path / "tpm-cert.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path, key


def test_a_handle(tpm: SoftwareTpm, emulator: Emulator, cert: Path) -> None:
    assert opens_a_session(emulator, cert=cert, key=HANDLE, tpm_tcti=tpm.tcti)


def test_a_handle_from_the_environment(
    tpm: SoftwareTpm, emulator: Emulator, cert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_CERTIFICATE", str(cert))
    monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY", HANDLE)
    monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)
    assert opens_a_session(emulator)


def test_a_file_from_the_config_file(
    tpm: SoftwareTpm,
    emulator: Emulator,
    file_key: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    config = tmp_path / "config"
    config.write_text(
        f"""
[profile onprem]
rolesanywhere_certificate = {file_key[0]}
rolesanywhere_private_key = {file_key[1]}
rolesanywhere_private_key_passphrase_file = {password}
rolesanywhere_tpm_tcti = {tpm.tcti}
"""
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert opens_a_session(emulator, profile_name="onprem")


def test_certificate_and_key_in_one_file(
    tpm: SoftwareTpm, emulator: Emulator, file_key: tuple[Path, Path], tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(file_key[0].read_bytes() + file_key[1].read_bytes().replace(b"\n", b"\r\n"))
    both.chmod(0o600)
    assert opens_a_session(emulator, cert=both, tpm_tcti=tpm.tcti, passphrase=lambda: "secret")


def test_a_wrong_password_names_the_file_and_the_tpm(
    tpm: SoftwareTpm, emulator: Emulator, file_key: tuple[Path, Path]
) -> None:
    cert, key = file_key
    with pytest.raises(PassphraseError) as caught:
        opens_a_session(emulator, cert=cert, key=key, tpm_tcti=tpm.tcti, passphrase="guess")
    assert str(caught.value).startswith(f"{key} (TPM at {tpm.tcti}): the TPM refused the key's")
    assert "guess" not in str(caught.value)
    tpm.clear_lockout()


def test_the_key_of_another_certificate(
    tpm: SoftwareTpm, emulator: Emulator, file_key: tuple[Path, Path]
) -> None:
    with pytest.raises(PrivateKeyError) as caught:
        opens_a_session(emulator, cert=file_key[0], key=HANDLE, tpm_tcti=tpm.tcti)
    assert str(file_key[0]) in str(caught.value)


def test_no_tpm(emulator: Emulator, cert: Path) -> None:
    with pytest.raises(KeyDeviceError, match="no TPM answers there"):
        opens_a_session(emulator, cert=cert, key=HANDLE, tpm_tcti="device:/dev/no-such-tpm")
