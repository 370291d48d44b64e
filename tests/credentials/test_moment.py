"""The present by two clocks."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from boto_rolesanywhere.credentials import moment
from boto_rolesanywhere.credentials.moment import present


def test_the_wall_clock_is_always_known() -> None:
    assert abs(present().wall - time.time()) < 60


@pytest.mark.skipif(sys.platform != "linux", reason="a Linux kernel names its starts")
def test_linux_tells_its_start_and_the_time_since_then() -> None:
    first, second = present(), present()

    assert first.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert first.boot_id == second.boot_id
    assert time.monotonic() - 1 < first.boot <= second.boot


def test_elsewhere_the_start_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("two words\n")
    for place in (tmp_path / "none", tmp_path, tmp_path / "odd"):
        monkeypatch.setattr(moment, "_BOOT_ID", str(place))
        assert (present().boot_id, present().boot) == ("", 0.0)
    monkeypatch.undo()
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert present().boot_id == ""
