"""The page on reliability names, for each promise, a test that is there."""

from __future__ import annotations

import re

import pytest
from pages import names_of_tests, text_of

_FILE = re.compile(r"`((?:\w+/)*test_\w+\.py)`")
_QUOTED = re.compile(r'"([^"]+)"')


def named() -> list[tuple[str, str]]:
    """Each file in the column of tests, with each part of a test's name that is quoted for it."""
    found, file = [], ""
    for line in text_of("reliability.md").splitlines():
        cells = line.split(" | ")
        if not line.startswith("| ") or len(cells) < 3:
            continue
        for part in cells[1].split(";"):
            if match := _FILE.search(part):
                file = match[1]
            words = _QUOTED.findall(part)
            found += [(file, each) for each in words or [""] if file]
    return found


@pytest.mark.parametrize(("file", "words"), sorted(set(named())))
def test_a_promise_has_the_test_that_the_page_names(file: str, words: str) -> None:
    names = names_of_tests(file)

    assert any(re.sub(r"\W+", "_", words) in name for name in names), names
