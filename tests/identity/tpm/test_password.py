"""What one process learns of a TPM key's password spares the next one a try at the lock-out."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import in_child
from software_tpm import SIGNING, SoftwareTpm, software_tpm

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.tpm import open_tpm_key
from boto_rolesanywhere.settings.sources import Secret

BY_THE_TPM = r"refused the key's password.*0x98e"
MISSING = "the key has a password, and none was given"
NEEDLESS = "a password was given, and the key has none"
LAST_TRY = "2 of the 3 wrong passwords that lock it for everyone are used up"
MOST = 32  # wrong passwords, as the TPMs of many machines have it


@pytest.fixture(scope="module")
def running_tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        yield tpm


@pytest.fixture(scope="module")
def locked(running_tpm: SoftwareTpm) -> str:
    """A key with the password "secret"."""
    return running_tpm.persistent(0x81000101, "ecc256", "-p", "secret")


@pytest.fixture(scope="module")
def plain(running_tpm: SoftwareTpm) -> str:
    """A key without a password."""
    return running_tpm.persistent(0x81000102, "ecc256")


@pytest.fixture(autouse=True)
def tpm(running_tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> SoftwareTpm:
    """The TPM with no wrong password counted, for a user of whom no key is known."""
    monkeypatch.setenv("TPM2TOOLS_TCTI", running_tpm.tcti)
    running_tpm.clear_lockout()
    running_tpm.allow_tries(MOST)
    return running_tpm


@pytest.fixture
def marks(clean_environment: Path) -> Path:
    return clean_environment / ".cache" / "boto_rolesanywhere"


def signs(source: str | bytes, secret: str | None = None) -> None:
    """A new process can sign."""

    def task() -> bool:
        return bool(open_tpm_key(source, secret=_secret(secret)).sign(b"data"))

    assert in_child(task)


def refused(source: str | bytes, secret: str | None, words: str, file: Path | None = None) -> None:
    """A new process cannot sign, for a reason with these words; its remedy names `file`."""

    def task() -> bool:
        with pytest.raises(PassphraseError, match=words) as caught:
            open_tpm_key(source, secret=_secret(secret)).sign(b"data")
        assert caught.value.code == "tpm-password-refused"
        return file is None or f"remove {file}" in str(caught.value.remedy)

    assert in_child(task)


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_a_missing_password_costs_one_try_in_all(tpm: SoftwareTpm, locked: str) -> None:
    refused(locked, None, BY_THE_TPM)
    assert tpm.failed_tries() == 1

    for _ in range(2):
        refused(locked, None, MISSING)
    signs(locked, "secret")
    assert tpm.failed_tries() == 1


def test_a_missing_password_costs_nothing_once_one_was_taken(tpm: SoftwareTpm, locked: str) -> None:
    signs(locked, "secret")

    refused(locked, None, MISSING)
    assert tpm.failed_tries() == 0


def test_a_needless_password_costs_one_try_in_all(tpm: SoftwareTpm, plain: str) -> None:
    for _ in range(3):
        refused(plain, "needless", NEEDLESS)
        assert tpm.failed_tries() == 1
    signs(plain)


def test_a_needless_password_costs_nothing_once_none_was_taken(
    tpm: SoftwareTpm, plain: str
) -> None:
    signs(plain)

    refused(plain, "needless", NEEDLESS)
    assert tpm.failed_tries() == 0


def test_to_find_out_whether_there_is_a_password_costs_one_more_try(
    tpm: SoftwareTpm, locked: str
) -> None:
    for tries in (2, 3):
        refused(locked, "guess", BY_THE_TPM)
        assert tpm.failed_tries() == tries
    refused(locked, None, MISSING)
    signs(locked, "secret")
    assert tpm.failed_tries() == 3


def test_it_is_not_found_out_where_tries_are_few(tpm: SoftwareTpm, plain: str) -> None:
    tpm.allow_tries(3)
    for tries in (1, 2):
        refused(plain, "needless", BY_THE_TPM)
        assert tpm.failed_tries() == tries
    refused(plain, "needless", LAST_TRY)
    assert tpm.failed_tries() == 2


def test_a_wrong_password_never_locks_the_tpm(tpm: SoftwareTpm, locked: str, marks: Path) -> None:
    tpm.allow_tries(3)
    signs(locked, "secret")
    for tries in (1, 2):
        refused(locked, "guess", BY_THE_TPM)
        assert tpm.failed_tries() == tries
    for password in ("guess", "another"):
        refused(locked, password, LAST_TRY, only_file(marks))
    assert tpm.failed_tries() == 2

    only_file(marks).unlink()
    signs(locked, "secret")


def test_a_wrong_password_leaves_others_half_of_the_tries(tpm: SoftwareTpm, locked: str) -> None:
    tpm.allow_tries(6)
    signs(locked, "secret")
    for tries in (1, 2, 3):
        refused(locked, "guess", BY_THE_TPM)
        assert tpm.failed_tries() == tries
    refused(locked, "guess", "3 of the 6 wrong passwords that lock it for everyone are used up")
    assert tpm.failed_tries() == 3


def test_a_parent_with_a_password_never_locks_the_tpm(tpm: SoftwareTpm) -> None:
    tpm.allow_tries(3)
    tpm.parent(0x81000002, "-p", "of the parent")
    tpm.run(
        *("tpm2_create", "-C", "0x81000002", "-P", "of the parent", "-G", "ecc256"),
        *("-u", "k.pub", "-r", "k.priv"),
    )
    tpm.run("tpm2_encodeobject", "-C", "0x81000002", "-u", "k.pub", "-r", "k.priv", "-o", "k.pem")
    pem = (tpm.folder / "k.pem").read_bytes()

    for _ in range(3):
        assert in_child(lambda: not _works(pem))
    assert tpm.failed_tries() == 2


def _works(pem: bytes) -> bool:
    try:
        open_tpm_key(pem, secret=Secret("")).sign(b"data")
    except PassphraseError:
        return False
    return True


def test_whoever_was_taken_last_is_not_held_up_by_others_mistakes(
    tpm: SoftwareTpm, locked: str, plain: str
) -> None:
    tpm.allow_tries(3)
    signs(locked, "secret")
    for _ in range(2):
        refused(plain, "needless", BY_THE_TPM)

    signs(locked, "secret")


def test_who_says_that_there_is_none_is_believed_once(
    tpm: SoftwareTpm, locked: str, marks: Path
) -> None:
    refused(locked, None, BY_THE_TPM)
    refused(locked, "", BY_THE_TPM)
    assert tpm.failed_tries() == 2

    refused(locked, "", MISSING, only_file(marks))
    signs(locked, "secret")
    refused(locked, "", MISSING, only_file(marks))
    assert tpm.failed_tries() == 2


def test_a_key_whose_password_was_taken_away(tpm: SoftwareTpm) -> None:
    source = tpm.persistent(0x81000103, "ecc256", "-p", "secret")
    signs(source, "secret")
    tpm.change_password(0x81000103, "secret", "")

    refused(source, None, f"{MISSING}.* none by now, say so: --no-tpm-key-password")
    signs(source, "")
    signs(source)
    assert tpm.failed_tries() == 0


class Person(Secret):
    """Who is asked, and answers always the same."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.titles: list[str] = []

    @property
    def asks(self) -> bool:
        return True

    def reveal(self, title: str = "passphrase") -> bytes:
        self.titles.append(title)
        return super().reveal(title)


