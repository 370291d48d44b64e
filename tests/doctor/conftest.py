"""A folder for a workload's files, and what the doctor calls: emulators, and moto as STS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from way_to_aws import CA

from boto_rolesanywhere.testing import Emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pki"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture
def sts(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(CA) as running:
        yield running


@pytest.fixture
def tls_emulator() -> Iterator[Emulator]:
    with Emulator(CA, tls=True) as running:
        yield running
