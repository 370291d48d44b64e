"""The compliance suite over keys as users write them; and that it catches their mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import keys_under_test as keys
import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import SigningKeyCompliance


class TestOwnKey(SigningKeyCompliance):
    @pytest.fixture
    def signing_key(self) -> SigningKey:
        return keys.GoodKey()

    @pytest.fixture
    def expected_public_key(self) -> PublicKeyTypes:
        return keys.PRIVATE_KEY.public_key()

    @pytest.fixture
    def key_secrets(self) -> list[bytes]:
        return [keys.SECRET]


SUITE = """
import keys_under_test as keys
import pytest
from boto_rolesanywhere.testing import SigningKeyCompliance

class Suite(SigningKeyCompliance):
    patience = 2.0

    @pytest.fixture
    def expected_public_key(self):
        return keys.PRIVATE_KEY.public_key()

    @pytest.fixture
    def key_secrets(self):
        return [keys.SECRET]
"""
CLASS = """
class Test{key}(Suite):
    @pytest.fixture
    def signing_key(self):
        return keys.{key}()
"""
FORGETFUL = """
class TestForgetful(SigningKeyCompliance):
    pass
"""

MISTAKES = [
    ("RawSignature", "test_signs_as_aws_verifies", "raw r and s; AWS wants them in DER"),
    ("HashedTwice", "test_signs_as_aws_verifies", "the data was hashed twice"),
    ("NotBytes", "test_signs_as_aws_verifies", "sign() gave a bytearray, not bytes"),
    ("OtherPublicKey", "test_signs_as_aws_verifies", "does not verify with EC P-256"),
    ("Truncating", "test_signs_as_aws_verifies", "of 65536 bytes of data does not verify"),
    ("NotThreadSafe", "test_signs_in_threads", "does not verify"),
    (
        "BoundToItsProcess",
        "test_signs_in_a_forked_child",
        "failed in a forked child: ConnectionError: the session",
    ),
    ("DyingInChildren", "test_signs_in_a_forked_child", "died in sign() (exit status -9)"),
    ("Deadlocking", "test_signs_in_a_child_forked_during_a_signature", "hung in a forked child"),
    ("Picklable", "test_pickling_is_refused", "can be pickled"),
    ("PicklingFailsOtherwise", "test_pickling_is_refused", "TypeError, not RuntimeError: no"),
    ("LeakingRepr", "test_repr_shows_no_secret", "shows key_secrets[0]"),
    ("LeakingReprLater", "test_repr_shows_no_secret", "shows key_secrets[0]"),
    ("CloseOnlyOnce", "test_close_may_be_called_twice", "closed already"),
    ("SigningWhenClosed", "test_a_closed_key_refuses_to_sign", "sign() still works after close()"),
    (
        "AnyErrorWhenClosed",
        "test_a_closed_key_refuses_to_sign",
        "not ValueError: no file descriptor",
    ),
    ("UnsupportedKey", "test_public_key_is_of_a_kind_that_aws_takes", "Ed25519"),
    ("ShortRsaKey", "test_public_key_is_of_a_kind_that_aws_takes", "RSA 1024"),
    ("ChangingPublicKey", "test_public_key_stays_the_same", "gave two different keys"),
    ("OtherPublicKey", "test_public_key_stays_the_same", "is not expected_public_key"),
    ("NoKeyAtAll", "test_is_a_signing_key", "lacks public_key() or sign(data)"),
]


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each test of a pytest run, by class and name (without parameters)."""

    messages: dict[tuple[str, str], list[str]]

    def of(self, key: str, test: str) -> list[str]:
        return self.messages[f"Test{key}", test]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """One run of the suite over all keys, in a process of its own."""
    folder = tmp_path_factory.mktemp("suite")
    names = dict.fromkeys(["GoodKey", "KeyWithoutClose", *(key for key, _, _ in MISTAKES)])
    suite = folder / "test_keys.py"
    suite.write_text(SUITE + "".join(CLASS.format(key=name) for name in names) + FORGETFUL)
    chosen = [f"{suite}::TestGoodKey", f"{suite}::TestKeyWithoutClose", f"{suite}::TestForgetful"]
    chosen += [f"{suite}::Test{key}::{test}" for key, test, _ in MISTAKES]
    support = Path(keys.__file__).parent
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "--junitxml=report.xml", *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(support)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    messages: dict[tuple[str, str], list[str]] = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        place = case.attrib["classname"].rpartition(".")[2], case.attrib["name"].partition("[")[0]
        messages.setdefault(place, []).extend(
            f"{what.tag}: {what.attrib['message']}" for what in case
        )
    return Outcomes(messages)


@pytest.mark.parametrize(
    ("key", "test", "message"), MISTAKES, ids=[f"{key}-{test}" for key, test, _ in MISTAKES]
)
def test_a_mistake_is_caught(outcomes: Outcomes, key: str, test: str, message: str) -> None:
    said = outcomes.of(key, test)
    assert said
    assert all(one.startswith("failure: ") and message in one for one in said)


def test_a_good_key_passes_all(outcomes: Outcomes) -> None:
    said = {test: what for (key, test), what in outcomes.messages.items() if key == "TestGoodKey"}
    assert len(said) == len([name for name in dir(SigningKeyCompliance) if "test_" in name])
    assert not any(said.values())


def test_close_is_optional(outcomes: Outcomes) -> None:
    said = {
        what
        for (key, _), all_ in outcomes.messages.items()
        if key == "TestKeyWithoutClose"
        for what in all_
    }
    assert said == {"skipped: the key has no close(), which is optional"}


def test_without_a_key_the_suite_says_what_to_override(outcomes: Outcomes) -> None:
    said = outcomes.of("Forgetful", "test_is_a_signing_key")
    assert len(said) == 1
    assert "override the fixture signing_key" in said[0]
