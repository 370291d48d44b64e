"""sd_notify, against a socket as systemd's."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from boto_rolesanywhere.server.notify import notify


def manager(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(address)
    sock.settimeout(5)
    return sock


def test_a_path_is_told(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with manager(address) as sock:
        assert notify("READY=1", {"NOTIFY_SOCKET": address})
        assert sock.recv(100) == b"READY=1"


def test_an_abstract_socket_is_told(tmp_path: Path) -> None:
    with manager(f"\0{tmp_path}/abstract") as sock:
        assert notify("STOPPING=1", {"NOTIFY_SOCKET": f"@{tmp_path}/abstract"})
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_nothing_is_sent(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert not notify("READY=1", environ)
    assert not caplog.records


def test_a_manager_that_is_gone_is_no_reason_to_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert "was not told READY=1" in caplog.text


def test_a_manager_that_does_not_read_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boto_rolesanywhere.server.notify._PATIENCE", 0.1)
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
            others.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    others.sendto(b"STATUS=full", address)

        assert not notify("READY=1", {"NOTIFY_SOCKET": address})
