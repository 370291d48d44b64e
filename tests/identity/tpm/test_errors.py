"""The explanations of a TPM's return codes; `test_stored.py` shows that a TPM gives them."""

from __future__ import annotations

import pickle

import pytest

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError
from boto_rolesanywhere.identity.tpm.errors import Step, TpmBusyError, explain

TABLE: list[tuple[int, Step, type[Exception], str]] = [
    (0x98E, "sign", PassphraseError, "refused the key's password"),
    (0x9A2, "sign", PassphraseError, "refused the key's password"),
    (0x98E, "parent", PassphraseError, "parent in the TPM has a password"),
    (0x9A2, "parent", PassphraseError, "parent in the TPM has a password"),
    (0x9A2, "primary", KeyDeviceError, "owner hierarchy has a password"),
    (0x921, "sign", KeyDeviceError, "locked out after too many wrong passwords"),
    (0x18B, "handle", KeyDeviceError, "no such key in this TPM"),
    (0x184, "handle", KeyDeviceError, "no such key in this TPM"),
    (0x18B, "parent", KeyDeviceError, "parent is not in this TPM"),
    (0x18A, "parent", KeyDeviceError, "parent is not a storage key"),
    (0x1DF, "primary", KeyDeviceError, "belongs to another TPM, or to another parent"),
    (0x2D2, "sign", KeyDeviceError, "bound to another signature scheme or digest than"),
    (0x19C, "sign", KeyDeviceError, "may not sign"),
    (0x99D, "sign", KeyDeviceError, "guarded by a policy"),
    (0x12F, "sign", KeyDeviceError, "guarded by a policy"),
    (0x902, "primary", TpmBusyError, "no free slot"),
    (0x903, "sign", TpmBusyError, "no free slot"),
    (0x922, "sign", TpmBusyError, "is busy"),
    (0x100, "handle", KeyDeviceError, "has not been started"),
    (0x101, "handle", KeyDeviceError, "in failure mode"),
    (0xA000A, "connect", KeyDeviceError, "no TPM answers there"),
    (0xA000B, "connect", KeyDeviceError, "TCTI's configuration is not understood"),
    (0xA0015, "connect", KeyDeviceError, "no TCTI library of that name"),
    (0xA0008, "connect", KeyDeviceError, "connection to the TPM failed"),
    (0xB0902, "sign", TpmBusyError, "no free slot"),  # handed on by a resource manager
    (0xC0902, "sign", KeyDeviceError, "did not do what was asked"),  # the manager's own
    (0x143, "sign", KeyDeviceError, "did not do what was asked"),
    (0x70001, "sign", KeyDeviceError, "did not do what was asked"),
]


@pytest.mark.parametrize(("code", "step", "kind", "words"), TABLE)
def test_a_code_is_explained(code: int, step: Step, kind: type[Exception], words: str) -> None:
    error = explain(code, step, where="key.pem (TPM at device:/dev/tpmrm0)")

    assert type(error) is kind
    assert words in str(error)
    assert f"(TPM return code {code:#x})" in str(error)
    assert str(error).startswith("key.pem (TPM at device:/dev/tpmrm0): ")
    assert error.remedy


def test_an_unknown_code_can_be_looked_up() -> None:
    assert explain(0x143, "sign", where="k").remedy == (
        "`tpm2_rc_decode 0x143` says what the code means."
    )


def test_the_errors_survive_pickling() -> None:
    error = explain(0x902, "sign", where="k")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (TpmBusyError, str(error))
