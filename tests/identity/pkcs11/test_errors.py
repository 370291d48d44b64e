"""Every answer of a PKCS#11 library is explained, and none about a wrong PIN is tried again."""

from __future__ import annotations

import pytest
from pkcs11 import exceptions as answers

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError
from boto_rolesanywhere.identity.pkcs11.errors import explain, is_curable

ANSWERS = [one for one in vars(answers).values() if isinstance(one, type)]


ABOUT_THE_PIN = {
    "PinExpired",
    "PinIncorrect",
    "PinInvalid",
    "PinLenRange",
    "PinLocked",
    "UserNotLoggedIn",
    "UserPinNotInitialized",
}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_every_answer_is_explained(answer: type[Exception]) -> None:
    error = explain(answer(), where="pkcs11:token=x")
    expected = PassphraseError if answer.__name__ in ABOUT_THE_PIN else KeyDeviceError
    assert type(error) is expected
    assert str(error).startswith("pkcs11:token=x: ")
    assert f"(PKCS#11: {answer.__name__})" in str(error)
    assert error.remedy


def test_no_answer_about_a_wrong_pin_is_tried_again() -> None:
    curable = {answer.__name__ for answer in ANSWERS if is_curable(answer())}
    assert curable & ABOUT_THE_PIN == {"UserNotLoggedIn"}
    assert {"SessionHandleInvalid", "ObjectHandleInvalid", "DeviceRemoved"} <= curable
