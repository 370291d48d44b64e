"""Many processes of ``credential-process`` at once: one asks, the others wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import processes
from cached_command import HEAVY, Caller
from commands import complaint, environment, run

import boto_rolesanywhere
from boto_rolesanywhere.credentials.failure_mark import FailureMark
from boto_rolesanywhere.credentials.turn import take_flock
from boto_rolesanywhere.testing.faults import ErrorStatus


def start(caller: Caller) -> processes.Process:
    """A call that others run beside."""
    return processes.Process(
        "credential-process",
        *caller.flags,
        env=environment(caller.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_until_a_pause_is_over_other_processes_report_the_same_failure(caller: Caller) -> None:
    attempts = len(caller.emulator.requests)
    with caller.emulator.injected(ErrorStatus(403, "AccessDeniedException", "no")):
        first = complaint(caller.run())
        program = (
            "import sys; before = set(sys.modules)\n"
            "from boto_rolesanywhere.cli import main\n"
            f"status = main({['credential-process', *caller.flags]!r})\n"
            f"loaded = {set(HEAVY)!r} & (set(sys.modules) - before)\n"
            "sys.exit(str(sorted(loaded)) if loaded else status)"
        )
        path = str(Path(boto_rolesanywhere.__file__).parents[1])
        bare = environment(caller.home, PYTHONPATH=path)
        (mark,) = caller.folder.glob("*.failed")
        read = FailureMark.from_bytes(mark.read_bytes())
        assert read is not None
        read.until += 60  # so that its pause outlasts the start of the next process
        mark.write_bytes(read.to_bytes())
        second = complaint(run(env=bare, program=(sys.executable, "-S", "-c", program))).strip()
        words, _, code = first.strip().rpartition(" ")
        assert second.startswith(f"{words} Another call failed so ")
        assert second.endswith(code)
        assert len(caller.emulator.requests) == attempts + 1
        complaint(caller.run("--no-cache"))
        complaint(caller.run("--force-refresh"))
        assert len(caller.emulator.requests) == attempts + 3
    assert caller.key_id("--force-refresh") == caller.key_id()
    assert not list(caller.folder.glob("*.failed"))


def test_16_processes_that_start_at_once_share_one_failure(caller: Caller) -> None:
    attempts = len(caller.emulator.requests)
    # The pause that the service asks for outlasts the start of the last process.
    fault = ErrorStatus(429, "ThrottlingException", "no", retry_after_seconds=60)
    with caller.emulator.injected(fault):
        started = [start(caller) for _ in range(16)]
        answers = [one.communicate() for one in started]

    assert {one.returncode for one in started} == {1}
    assert {out for out, _ in answers} == {b""}
    assert all(b"ThrottlingException, HTTP 429): no." in err for _, err in answers)
    assert len(caller.emulator.requests) == attempts + 1


def test_64_processes_that_start_at_once_ask_once(caller: Caller) -> None:
    started = [start(caller) for _ in range(64)]
    answers = {one.communicate() for one in started}

    assert {one.returncode for one in started} == {0}
    assert len(answers) == 1
    assert next(iter(answers))[1] == b""
    assert caller.created == 1


def test_who_waits_for_another_process_loads_nothing_that_takes_time(caller: Caller) -> None:
    caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    path, entry = caller.entry()
    program = (
        "import sys, time; before, sleep = set(sys.modules), time.sleep\n"
        "def waiting(seconds):\n"
        "    print('waiting', file=sys.stderr, flush=True); sleep(seconds)\n"
        "time.sleep = waiting\n"
        "from boto_rolesanywhere.cli import main\n"
        f"status = main({['credential-process', *caller.flags]!r})\n"
        f"loaded = {set(HEAVY)!r} & (set(sys.modules) - before)\n"
        "sys.exit(str(sorted(loaded)) if loaded else status)"
    )
    bare = environment(caller.home, PYTHONPATH=str(Path(boto_rolesanywhere.__file__).parents[1]))
    release = take_flock(str(caller.folder / f"{path.stem[:2]}.lock"))
    assert release is not None
    with subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        env=bare,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        entry.advisory = entry.mandatory = entry.expiry = entry.received + 3600
        path.write_bytes(entry.to_bytes())
        out, err = process.communicate(timeout=60)
    release()

    assert process.returncode == 0, err
    assert set(err.split()) <= {"waiting"}
    assert out == f"{entry.answer}\n"
    assert caller.created == 1


def test_who_waited_in_vain_renews_it(caller: Caller) -> None:
    first = caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    path, _ = caller.entry()
    holder = os.fork()
    if holder == 0:
        take_flock(str(caller.folder / f"{path.stem[:2]}.lock"))
        os.kill(os.getpid(), signal.SIGSTOP)
    os.waitpid(holder, os.WUNTRACED)
    waiting = processes.Process(
        *("credential-process", *caller.flags),
        env=environment(caller.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.kill(holder, signal.SIGKILL)  # its lock goes with it
    os.waitpid(holder, 0)
    out, err = waiting.communicate()

    assert err == b""
    assert json.loads(out)["AccessKeyId"] != first
    assert caller.created == 2


def test_where_filelock_is_needed_and_missing_there_are_credentials_and_a_hint(
    caller: Caller,
) -> None:
    program = (
        "import sys; sys.modules['filelock'] = None\n"
        "from boto_rolesanywhere.credentials import turn; turn.NEEDS_FILELOCK = True\n"
        "from boto_rolesanywhere.cli import main; sys.exit(main())"
    )
    done = run(
        "credential-process",
        *caller.flags,
        env=environment(caller.home),
        program=(sys.executable, "-c", program),
    )

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert b"Nothing is cached" in done.stderr
    assert b"pip install 'boto_rolesanywhere[cache]'" in done.stderr
    assert not caller.folder.exists()


def test_without_locks_there_are_credentials_and_a_warning(caller: Caller) -> None:
    caller.key_id()
    path, _ = caller.entry()
    caller.age(advisory=True, mandatory=True, ended=True)
    lock = caller.folder / f"{path.stem[:2]}.lock"
    lock.unlink()
    lock.mkdir()  # cannot be opened, as a file on a file system without locks cannot be locked

    done = caller.run()

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert done.stderr.startswith(b"boto-rolesanywhere: Sessions in ")
    assert b"are renewed without a lock: " in done.stderr
    assert done.stderr.count(b"\n") == 1
