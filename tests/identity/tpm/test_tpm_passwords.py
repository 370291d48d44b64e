"""Passwords of TPM keys: given in any way, and never wrongly tried twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from forked import in_child
from software_tpm import SoftwareTpm, software_tpm

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.tpm import open_tpm_key
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import SigningKey

REFUSED = r"refused the key's password.*0x98e"
NOT_AGAIN = "has refused this password before, so it is not asked again"


@pytest.fixture(scope="module")
def running_tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        yield tpm


@pytest.fixture
def tpm(running_tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftwareTpm]:
    """The TPM, with no wrong password counted."""
    monkeypatch.setenv("TPM2TOOLS_TCTI", running_tpm.tcti)
    yield running_tpm
    assert running_tpm.occupied_slots() == []
    running_tpm.clear_lockout()


def works(key: SigningKey) -> bool:
    return verify_signature(key.public_key(), key.sign(b"data"), b"data")


class Asked:
    """A callable secret that counts."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("secret", ["pässword", "pässword".encode(), lambda: "pässword"])
def test_a_password_in_any_form(tpm: SoftwareTpm, secret: object) -> None:
    pem = tpm.pem("group:P-256", "user-auth:pässword")
    assert works(open_tpm_key(pem, secret=Secret(secret)))  # type: ignore[arg-type]  # of three types


def test_a_callable_is_asked_once_and_when_needed(tpm: SoftwareTpm) -> None:
    asked = Asked("secret")
    key = open_tpm_key(tpm.pem("group:P-256", "user-auth:secret"), secret=Secret(asked))
    assert asked.times == 0
    assert works(key)
    assert works(key)
    assert asked.times == 1


def test_an_empty_password_is_none(tpm: SoftwareTpm) -> None:
    assert works(open_tpm_key(tpm.pem("group:P-256"), secret=Secret("")))


