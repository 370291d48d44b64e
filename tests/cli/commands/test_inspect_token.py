"""``boto-rolesanywhere inspect`` of a certificate on a real (software) PKCS#11 token."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import processes
import pytest
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        yield token


def inspect(*arguments: str) -> subprocess.CompletedProcess[str]:
    return processes.run(
        "inspect",
        *arguments,
        strict=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"AWS_ROLESANYWHERE_PKCS11_MODULE": SOFTHSM},
    )


def test_the_certificate_that_a_uri_names_and_its_chain(token: SoftToken) -> None:
    intermediate = CA.issue_intermediate("Card CA")
    issued = intermediate.issue("card-7")
    token.add_certificate(CA.issue("another").certificate, label="another", id_="01")
    token.add_certificate(issued.certificate, label="mine", id_="02")
    token.add_certificate(intermediate.certificate, label="issuer", id_="03")

    done = inspect(f"{token.uri};object=mine?pin-value={PIN}9")

    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "subject CN=card-7" in lines
    assert [line for line in lines if line.startswith("1 CN=Card CA, until ")]
    assert lines[0] == f"Certificate {token.uri};object=mine"


def test_intermediates_from_a_token(token: SoftToken, tmp_path: object) -> None:
    intermediate = CA.issue_intermediate("Card CA")
    paths = intermediate.issue("file-1").write(str(tmp_path))
    token.add_certificate(intermediate.certificate, label="issuer")

    done = inspect(str(paths.certificate), "--intermediates", token.uri)

    assert done.returncode == 0
    assert "CN=Card CA, until" in done.stdout


def test_a_token_that_is_not_there_is_one_line(token: SoftToken) -> None:
    done = inspect("pkcs11:token=no-such-token")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "no-such-token" in done.stderr


@pytest.mark.parametrize("named", ["object=nix", "id=%77"])
def test_another_certificate_than_the_named_one_is_not_shown(token: SoftToken, named: str) -> None:
    token.add_certificate(CA.issue("app").certificate, label="web", id_="01")

    done = inspect(f"{token.uri};{named}")

    assert (done.returncode, done.stdout) == (1, "")
    assert "the token has no certificate with the label and id of the URI" in done.stderr
