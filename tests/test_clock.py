"""The clock that counts a machine's sleep, where there is one; and durations for people."""

from __future__ import annotations

import time

import pytest

from boto_rolesanywhere import clock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux alone has it")
def test_on_linux_it_counts_sleep() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)

    assert before <= clock.steady() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_without_such_a_clock_it_is_the_monotonic_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> float:
        raise OSError(22, "a kernel that does not know it")

    monkeypatch.setattr(time, "clock_gettime", refuse)
    assert clock._steady() is time.monotonic
    monkeypatch.setattr("sys.platform", "somewhere")
    assert clock._steady() is time.monotonic


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (0.3, "less than a second"),
        (1, "1 second"),
        (90, "90 seconds"),
        (900, "15 minutes"),
        (3600, "60 minutes"),
        (5400, "90 minutes"),
        (43200, "12 hours"),
        (86400, "1 day"),
        (2 * 86400 - 1, "1 day"),
        (30 * 86400, "30 days"),
    ],
)
def test_a_duration_is_in_the_unit_that_people_use(seconds: float, words: str) -> None:
    assert clock.in_words(seconds) == words