def test_a_wrong_password_is_tried_once(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("group:P-256", "user-auth:secret")
    key = open_tpm_key(pem, secret=Secret("guess"))
    with pytest.raises(PassphraseError, match=REFUSED):
        key.sign(b"data")
    assert tpm.failed_tries() == 1

    for same in (key, open_tpm_key(pem, secret=Secret(b"guess"))):
        with pytest.raises(PassphraseError, match=NOT_AGAIN) as caught:
            same.sign(b"data")
        assert "guess" not in str(caught.value)
    assert tpm.failed_tries() == 1
    assert works(open_tpm_key(pem, secret=Secret("secret")))


def test_a_handles_wrong_password_is_tried_once(tpm: SoftwareTpm) -> None:
    source = tpm.persistent(0x81000101, "rsa2048", "-p", "secret")
    for words in (REFUSED, NOT_AGAIN):
        with pytest.raises(PassphraseError, match=words):
            open_tpm_key(source, secret=Secret("guess")).sign(b"data")
    assert tpm.failed_tries() == 1
    assert works(open_tpm_key(source, secret=Secret("secret")))


def test_a_callable_is_asked_again_after_a_wrong_password(tpm: SoftwareTpm) -> None:
    asked = Asked("guess", "secret")
    key = open_tpm_key(tpm.pem("group:P-256", "user-auth:secret"), secret=Secret(asked))
    with pytest.raises(PassphraseError, match=REFUSED):
        key.sign(b"data")
    assert works(key)
    assert asked.times == 2


def test_eight_threads_try_a_wrong_password_once(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("group:P-256", "user-auth:secret")
    key = open_tpm_key(pem, secret=Secret("eightfold"))
    start, errors = threading.Barrier(8), []

    def sign() -> None:
        start.wait()
        try:
            key.sign(b"data")
        except PassphraseError as error:
            errors.append(error)

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 8
    assert tpm.failed_tries() == 1


def test_a_forked_child_does_not_try_it_again(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("group:P-256", "user-auth:secret")
    key = open_tpm_key(pem, secret=Secret("guess in the parent"))
    with pytest.raises(PassphraseError, match=REFUSED):
        key.sign(b"data")

    def refused() -> bool:
        with pytest.raises(PassphraseError):
            key.sign(b"data")
        return True

    assert in_child(refused)
    assert tpm.failed_tries() == 1


def test_a_missing_password_costs_no_try(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.pem("group:P-256", "user-auth:secret"))
    with pytest.raises(PassphraseError, match="the key has a password, and none was given"):
        key.sign(b"data")
    assert tpm.failed_tries() == 0


def test_a_password_for_a_key_without_one_costs_no_try(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("bits:2048", algorithm="RSA")
    with pytest.raises(PassphraseError, match="a password was given, and the key has none"):
        open_tpm_key(pem, secret=Secret("superfluous")).sign(b"data")
    assert tpm.failed_tries() == 0
    assert works(open_tpm_key(pem))


def test_whoever_says_that_there_is_none_is_believed_before_the_file(tpm: SoftwareTpm) -> None:
    tpm.run("tpm2_create", "-C", "0x81000001", "-G", "ecc256", "-u", "k.pub", "-r", "k.priv")
    tpm.run("tpm2_encodeobject", "-C", "0x81000001", "-u", "k.pub", "-r", "k.priv", "-o", "k.pem")
    pem = (tpm.folder / "k.pem").read_bytes()

    with pytest.raises(PassphraseError, match="--no-tpm-key-password, or an empty passphrase"):
        open_tpm_key(pem).sign(b"data")
    assert works(open_tpm_key(pem, secret=Secret("")))


def test_of_a_handle_nothing_is_known_before_it_is_tried(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.persistent(0x81000103, "ecc256", "-p", "secret"))
    with pytest.raises(PassphraseError, match=r"it is wrong, or missing"):
        key.sign(b"data")
    with pytest.raises(PassphraseError, match="refused the key without a password before"):
        key.sign(b"data")
    assert tpm.failed_tries() == 1


def test_a_password_that_no_tpm_takes(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("group:P-256", "user-auth:secret")
    key = open_tpm_key(pem, secret=Secret("x" * 65, origin="TPM_PASSWORD_FILE"))
    with pytest.raises(PassphraseError, match=r"^TPM_PASSWORD_FILE: .* longer than 64 bytes"):
        key.sign(b"data")
    assert tpm.failed_tries() == 0


def test_a_key_outside_the_lockout(tpm: SoftwareTpm) -> None:
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|noda"
    source = tpm.persistent(0x81000102, "ecc256", "-p", "secret", attributes=attributes)
    with pytest.raises(PassphraseError, match=r"refused the key's password.*0x9a2"):
        open_tpm_key(source, secret=Secret("guess")).sign(b"data")
    assert tpm.failed_tries() == 0
    assert works(open_tpm_key(source, secret=Secret("secret")))


def test_a_lockout_is_said_and_does_not_condemn_the_password(tpm: SoftwareTpm) -> None:
    pem = tpm.pem("group:P-256", "user-auth:secret")
    right = open_tpm_key(pem, secret=Secret("secret"))
    for number in range(3):  # each of another file, whose last try was no wrong one
        other = tpm.pem("group:P-256", "user-auth:secret")
        with pytest.raises(PassphraseError):
            open_tpm_key(other, secret=Secret(f"guess {number}")).sign(b"data")
    with pytest.raises(KeyDeviceError, match=r"locked out after too many.*0x921") as caught:
        right.sign(b"data")
    assert "tpm2_dictionarylockout" in str(caught.value.remedy)
    tpm.clear_lockout()
    assert works(right)


def test_a_parent_with_a_password(tpm: SoftwareTpm) -> None:
    tpm.parent(0x81000002, "-p", "of the parent")
    tpm.run(
        *("tpm2_create", "-C", "0x81000002", "-P", "of the parent", "-G", "ecc256"),
        *("-u", "k.pub", "-r", "k.priv"),
    )
    tpm.run("tpm2_encodeobject", "-C", "0x81000002", "-u", "k.pub", "-r", "k.priv", "-o", "k.pem")
    key = open_tpm_key((tpm.folder / "k.pem").read_bytes(), secret=Secret(""))
    for words in (r"the key's parent in the TPM has a password.*0x98e", "not asked again"):
        with pytest.raises(PassphraseError, match=words):
            key.sign(b"data")
    assert tpm.failed_tries() == 1


def test_an_owner_hierarchy_with_a_password(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.pem("group:P-256"))
    below = open_tpm_key(tpm.pem("group:P-256", "parent:0x81000001"))
    tpm.run("tpm2_changeauth", "-c", "owner", "of the owner")
    try:
        with pytest.raises(KeyDeviceError, match=r"owner hierarchy has a password.*0x9a2"):
            key.sign(b"data")
        assert works(below)
    finally:
        tpm.run("tpm2_changeauth", "-c", "owner", "-p", "of the owner")
    assert works(key)


def test_a_closed_key_forgets_its_password(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.pem("group:P-256", "user-auth:secret"), secret=Secret("secret"))
    assert works(key)
    key.close()  # type: ignore[attr-defined]  # TpmKey has it
    with pytest.raises(PrivateKeyError, match="has been closed"):
        key.sign(b"data")
    password = key._password  # type: ignore[attr-defined]  # as above
    assert [getattr(password, name) for name in ("_taken", "_secret")] == [None, None]
