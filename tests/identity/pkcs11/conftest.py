"""An empty (software) PKCS#11 token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from soft_token import SoftToken, soft_token


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        yield token
