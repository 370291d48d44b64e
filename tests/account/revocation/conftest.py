"""An account whose service is the emulator."""

from __future__ import annotations

import pytest
from revocation_account import Account

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.testing import Emulator


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
    return Account(emulator, Administrator(region=emulator.region))
