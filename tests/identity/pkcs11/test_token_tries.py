"""Of the few tries that a token allows, a service that starts again and again leaves the last."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from forked import in_child
from odd_pkcs11 import PAD, odd_library
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.pkcs11 import open_token_key
from boto_rolesanywhere.settings.sources import Secret

BY_THE_TOKEN = "the token refused the PIN"
KEPT_BACK = "the token refused the last PIN, and locks itself at one more wrong one"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library that says after the first wrong PIN that the next one would be the last."""
    return odd_library(tmp_path_factory.mktemp("strict"))


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as made:
        key = ec.generate_private_key(ec.SECP256R1())
        made.add_key(key, label="app", id_="01")
        made.add_public_key(key.public_key(), label="app", id_="01")
        yield made


@pytest.fixture
def marks(clean_environment: Path) -> Path:
    return clean_environment / ".cache" / "boto_rolesanywhere"


class Person(Secret):
    """Who is asked for the PIN."""

    asked = ""

    @property
    def asks(self) -> bool:
        return True

    def reveal(self, title: str = "passphrase") -> bytes:
        self.asked = title
        return super().reveal(title)


def signs(token: SoftToken, module: str, pin: str) -> bool:
    """Whether a new process can sign."""
    return in_child(lambda: _outcome(token, module, pin) is None)


def refused(token: SoftToken, module: str, pin: str, words: str) -> bool:
    """Whether a new process cannot, for a reason with these words."""
    return in_child(lambda: words in str(_outcome(token, module, pin)))


def _outcome(
    token: SoftToken,
    module: str,
    pin: str | Secret,
    before: Callable[[], object] = lambda: None,
) -> PassphraseError | None:
    """How a signature ends; `before` is called when the key is open, and no PIN was tried."""
    secret = pin if isinstance(pin, Secret) else Secret(pin)
    try:
        key = open_token_key(f"{token.uri};object=app", module=module, secret=secret)
        before()
        key.sign(b"data")
    except PassphraseError as error:
        return error
    return None


def test_the_last_try_is_kept_back_after_a_wrong_pin(
    token: SoftToken, strict: str, marks: Path
) -> None:
    assert refused(token, strict, "9999", BY_THE_TOKEN)
    for pin in ("9999", PIN):
        assert refused(token, strict, pin, KEPT_BACK)

    (mark,) = marks.iterdir()
    assert refused(token, strict, PIN, f"remove {mark}")
    mark.unlink()
    assert signs(token, strict, PIN)


def test_a_person_may_use_the_last_try(token: SoftToken, strict: str) -> None:
    assert refused(token, strict, "9999", BY_THE_TOKEN)

    def is_told() -> bool:
        person = Person(PIN)
        assert _outcome(token, strict, person) is None
        return person.asked.endswith(";object=app (the last try)")

    assert in_child(is_told)


def test_a_person_is_told_which_token_wants_the_pin(token: SoftToken) -> None:
    token.another()

    def is_told() -> bool:
        person = Person(PIN)
        assert open_token_key("pkcs11:object=app", module=SOFTHSM, secret=person).sign(b"data")
        return person.asked == f"PIN for pkcs11:object=app on token {token.label!r}"

    assert in_child(is_told)


def test_a_login_from_elsewhere_ends_it(token: SoftToken, strict: str) -> None:
    assert refused(token, strict, "9999", BY_THE_TOKEN)
    token.give_right_pin()

    assert signs(token, strict, PIN)


def test_another_programs_wrong_pin_holds_nobody_up(token: SoftToken, strict: str) -> None:
    token.tool("--list-objects", pin="9999", ok=False)
    assert token.wrong_pin_was_tried()

    assert signs(token, strict, PIN)


def test_a_right_pin_is_remembered_after_a_wrong_one(
    token: SoftToken, strict: str, marks: Path
) -> None:
    assert refused(token, SOFTHSM, "9999", BY_THE_TOKEN)
    assert signs(token, SOFTHSM, PIN)
    token.tool("--list-objects", pin="9999", ok=False)

    assert signs(token, strict, PIN)
    (mark,) = marks.iterdir()
    assert mark.read_bytes() == b"boto_rolesanywhere tries 1 password taken\n"


def test_processes_that_start_at_once_try_a_wrong_pin_once(token: SoftToken, strict: str) -> None:
    # Each has opened the token before one tries: SoftHSM, counting a try, hides it for a moment.
    opened = multiprocessing.get_context("fork").Barrier(4)
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                message = str(_outcome(token, strict, "9999", lambda: opened.wait(30)))
                code = 3 if KEPT_BACK in message else 4 if BY_THE_TOKEN in message else 5
            finally:
                os._exit(code)
        children.append(child)

    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(codes) == [3, 3, 3, 4]


def test_a_pin_is_typed_on_a_token_that_has_keys_for_it(token: SoftToken, strict: str) -> None:
    """Nobody is asked for it elsewhere, and one that is configured is used."""
    pad = token.another(f"{PAD}{token.label}")
    key = ec.generate_private_key(ec.SECP256R1())
    pad.add_key(key, label="app", id_="01")
    pad.add_public_key(key.public_key(), label="app", id_="01")

    def typed(secret: Secret | None) -> bool:
        opened = open_token_key(f"{pad.uri};object=app", module=strict, secret=secret)
        return bool(opened.sign(b"data")) and bool(opened.sign(b"data"))

    for secret in (None, Person("nobody is asked"), Secret(PIN)):
        assert in_child(lambda secret=secret: typed(secret))
    assert refused(pad, strict, "9999", BY_THE_TOKEN)


def test_a_right_pin_leaves_nothing_behind(token: SoftToken, marks: Path) -> None:
    assert signs(token, SOFTHSM, PIN)

    assert list(marks.iterdir()) == []
