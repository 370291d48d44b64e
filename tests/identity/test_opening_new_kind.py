"""A new kind of key: its scheme and name in `places`, its opener in `opening`, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import boto_rolesanywhere
from boto_rolesanywhere.cli import main
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.identity import opening
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.settings import places
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

CA = CertificateAuthority()


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IssuedPaths:
    """What someone adds who adds a kind: `drawer:NAME` is the key called NAME in a folder."""

    def open_drawer(place: str, access: opening.Access) -> SigningKey:
        name = place.removeprefix("drawer:")
        secret = access.secret.reveal() if access.secret else None
        return SoftwareKey(load_pem_private_key((tmp_path / f"{name}.pem").read_bytes(), secret))

    monkeypatch.setitem(places.SCHEMES, "drawer:", "drawer")
    monkeypatch.setitem(places.DEVICES, "drawer", "drawer")
    monkeypatch.setitem(opening.KEY_OPENERS, "drawer", open_drawer)
    issued = CA.issue("app")
    paths = issued.write(tmp_path)
    paths.private_key.rename(tmp_path / "app.pem")
    return paths


def test_get_session_signs_with_it(paths: IssuedPaths) -> None:
    with Emulator(CA) as emulator:
        session = boto_rolesanywhere.get_session(
            str(paths.certificate),
            " DRAWER:app",
            emulator.trust_anchor_arn,
            emulator.profile_arn,
            emulator.role_arn,
            endpoint_url=emulator.endpoint_url,
        )
        credentials = session.get_credentials()
        assert credentials is not None
        assert credentials.access_key.startswith("ASIA")


def test_doctor_names_it_and_tries_it(paths: IssuedPaths) -> None:
    settings = {"cert": str(paths.certificate), "key": "drawer:app"}
    found = {(each.name, each.status): each.text for each in examine(settings, offline=True)}

    assert found["file", "ok"] == "private key: on a drawer, no file"
    assert found["key", "ok"].endswith("belongs to CN=app, and its signature verifies")


def test_the_command_signs_with_it(paths: IssuedPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign-string", "--private-key", "drawer:app", "--format", "text"]) == 0
    assert bytes.fromhex(capsys.readouterr().out)
