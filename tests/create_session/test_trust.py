"""The command trusts the system's CAs beside botocore's; whoever names a bundle gets that alone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.session import Session
from commands import arns, complaint, environment, identity, run

from boto_rolesanywhere import get_session
from boto_rolesanywhere.create_session.trust import (
    BothStores,
    trust_of_the_command,
)
from boto_rolesanywhere.errors import EndpointError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


@pytest.fixture(scope="module")
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    """One whose certificate is of a company's own CA."""
    with Emulator(ca, tls=True) as running:
        yield running


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.fixture
def folder(emulator: Emulator, tmp_path: Path) -> Path:
    """A folder of CAs, as `openssl rehash` makes it; its CA is found by the name of its subject."""
    made = tmp_path / "certs"
    made.mkdir()
    content = Path(str(emulator.ca_bundle_path)).read_bytes()
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-hash"], input=content, capture_output=True, check=True
    )
    (made / f"{done.stdout.decode().strip()}.0").write_bytes(content)
    return made


# The one calls through botocore, the other without.
@pytest.mark.parametrize("command", [["env"], ["credential-process", "--no-cache"]], ids=" ".join)
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_command_trusts_the_systems_store(
    emulator: Emulator,
    paths: IssuedPaths,
    folder: Path,
    tmp_path: Path,
    variable: str,
    command: list[str],
) -> None:
    store = emulator.ca_bundle_path if variable == "SSL_CERT_FILE" else folder
    env = environment(tmp_path, **{variable: str(store)})

    done = run(*command, *identity(paths), *arns(emulator), env=env)

    assert done.returncode == 0, done.stderr


def test_a_bundle_that_is_named_is_trusted_alone(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path, ca: CertificateAuthority
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(ca.certificate_pem)
    env = environment(tmp_path, SSL_CERT_FILE=str(emulator.ca_bundle_path))

    env["AWS_CA_BUNDLE"] = str(other)
    for command in ("env", "credential-process"):
        done = run(command, *identity(paths), *arns(emulator), env=env)
        assert f"the CA bundle {other} (AWS_CA_BUNDLE)" in complaint(done)


def test_a_ca_that_nobody_trusts_is_refused(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path
) -> None:
    said = complaint(run("env", *identity(paths), *arns(emulator), env=environment(tmp_path)))

    assert "(botocore's own, beside the system's store)" in said
    assert "AWS_CA_BUNDLE or ca_bundle" in said


def test_the_library_trusts_botocores_alone_and_says_what_to_set(
    emulator: Emulator, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(emulator.ca_bundle_path))
    session = get_session(
        paths.certificate,
        paths.private_key,
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
    )

    with pytest.raises(EndpointError, match=r"`verify`, AWS_CA_BUNDLE or ca_bundle"):
        session.get_credentials().get_frozen_credentials()


def test_doctor_trusts_what_the_command_trusts(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path
) -> None:
    env = environment(tmp_path, SSL_CERT_FILE=str(emulator.ca_bundle_path))

    said = run("doctor", *identity(paths), *arns(emulator), env=env).stdout.decode()

    assert "trusted, issued by CN=Emulator TLS CA" in said
    assert emulator.created


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_an_empty_variable_names_no_bundle(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    assert isinstance(trust_of_the_command(Session()), BothStores)
    monkeypatch.setenv(variable, "/ca.pem")
    assert trust_of_the_command(Session()) is None
