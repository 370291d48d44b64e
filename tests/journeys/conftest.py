"""What journeys start with: a folder, an account, files, and readers of the pages in docs/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_account import VARIABLES, Account, an_account
from pages import Reader, equip, reading

from boto_rolesanywhere.testing import CertificateAuthority, IssuedPaths


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with reading(tmp_path / "reader") as someone:
        yield someone


@pytest.fixture
def equipped(reader: Reader, moto_url: str) -> Reader:
    """With the files and the profile that the pages take as there, and S3 (moto)."""
    equip(reader)
    reader.variables["AWS_ENDPOINT_URL_S3"] = moto_url
    return reader


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder, in which the commands run."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ca_in_workshop(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_CA", str(workshop / "ca"))


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with an_account(moto_url, monkeypatch) as account:
        yield account


@pytest.fixture
def typist(reader: Reader, account: Account, moto_url: str) -> Reader:
    """Somebody who types what a page says, as the account's administrator."""
    return Reader(reader.folder, account.emulator, {**VARIABLES, "AWS_ENDPOINT_URL": moto_url})


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")
