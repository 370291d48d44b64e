"""Which words of an answer are a guess, and that the documentation names them."""

from __future__ import annotations

from repository import DOCS

from boto_rolesanywhere.testing.emulator import answers
from boto_rolesanywhere.testing.emulator.answers import Refusal


def test_which_words_are_guesses() -> None:
    refusals = {name: one for name, one in vars(answers).items() if isinstance(one, Refusal)}
    assert {name for name, one in refusals.items() if not one.guess} == {
        "INSUFFICIENT_CERTIFICATE",
        "UNTRUSTED_SIGNER",
        "INVALID_SIGNATURE",
        "DURATION_ABOVE_ROLE",
        "NO_SESSION_NAMES",
        "INVALID_PROFILE",
        "ROLE_NOT_IN_PROFILE",
        "NO_TRUST_ANCHOR",
        "REVOKED",
    }
    assert not answers.cannot_assume("arn").guess
    assert answers.invalid("words").guess


def test_the_documentation_names_every_guess() -> None:
    text = (DOCS / "testing.md").read_text(encoding="utf-8")
    guesses = text.partition("the emulator guesses:")[2]
    refusals = [one for one in vars(answers).values() if isinstance(one, Refusal) and one.guess]
    missing = [one.message for one in refusals if f"`{one.message}`" not in guesses]
    assert missing == [answers.INTERNAL.message]  # no answer of the service at all
