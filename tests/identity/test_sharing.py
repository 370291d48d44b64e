"""The same inputs give one object, for as long as somebody holds it."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.config import Config
from forked import in_child

from boto_rolesanywhere.identity.sharing import Sameness, Shared
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority


class Key:
    def sign(self, data: bytes) -> bytes:
        return data


KEY = Key()


def ask() -> str:
    return "secret"


def read() -> str:
    return "secret"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "a"),
        (Path("a"), "a"),
        (b"a", bytearray(b"a")),
        (900, 900),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (Config(retries={"max_attempts": 3}), Config(retries={"max_attempts": 3})),
        (KEY, KEY),
        (KEY.sign, KEY.sign),
        (Secret("a"), Secret("a", "elsewhere")),
        (Secret(ask), Secret(ask)),
        (Secret(ask, "file", file="/pin"), Secret(read, "file", file="/pin")),
        (
            IdentitySources(certificate="a", private_key=KEY),  # type: ignore[arg-type]  # any
            IdentitySources(certificate="a", private_key=KEY),  # type: ignore[arg-type]  # any
        ),
    ],
)
def test_the_same_inputs_are_equal(one: object, other: object) -> None:
    assert Sameness(one) == Sameness(other)
    assert hash(Sameness(one)) == hash(Sameness(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a", b"a"),
        ("1", 1),
        (1, True),
        (None, ""),
        (["ab", "c"], ["a", "bc"]),
        ([["a"], "b"], [["a", "b"]]),
        ({"a": "b"}, {"b": "a"}),
        ({"a": None}, {}),
        (Config(retries={"max_attempts": 3}), Config(retries={"max_attempts": 4})),
        (KEY, Key()),
        (KEY.sign, Key().sign),
        ([KEY, "a"], ["a", KEY]),
        (Secret("a"), Secret("b")),
        (Secret("a"), "a"),
        (Secret(ask), Secret(read)),
        (Secret(ask, file="/pin"), Secret(ask, file="/other")),
        (IdentitySources(certificate="a"), IdentitySources(certificate="a", chain="a")),
    ],
)
def test_other_inputs_are_not(one: object, other: object) -> None:
    assert Sameness(one) != Sameness(other)


def test_a_certificate_counts_by_its_content(ca: CertificateAuthority) -> None:
    issued = ca.issue("app")

    assert Sameness(issued.certificate) == Sameness(issued.certificate)
    assert Sameness(issued.certificate) != Sameness(ca.issue("app").certificate)


def test_no_text_is_kept() -> None:
    inputs = Sameness(Secret("hunter2"), {"proxy": "http://user:hunter2@host"}, b"hunter2")

    assert "hunter2" not in repr(inputs)
    assert inputs._objects == []
    assert len(inputs._digest) == 32


class Made:
    pass


def test_one_object_is_made_and_let_go() -> None:
    shared: Shared[Made] = Shared()
    first = shared.one(Sameness("a"), Made)

    assert shared.one(Sameness("a"), Made) is first
    assert shared.one(Sameness("b"), Made) is not first

    del first
    gc.collect()
    assert len(shared._made) == 0


def test_one_that_is_no_longer_usable_gives_way() -> None:
    shared: Shared[Made] = Shared()
    first = shared.one(Sameness("a"), Made)
    second = shared.one(Sameness("a"), Made, usable=lambda found: found is not first)

    assert second is not first
    assert shared.one(Sameness("a"), Made) is second


def test_threads_get_one_object() -> None:
    shared: Shared[Made] = Shared()
    both_make = threading.Barrier(2)

    def make() -> Made:
        with suppress(threading.BrokenBarrierError):
            both_make.wait(0.1)  # in vain, as long as only one thread makes it
        return Made()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: shared.one(Sameness("a"), make), range(2))

    assert first is second
    assert both_make.broken


def test_a_child_forked_amidst_another_threads_look_does_not_wait_for_it() -> None:
    shared: Shared[Made] = Shared()
    with shared._lock:  # of a thread that is not in the child
        assert in_child(lambda: shared.one(Sameness("a"), Made) is not None)
