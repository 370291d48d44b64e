"""A cached session's file: what is written is read back, and nothing else is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.cache_entry import Entry, read_entry
from boto_rolesanywhere.credentials.moment import Moment

KEY = "ab" * 32
OTHER = "cd" * 32


def entry(key: str = KEY, *, secret: str = "s3cret") -> Entry:
    return Entry(
        key,
        (1000.0, 1900.5, 2100.25, 2400.0),
        answer=f'{{"a": "{secret}"}}',
        details="{}",
        boot_id="b-1",
        boot=50.5,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    return place


def written(folder: Path, content: bytes | None = None, key: str = KEY) -> Path:
    path = folder / f"{key}.session"
    path.write_bytes(entry().to_bytes() if content is None else content)
    path.chmod(0o600)
    return path


def read(folder: Path, key: str = KEY) -> Entry | None:
    return read_entry(str(folder), key)


def test_an_entry_is_read_back_as_it_was(folder: Path) -> None:
    written(folder)
    found = read(folder)

    assert found is not None
    assert found.to_bytes() == entry().to_bytes()
    assert (found.key, found.answer, found.details) == (KEY, '{"a": "s3cret"}', "{}")
    assert (found.received, found.advisory) == (1000.0, 1900.5)
    assert (found.mandatory, found.expiry) == (2100.25, 2400.0)
    assert (found.boot_id, found.boot) == ("b-1", 50.5)


def test_no_secret_is_in_its_repr() -> None:
    assert "s3cret" not in repr(entry())


@pytest.mark.parametrize(
    ("now", "fresh", "good"),
    [
        (999.9, False, False),  # the clock was set back: nobody knows how old it is
        (1000.0, True, True),
        (1900.4, True, True),
        (1900.5, False, True),
        (2399.9, False, True),
        (2400.0, False, False),
    ],
)
def test_its_phases(now: float, fresh: bool, good: bool) -> None:
    assert (entry().is_fresh(Moment(now)), entry().is_good(Moment(now))) == (fresh, good)


@pytest.mark.parametrize(
    ("wall", "boot", "fresh", "good", "at_its_end"),
    [
        (1899.0, 949.0, True, True, False),
        (1899.0, 951.0, False, True, False),  # the wall clock was set back
        (500.0, 200.0, False, True, True),  # far back
        (9000.0, 200.0, False, True, True),  # it was set forward, or a virtual machine stood still
        (1899.0, 1150.75, False, True, True),
        (1899.0, 1450.5, False, False, True),
        (1899.0, 49.0, False, False, True),  # no clock of this start of the machine
    ],
)
def test_its_age_is_the_time_since_the_machine_started(
    wall: float, boot: float, fresh: bool, good: bool, at_its_end: bool
) -> None:
    now = Moment(wall, "b-1", boot)
    found = (entry().is_fresh(now), entry().is_good(now), entry().is_at_its_end(now))

    assert found == (fresh, good, at_its_end)


def test_which_of_two_is_later_does_not_hang_on_a_clock_that_is_set() -> None:
    def received(wall: float, boot: float, boot_id: str = "b-1") -> Entry:
        times = (wall, wall + 1, wall + 2, wall + 3)
        return Entry(KEY, times, answer="", details="", boot_id=boot_id, boot=boot)

    assert received(500.0, 51.0).is_later_than(received(1000.0, 50.0))
    assert not received(1000.0, 50.0).is_later_than(received(500.0, 51.0))
    assert received(1000.0, 50.0).is_later_than(received(500.0, 51.0, "b-2"))
    assert received(1000.0, 0.0, "").is_later_than(received(500.0, 1.0, ""))


@pytest.mark.parametrize("now", [Moment(1899.0), Moment(1899.0, "b-2", 7.0)])
def test_after_another_start_of_the_machine_only_the_wall_clock_can_be_asked(now: Moment) -> None:
    assert entry().age(now) == 899
    assert entry().is_fresh(now)


def test_there_is_none_where_none_was_written(folder: Path) -> None:
    assert read(folder) is None
    assert read(folder / "nowhere") is None


def test_every_torn_file_is_seen(folder: Path) -> None:
    whole = entry().to_bytes()
    for length in range(len(whole)):
        written(folder, whole[:length])
        assert read(folder) is None, length


def test_a_changed_byte_is_seen(folder: Path) -> None:
    whole = entry().to_bytes()
    for at in range(len(whole)):
        written(folder, whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        assert read(folder) is None, at


def test_one_made_for_other_inputs_is_not_taken(folder: Path) -> None:
    written(folder, entry(OTHER).to_bytes(), KEY)

    assert read(folder) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_none(data: bytes) -> None:
    found = Entry.from_bytes(data)

    assert found is None or found.to_bytes() == data


HEADS = st.tuples(
    st.just(KEY) | st.text(max_size=8),
    *[st.floats().map(repr) | st.just("1")] * 5,
    st.text(max_size=4),
)


@given(
    st.tuples(HEADS.map(" ".join), st.text(max_size=12), st.text(max_size=12), st.just("")).map(
        "\n".join
    )
    | st.lists(st.text(max_size=12), max_size=5).map("\n".join)
)
def test_any_content_with_a_right_checksum_is_an_entry_or_none(rest: str) -> None:
    from hashlib import sha256

    data = rest.encode("utf-8", "replace")
    line = f"boto_rolesanywhere session 2 {sha256(data).hexdigest()}\n".encode()

    found = Entry.from_bytes(line + data)

    if found is not None:  # then writing and reading change nothing more
        again = Entry.from_bytes(found.to_bytes())
        assert again is not None
        assert again.to_bytes() == found.to_bytes()
        assert f"{found.answer}\n{found.details}\n".encode() == data.partition(b"\n")[2]


posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@posix
def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = written(tmp_path)
    (folder / f"{KEY}.session").symlink_to(elsewhere)

    assert read(folder) is None


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_file_open_to_others_is_not_taken(folder: Path, mode: int) -> None:
    path = written(folder)
    assert read(folder) is not None
    path.chmod(mode)

    assert read(folder) is None


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o750, 0o755, 0o711])
def test_a_folder_open_to_others_is_not_read(folder: Path, mode: int) -> None:
    written(folder)
    folder.chmod(mode)

    assert read(folder) is None


@posix
def test_a_link_to_a_folder_is_not_read(folder: Path, tmp_path: Path) -> None:
    written(folder)
    (tmp_path / "link").symlink_to(folder)

    assert read(tmp_path / "link") is None


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_another_user_is_not_taken(folder: Path, what: str) -> None:
    path = written(folder)
    os.chown(path if what == "file" else folder, 12345, 12345)

    assert read(folder) is None


@posix
def test_a_pipe_or_folder_in_its_place_holds_nobody_up(folder: Path) -> None:
    os.mkfifo(folder / f"{KEY}.session", 0o600)
    (folder / f"{OTHER}.session").mkdir(0o700)

    assert read(folder) is None
    assert read(folder, OTHER) is None


def test_a_file_too_large_for_a_session_is_not_read(folder: Path) -> None:
    large = entry(secret="x" * 300_000)
    written(folder, large.to_bytes())

    assert Entry.from_bytes(large.to_bytes()) is not None
    assert read(folder) is None


@pytest.mark.parametrize(
    "times",
    [
        (1000.0, 1900.0, 2100.0, 1000.0 + 43200.5),
        (1000.0, 1900.0, 2100.0, 253402300799.0),
        (1000.0, 1900.0, 2100.0, float("inf")),
        (float("-inf"), 1900.0, 2100.0, 2400.0),
        (float("nan"), 1900.0, 2100.0, 2400.0),
        (1000.0, float("nan"), 2100.0, 2400.0),
        (1000.0, 1900.0, float("inf"), 2400.0),
        (1000.0, 2500.0, 2100.0, 2400.0),
        (2500.0, 1900.0, 2100.0, 2400.0),
    ],
)
def test_times_that_no_session_has_are_not_believed(
    folder: Path, times: tuple[float, float, float, float]
) -> None:
    written(folder, Entry(KEY, times, answer="{}", details="{}").to_bytes())

    assert read(folder) is None


def test_the_longest_session_is_believed(folder: Path) -> None:
    longest = Entry(KEY, (1000.0, 42300.0, 43900.0, 44200.0), answer="{}", details="{}")
    written(folder, longest.to_bytes())

    assert read(folder) is not None