def test_a_person_is_asked_for_what_is_not_known(tpm: SoftwareTpm, locked: str, plain: str) -> None:
    signs(plain)
    signs(locked, "secret")

    needless, missing = Person("needless"), Person("")
    assert open_tpm_key(plain, secret=needless).sign(b"data")
    with pytest.raises(PassphraseError, match=MISSING):
        open_tpm_key(locked, secret=missing).sign(b"data")

    assert needless.titles == []
    assert missing.titles == [f"Password of the TPM key {locked}"]
    assert tpm.failed_tries() == 0


def test_a_key_that_was_given_a_password(tpm: SoftwareTpm, marks: Path) -> None:
    source = tpm.persistent(0x81000104, "ecc256")
    signs(source)
    tpm.change_password(0x81000104, "", "secret")

    refused(source, "secret", NEEDLESS, only_file(marks))
    assert tpm.failed_tries() == 0
    refused(source, None, BY_THE_TPM)
    signs(source, "secret")
    assert tpm.failed_tries() == 1


def test_the_same_key_at_another_handle_may_have_another_password(tpm: SoftwareTpm) -> None:
    source = tpm.persistent(0x81000105, "ecc256")
    signs(source)
    tpm.change_password(0x81000105, "", "secret", to=0x81000106)

    signs("handle:0x81000106", "secret")
    signs(source)
    signs("handle:81000105")
    assert tpm.failed_tries() == 0


