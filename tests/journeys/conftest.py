"""Readers of the pages in docs/, for the tests that type what these say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Reader, equip, reading


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
