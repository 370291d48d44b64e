"""How ``serve`` starts, or says why it does not, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import processes
import pytest
from serving import (
    CREDENTIALS,
    PATIENCE,
    last_key,
    refused,
    serving,
    start,
)

from boto_rolesanywhere.testing import Emulator
from boto_rolesanywhere.testing.faults import ErrorStatus, Hang


def test_everything_ends_cleanly_on_a_signal(flags: list[str], tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving(flags, tmp_path) as running:
            status, _, err = running.end(number)
            assert (status, err) == (0, "")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(running.address)


def test_it_waits_for_the_network(emulator: Emulator, flags: list[str], tmp_path: Path) -> None:
    emulator.inject(ErrorStatus(503), times=1)
    with serving(flags, tmp_path, AWS_MAX_ATTEMPTS="1") as running:
        assert running.by_container().json["AccessKeyId"] == last_key(emulator)
        assert "RolesAnywhere: trying again for " in running.end()[2]


def test_nobody_who_answers_ends_the_start_when_the_time_is_over(flags: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    flags = [*flags[:-1], f"http://127.0.0.1:{port}", "--startup-timeout", "0", "--port", "0"]

    status, err = refused(flags, AWS_MAX_ATTEMPTS="1")

    assert status == 1
    assert "[endpoint-unreachable]" in err


def test_without_a_folder_to_write_to_imds_is_served(flags: list[str], tmp_path: Path) -> None:
    nowhere = {"XDG_RUNTIME_DIR": "/proc/none"}
    with serving(flags, tmp_path, last_line="DEFAULT_REGION=", **nowhere) as running:
        assert running.by_imds(f"{CREDENTIALS}/RolesAnywhere").status == 200
        assert running.ask("/credentials/RolesAnywhere").status == 404
        assert "AWS_CONTAINER" not in running.printed
        assert "IMDSv2 alone is served" in running.end()[2]

    status, err = refused([*flags, "--no-imds", "--port", "0"], **nowhere)
    assert status == 1
    assert "[token-file-unsafe]" in err


def test_it_does_not_start_when_the_first_create_session_is_refused(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    emulator.add(replace(emulator.profile, enabled=False))
    status, err = refused([*flags, "--port", "0"], XDG_RUNTIME_DIR=str(tmp_path))

    assert status == 1
    assert err.startswith("boto-rolesanywhere: CreateSession was refused")
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("boto-rolesanywhere"))


# In a callback of the interpreter, what a handler raises goes no further than standard error.
IN_A_CALLBACK = """
import os, signal, sys
from boto_rolesanywhere import cli
from boto_rolesanywhere.cli import outcome

def seen(frame, event, argument):
    code = frame.f_code
    if code.co_name == "cb" and "importlib" in code.co_filename:
        if signal.getsignal(signal.SIGTERM) is outcome.leave:
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGTERM)

sys.setprofile(seen)
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["update"]], ids=" ".join)
def test_sigterm_in_a_callback_of_the_interpreter_is_not_lost(
    flags: list[str], clean_environment: Path, command: list[str]
) -> None:
    folder = {"XDG_RUNTIME_DIR": str(clean_environment)}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CALLBACK, *command, *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **folder},
    )

    assert "SystemExit: 0" in done.stderr  # so that it was lost there
    assert (done.returncode, done.stdout) == (0, "")


def test_it_ends_at_once_while_the_first_create_session_hangs(
    emulator: Emulator, flags: list[str]
) -> None:
    emulator.inject(Hang())
    process = start([*flags, "--port", "0"])
    emulator.wait_for_requests(1, timeout=PATIENCE)
    process.terminate()
    started = time.monotonic()
    out, _ = process.communicate(timeout=PATIENCE)

    assert time.monotonic() - started < 15  # the call itself would take 30
    assert (process.returncode, out) == (0, "")


def test_a_port_in_use_is_told_before_aws_is_asked(emulator: Emulator, flags: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = refused([*flags, "--port", str(port)])

    assert status == 1
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in err
    assert "--port" in err
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (["--listen", "example.com"], 2, "'example.com' is not an IP address"),
        (["--listen", "192.0.2.1"], 1, "Name an address of this machine with --listen"),
        (["--port", "65536"], 2, "'65536' is not a port: 0 to 65535"),
        (["--hop-limit", "0"], 2, "'0' is not a hop limit: 1 to 255"),
        (["--role", "one"], 2, "--role-arn and --role were both given"),
        (["--token-folder", "/proc/none"], 1, "--token-folder"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    flags: list[str], more: list[str], status: int, words: str
) -> None:
    got, err = refused([*flags, *more])

    assert got == status
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["a/b"], "'a/b' gives no usable name"),
        (["=prod"], "'=prod' gives no usable name"),
        (["a="], "'a=' gives no usable name"),
        ([".."], "'..' gives no usable name"),
        (["one", "one=two"], "two roles called one"),
        (["nowhere"], "no profile 'nowhere'"),
    ],
)
def test_a_wrong_role_is_told_in_one_line(roles: list[str], words: str) -> None:
    status, err = refused([word for role in roles for word in ("--role", role)])

    assert status == 1
    assert words in err
    assert err.count("\n") == 1


def test_one_role_for_all_is_not_several_roles() -> None:
    variable = {"AWS_ROLESANYWHERE_ROLE_ARN": "arn:aws:iam::123456789012:role/One"}
    status, err = refused(["--role", "one", "--role", "two"], **variable)

    assert status == 1
    assert "AWS_ROLESANYWHERE_ROLE_ARN: it is set, and would be the role of every --role" in err


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['httptools'] = None;"
        "from boto_rolesanywhere.cli import main; sys.exit(main(['serve', '--role', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "pip install 'boto_rolesanywhere[serve]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_teaches() -> None:
    done = processes.run("serve", "--help", capture_output=True, text=True, check=True)

    for word in ("--hop-limit", "--listen", "--role", "--token-folder", "9911", "examples:", "503"):
        assert word in done.stdout


def test_systemd_is_told(flags: list[str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{tmp_path}/notify")
        manager.settimeout(PATIENCE)
        with serving(flags, tmp_path, NOTIFY_SOCKET=f"@{tmp_path}/notify") as running:
            assert manager.recv(100) == b"READY=1"
            assert running.health() == (200, "ok")
            assert running.end()[0] == 0
            assert manager.recv(100) == b"STOPPING=1"


def test_it_serves_even_if_nobody_reads_the_exports(flags: list[str], tmp_path: Path) -> None:
    unread, stdout = os.pipe()
    os.close(unread)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        process = processes.Process(
            "serve",
            *flags,
            *("--port", "0"),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        os.close(stdout)
        assert manager.recv(100) == b"READY=1"
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err.count("\n") == err.count("was not told STOPPING=1")
