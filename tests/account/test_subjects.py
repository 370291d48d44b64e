"""Who has asked for sessions, as AWS remembers it."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.subjects import subjects
from boto_rolesanywhere.session import get_session
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


@pytest.fixture
def administrator(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Administrator:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
    return Administrator(region=emulator.region)


def ask(emulator: Emulator, issued: IssuedCertificate, folder: Path) -> None:
    paths = issued.write(folder)
    credentials = get_session(
        paths.certificate,
        paths.private_key,
        *(emulator.trust_anchor_arn, emulator.profile_arn, emulator.role_arn),
        endpoint_url=emulator.endpoint_url,
    ).get_credentials()
    assert credentials is not None
    assert credentials.access_key


def test_each_subject_has_its_certificates_with_their_ends(
    administrator: Administrator, emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    first, renewed, other = ca.issue("app1"), ca.issue("app1"), ca.issue("app2")
    for number, issued in enumerate((first, renewed, other)):
        ask(emulator, issued, tmp_path / str(number))
    told: list[tuple[int, int]] = []

    found = list(subjects(administrator, lambda at, of: told.append((at, of))))

    assert [each.name for each in found] == ["CN=app1", "CN=app2"]
    assert told == [(0, 2), (1, 2)]
    app1 = found[0]
    assert ":subject/" in app1.arn
    assert [each.serial_number for each in app1.certificates] == [
        f"{issued.certificate.serial_number:x}" for issued in (renewed, first)
    ]
    assert app1.certificates[0].not_after == renewed.certificate.not_valid_after_utc
    assert [each.failed for each in app1.certificates] == [False, False]
