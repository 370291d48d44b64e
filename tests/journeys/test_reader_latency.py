"""The benchmark of what a reader waits, run with a renewal that takes no time to speak of."""

from __future__ import annotations

import pytest
import reader_latency


def test_it_prints_a_row_for_each_class_and_window(capsys: pytest.CaptureFixture[str]) -> None:
    assert reader_latency.main(["--renewal", "0.05", "--readers", "2"]) == 0

    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 2 * len(reader_latency.BEGINS)
    assert all(row.endswith(tuple("0123456789")) and " ms" in row for row in rows)