def test_what_the_tpm_has_shown_goes_before_a_keys_file(tpm: SoftwareTpm) -> None:
    tpm.run("tpm2_create", "-C", "0x81000001", "-G", "ecc256", "-u", "k.pub", "-r", "k.priv")
    # Without -p the tool writes of every key that it has a password.
    tpm.run("tpm2_encodeobject", "-C", "0x81000001", "-u", "k.pub", "-r", "k.priv", "-o", "k.pem")
    pem = (tpm.folder / "k.pem").read_bytes()
    refused(pem, None, MISSING)
    signs(pem, "")

    signs(pem)
    refused(pem, "needless", NEEDLESS)
    assert tpm.failed_tries() == 0


def test_processes_that_start_at_once_lose_one_try(tpm: SoftwareTpm, locked: str) -> None:
    children = [_start(lambda: open_tpm_key(locked).sign(b"data")) for _ in range(4)]

    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [3] * 4
    assert tpm.failed_tries() == 1


def _start(task: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            task()
        except PassphraseError:
            code = 3
        finally:
            os._exit(code)
    return child


def test_nothing_of_a_password_is_kept(locked: str, marks: Path) -> None:
    contents = set()
    for password in ("a guess", "another guess"):
        refused(locked, password, BY_THE_TPM)
        contents.add(only_file(marks).read_bytes())
        assert stat.S_IMODE(only_file(marks).stat().st_mode) == 0o600

    assert contents == {b"boto_rolesanywhere tries 1 password refused\n"}


def test_a_key_outside_the_lockout_needs_no_memory(tpm: SoftwareTpm, marks: Path) -> None:
    source = tpm.persistent(0x81000107, "ecc256", "-p", "secret", attributes=f"{SIGNING}|noda")
    for _ in range(2):
        refused(source, None, r"refused the key's password.*0x9a2")
    signs(source, "secret")

    assert not marks.exists()
    assert tpm.failed_tries() == 0


@pytest.mark.parametrize("obstacle", ["a file", "a folder of all", "no home"])
def test_without_a_cache_folder_each_process_begins_anew(
    obstacle: str, tpm: SoftwareTpm, locked: str, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "no home":
        monkeypatch.setenv("HOME", "~")
    else:
        marks.parent.mkdir()
        if obstacle == "a file":
            marks.touch()
        else:
            marks.mkdir()
            marks.chmod(0o777)
    for tries in (1, 2):
        refused(locked, None, BY_THE_TPM)
        assert tpm.failed_tries() == tries
    signs(locked, "secret")


def test_without_a_cache_folder_the_last_try_is_not_spent_on_a_guess(
    tpm: SoftwareTpm, locked: str, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tpm.allow_tries(3)
    monkeypatch.setenv("HOME", "~")
    for _ in range(2):
        refused(locked, None, BY_THE_TPM)
    for source in (locked, plain):
        refused(source, None, "nothing says whether the key has a password.* say so: --no-tpm-key")
    assert tpm.failed_tries() == 2

    signs(plain, "")
    signs(locked, "secret")


def test_a_process_that_hangs_in_its_turn_holds_nobody_up_for_ever(
    locked: str, marks: Path
) -> None:
    import fcntl

    marks.mkdir(parents=True, mode=0o700)
    held = os.open(marks, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        waited: list[float] = []
        key = open_tpm_key(locked, secret=Secret("secret"), sleep=waited.append)
        began = time.monotonic()
        assert key.sign(b"data")
    finally:
        os.close(held)
    assert 1 <= sum(waited) <= 5
    assert time.monotonic() - began < 30
