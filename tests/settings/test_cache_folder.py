"""Where the cache is. What a file in it must be: `tests/credentials/test_cache_entry.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boto_rolesanywhere.settings.cache_folder import cache_folder


def test_where_sessions_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(sys, "platform", "linux")
    chosen = str(tmp_path)

    assert cache_folder({}) == "/home/me/.cache/boto_rolesanywhere"
    assert cache_folder({"XDG_CACHE_HOME": "/xdg"}) == "/xdg/boto_rolesanywhere"
    # XDG Base Directory Specification: a relative path is to be ignored.
    assert cache_folder({"XDG_CACHE_HOME": "xdg"}) == "/home/me/.cache/boto_rolesanywhere"
    assert cache_folder({"AWS_ROLESANYWHERE_CACHE_DIR": chosen, "XDG_CACHE_HOME": "/xdg"}) == chosen
    assert cache_folder({"AWS_ROLESANYWHERE_CACHE_DIR": "/env"}, chosen) == chosen
    assert cache_folder({}, "~/mine") == "/home/me/mine"

    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder({}) == "/home/me/Library/Caches/boto_rolesanywhere"
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache_folder({"LOCALAPPDATA": "/local"}) == "/local/boto_rolesanywhere"
