"""A failed call's file: what is written is read back, and nothing else is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.failure_mark import LONGEST_PAUSE, FailureMark, read_mark

KEY = "ab" * 32
OTHER = "cd" * 32


def mark(failed_at: float = 1000.0, until: float = 1008.0, row: int = 4) -> FailureMark:
    times = (failed_at, until)
    return FailureMark(KEY, times, row, code="service-failed", message="It said no.", details="{}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    return place


def written(folder: Path, content: bytes, key: str = KEY) -> Path:
    path = folder / f"{key}.failed"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def read(folder: Path, key: str = KEY) -> FailureMark | None:
    return read_mark(str(folder), key)


def test_a_mark_is_read_back_as_it_was(folder: Path) -> None:
    written(folder, mark().to_bytes())
    found = read(folder)

    assert found is not None
    assert found.to_bytes() == mark().to_bytes()
    assert (found.key, found.failed_at, found.until, found.row) == (KEY, 1000.0, 1008.0, 4)
    assert (found.code, found.message, found.details) == ("service-failed", "It said no.", "{}")


@pytest.mark.parametrize(
    ("now", "came", "counts"),
    [
        (999.9, 999.0, False),  # it comes from the future: the clock was set back
        (1000.0, 1000.0, True),
        (1007.9, 1007.9, True),
        (1008.0, 1008.0, False),
        (1009.0, 1000.0, True),  # who waited for that very call
        (1000.0 + LONGEST_PAUSE, 1000.0, False),
    ],
)
def test_whom_it_concerns(now: float, came: float, counts: bool) -> None:
    assert mark().counts(now, came, good=False) is counts


def test_a_long_pause_is_for_those_who_have_a_good_session() -> None:
    long = mark(until=4600.0)
    assert long.counts(4599.0, 4599.0, good=True)
    assert not long.counts(4599.0, 4599.0, good=False)


@pytest.mark.parametrize(
    ("now", "row", "over"),
    [(999.9, 1, True), (1000.0, 5, False), (1607.9, 5, False), (1608, 1, True)],
)
def test_a_row_of_failures_ends_some_minutes_after_the_pause(
    now: float, row: int, over: bool
) -> None:
    assert (mark().next_row(now), mark().is_over(now)) == (row, over)


@pytest.mark.parametrize(
    "odd",
    [
        mark(until=999.0),
        mark(until=1001.0 + 12 * 3600),  # no session lasts so long
        mark(until=float("inf")),
        mark(failed_at=float("nan")),
        mark(row=0),
        mark(row=10**9),
        FailureMark(KEY, (1.0, 2.0), 1, code="c", message="\x1b[2J", details="{}"),
        FailureMark(KEY, (1.0, 2.0), 1, code="c\x07", message="m", details="{}"),
        FailureMark(KEY, (1.0, 2.0), 1, code="c d", message="m", details="{}"),
        FailureMark(KEY, (1.0, 2.0), 1, code="c", message="m\nm", details="{}"),
    ],
)
def test_what_cannot_be_true_is_no_mark(folder: Path, odd: FailureMark) -> None:
    written(folder, odd.to_bytes())

    assert read(folder) is None


def test_a_mark_of_other_inputs_is_none(folder: Path) -> None:
    written(folder, mark().to_bytes(), OTHER)

    assert read(folder, OTHER) is None
    assert read(folder) is None


def test_every_torn_file_is_seen(folder: Path) -> None:
    whole = mark().to_bytes()
    for length in range(len(whole)):
        assert FailureMark.from_bytes(whole[:length]) is None


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
@pytest.mark.parametrize("how", ["open to others", "a link", "a pipe"])
def test_a_file_that_may_be_another_users_is_no_mark(
    folder: Path, tmp_path: Path, how: str
) -> None:
    path = written(folder, mark().to_bytes())
    assert read(folder)
    if how == "open to others":
        path.chmod(0o640)
    else:
        path = path.rename(tmp_path / "elsewhere")
        place = folder / f"{KEY}.failed"
        place.symlink_to(path) if how == "a link" else os.mkfifo(place, 0o600)

    assert read(folder) is None


@given(st.binary(max_size=300))
def test_any_bytes_give_a_mark_or_none(data: bytes) -> None:
    assert FailureMark.from_bytes(data) is None
