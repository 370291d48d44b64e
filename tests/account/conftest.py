"""What the tests of an account share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aws_account import Account, an_account


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with an_account(moto_url, monkeypatch) as account:
        yield account
