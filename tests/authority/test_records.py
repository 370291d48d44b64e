"""The records: one transaction a step, whoever else writes and whenever the process dies."""

from __future__ import annotations

import os
import signal
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from boto_rolesanywhere.authority.records import Record, Records
from boto_rolesanywhere.errors import ConfigurationError

NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path / "records.sqlite")
    made.create()
    return made


def record(serial: int, name: str = "app1") -> Record:
    return Record(
        serial_number=serial, name=name, subject="CN=app1", not_after=NOW + timedelta(days=90)
    )


def test_only_its_owner_can_read_them(records: Records) -> None:
    assert stat.S_IMODE(records.path.stat().st_mode) == 0o600


def test_a_record_comes_back_as_it_was(records: Records) -> None:
    largest = record(2**159 - 1)
    with records.step() as step:
        step.add(largest, NOW)

    with records.step() as step:
        assert step.find(2**159 - 1) == largest
        assert step.find(1) is None
        assert step.all() == (largest,)


def test_records_that_are_withheld_are_no_missing_ca(tmp_path: Path) -> None:
    loop = tmp_path / "records.sqlite"
    loop.symlink_to(loop)

    with (
        pytest.raises(ConfigurationError, match=r"cannot be used \(Too many") as caught,
        Records(loop).step(),
    ):
        pass

    assert caught.value.code == "authority-records-unusable"


def test_the_latest_of_a_name_is_the_one_recorded_last(records: Records) -> None:
    with records.step() as step:
        step.add(record(9), NOW)
        step.add(record(3), NOW)
        step.add(record(5, "app2"), NOW)

        assert step.latest("app1") == record(3)
        assert step.latest("app3") is None


def test_a_serial_number_is_recorded_once(records: Records) -> None:
    with records.step() as step:
        step.add(record(7), NOW)

    with pytest.raises(ConfigurationError) as caught, records.step() as step:
        any(step.add(record(serial), NOW) for serial in (8, 7))

    assert caught.value.code == "authority-value-unusable"
    with records.step() as step:
        assert [one.serial_number for one in step.all()] == [7]  # the step was undone as a whole


def test_a_revoked_one_keeps_its_first_time_and_reason(records: Records) -> None:
    with records.step() as step:
        step.add(record(7), NOW)
        step.revoke(7, "keyCompromise", NOW)
        step.revoke(7, "superseded", NOW + timedelta(days=1))

        (revoked,) = step.revoked()

    assert (revoked.revoked_at, revoked.reason) == (NOW, "keyCompromise")


def test_list_numbers_only_rise(records: Records) -> None:
    for number in (1, 2, 3):
        with records.step() as step:
            assert step.next_list_number() == number
            step.add_list(number, NOW, b"list %d" % number)

    with records.step() as step:
        assert step.newest_list() == b"list 3"


def test_two_processes_do_not_interleave(records: Records) -> None:
    writers = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for _ in range(25):
                    with records.step() as step:
                        step.add(record(len(step.all()) + 1), NOW)
                status = 0
            finally:
                os._exit(status)
        writers.append(pid)

    assert [os.waitpid(pid, 0)[1] for pid in writers] == [0] * 4
    with records.step() as step:
        assert [one.serial_number for one in step.all()] == list(range(1, 101))


def test_a_killed_step_did_not_happen(records: Records) -> None:
    pid = os.fork()
    if pid == 0:
        with records.step() as step:
            step.add(record(7), NOW)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)

    with records.step() as step:
        assert step.all() == ()


def test_records_of_a_newer_version_are_refused(records: Records) -> None:
    import sqlite3

    with sqlite3.connect(records.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(ConfigurationError, match="layout 99") as caught, records.step():
        pass

    assert caught.value.code == "authority-records-unusable"


@pytest.mark.parametrize("content", [b"", b"no database, but long enough to be looked at" * 30])
def test_what_is_no_database_ends_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "records.sqlite"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError), Records(path).step():
        pass


def test_where_nothing_is_the_way_is_named(tmp_path: Path) -> None:
    nowhere = Records(tmp_path / "ca" / "records.sqlite")

    with pytest.raises(ConfigurationError, match="ca init") as caught, nowhere.step():
        pass

    assert caught.value.code == "authority-missing"
    assert not nowhere.path.parent.exists()  # asking makes no file
