"""What a TPM's return code means for the user, and what to do about it. Nothing here talks to one.

Codes: TPM 2.0 Library, Part 2, 6.6 (TPM_RC); their layers: TSS 2.0 Overview, 3.12.1 (TSS2_RC).
The same code means different things at different steps of a signature, so the step is asked for.
"""

from __future__ import annotations

from typing import Final, Literal

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.meanings import Meaning

Step = Literal["connect", "handle", "primary", "parent", "sign"]
"""connect: reach the TPM; handle: find a persistent key; primary: load a key below the owner
hierarchy's primary key; parent: load one below a persistent parent; sign: use the key."""

_LAYER_MASK: Final = 0xFF0000
_TCTI_LAYER: Final = 0x0A0000
# A resource manager hands on the TPM's own codes with one of these in front.
_TPM_LAYERS: Final = (0x000000, 0x0B0000)
_FORMAT_ONE: Final = 0x80  # such a code also holds the number of a handle, parameter or session


class TpmBusyError(KeyDeviceError):
    """The TPM cannot take the command now, but may be able to shortly."""


_WRONG_PASSWORD = Meaning(
    "tpm-password-refused",
    "the TPM refused the key's password: it is wrong, or missing, or the key has none and one "
    "was given",
    "Correct the password. It is not tried again in this process: each wrong one may count "
    "towards the TPM's lock-out.",
    PassphraseError,
)
_PARENT_PASSWORD = Meaning(
    "tpm-parent-unusable",
    "the key's parent in the TPM has a password, and only parents without one can be used",
    "Create the key below a parent without a password (tpm2_createprimary without -p), or make "
    "the key itself persistent (tpm2_evictcontrol) and give it as handle:0x81….",
    PassphraseError,
)
_OWNER_PASSWORD = Meaning(
    "tpm-parent-unusable",
    "the TPM's owner hierarchy has a password, so the key's parent cannot be made",
    "Create the key below a persistent parent (-pkeyopt parent:0x81000001), or make the key "
    "itself persistent (tpm2_evictcontrol) and give it as handle:0x81….",
)
_PARENT_ABSENT = Meaning(
    "tpm-parent-unusable",
    "the key's parent is not in this TPM",
    "List the persistent objects with `tpm2_getcap handles-persistent`. Restore the parent, or "
    "create the key anew on this TPM.",
)
_KEY_ABSENT = Meaning(
    "tpm-key-missing",
    "there is no such key in this TPM",
    "List the persistent objects with `tpm2_getcap handles-persistent`.",
)
_BUSY = Meaning(
    "tpm-busy",
    "the TPM is busy and did not take the command",
    "Try again; if it stays so, look for another program that keeps the TPM at work.",
    TpmBusyError,
)
_NO_SLOT = Meaning(
    "tpm-busy",
    "the TPM has no free slot for one more key or session",
    "Use a resource manager (device:/dev/tpmrm0, or tabrmd), which shares the slots, or free "
    "them with `tpm2_flushcontext -t`.",
    TpmBusyError,
)
_NEEDS_POLICY = Meaning(
    "tpm-key-cannot-sign",
    "the key is guarded by a policy, and only keys that a password (or nothing) guards can be used",
    "Create a key with the attribute userwithauth and without a policy.",
)

_BY_STEP: Final[dict[tuple[int, Step], Meaning]] = {
    (0x8E, "primary"): _OWNER_PASSWORD,
    (0xA2, "primary"): _OWNER_PASSWORD,
    (0x8E, "parent"): _PARENT_PASSWORD,
    (0xA2, "parent"): _PARENT_PASSWORD,
    (0x84, "parent"): _PARENT_ABSENT,
    (0x8B, "parent"): _PARENT_ABSENT,
}
_BY_CODE: Final[dict[int, Meaning]] = {
    0x8E: _WRONG_PASSWORD,  # AUTH_FAIL: counts towards the lock-out
    0xA2: _WRONG_PASSWORD,  # BAD_AUTH: the same for keys outside the lock-out (noda)
    0x84: _KEY_ABSENT,
    0x8B: _KEY_ABSENT,
    0x9D: _NEEDS_POLICY,
    0x12F: _NEEDS_POLICY,
    0x8A: Meaning(
        "tpm-parent-unusable",
        "the key's parent is not a storage key",
        "Create the key below a storage key, such as tpm2_createprimary makes.",
    ),
    0x9F: Meaning(
        "tpm-key-foreign",
        "the key belongs to another TPM, or to another parent in this one",
        "Use the key on the TPM that made it. If that TPM was cleared or replaced, create a new "
        "key here and have its certificate issued.",
    ),
    0x92: Meaning(
        "tpm-key-cannot-sign",
        "the TPM key is bound to another signature scheme or digest than the one asked for",
        "Create it without a scheme, or with the one of that digest; AWS takes rsassa-sha256 and "
        "ecdsa-sha256.",
    ),
    0x9C: Meaning(
        "tpm-key-cannot-sign",
        "the TPM key may not sign",
        "Create a signing key (attribute sign).",
    ),
    0x921: Meaning(
        "tpm-locked-out",
        "the TPM is locked out after too many wrong passwords",
        "Wait for its recovery time (`tpm2_getcap properties-variable` shows it), or have its "
        "administrator reset it with `tpm2_dictionarylockout --clear-lockout`.",
    ),
    **dict.fromkeys((0x902, 0x903, 0x904, 0x905, 0x906), _NO_SLOT),
    **dict.fromkeys((0x908, 0x90A, 0x920, 0x922), _BUSY),
    0x100: Meaning(
        "tpm-failed",
        "the TPM has not been started",
        "Run `tpm2_startup -c`, or restart the machine.",
    ),
    0x101: Meaning(
        "tpm-failed",
        "the TPM is in failure mode and takes no commands",
        "Restart the machine (or the software TPM); if it stays so, the TPM is broken.",
    ),
}
_TCTI_BY_CODE: Final[dict[int, Meaning]] = {
    0x0A: Meaning(
        "tpm-missing",
        "no TPM answers there",
        "Check that the machine has a TPM (`ls -l /dev/tpm*`), that this user may open it "
        "(group tss for /dev/tpmrm0), and the TCTI (tpm_tcti, TPM2TOOLS_TCTI). Where tabrmd holds "
        "the TPM, it is tabrmd:.",
    ),
    0x0B: Meaning(
        "tcti-invalid",
        "the TCTI's configuration is not understood",
        "Correct it; it reads NAME:CONFIGURATION, for example device:/dev/tpmrm0 or "
        "swtpm:host=127.0.0.1,port=2321.",
    ),
    0x15: Meaning(
        "tcti-invalid",
        "there is no TCTI library of that name",
        "Correct the name, or install the library (Debian: libtss2-tcti-device0, "
        "libtss2-tcti-swtpm0, libtss2-tcti-tabrmd0).",
    ),
}
_NOT_REACHED = Meaning(
    "tpm-missing",
    "the connection to the TPM failed",
    "Check the TPM and the TCTI; `tpm2_getrandom 8` tries both.",
)


def explain(code: int, step: Step, *, where: str) -> PrivateKeyError:
    """The error for a return code.

    Args:
        code: the TSS2_RC, its layer included, for example 0x98e or 0xa000a.
        step: what was being done.
        where: the key, and the TCTI it was sought through.

    Returns:
        A `PassphraseError` where a password was refused: such a try must not be repeated. A
        `TpmBusyError` where it may help to repeat it. Else a `KeyDeviceError`. The text holds the
        code.
    """
    return _meaning(code, step).error(f"TPM return code {code:#x}", where=where)


def _meaning(code: int, step: Step) -> Meaning:
    layer, number = code & _LAYER_MASK, code & ~_LAYER_MASK
    if layer == _TCTI_LAYER:
        return _TCTI_BY_CODE.get(number, _NOT_REACHED)
    if layer in _TPM_LAYERS:
        error = number & 0xBF if number & _FORMAT_ONE else number
        meaning = _BY_STEP.get((error, step)) or _BY_CODE.get(error)
        if meaning:
            return meaning
    return Meaning(
        "tpm-failed",
        "the TPM did not do what was asked",
        f"`tpm2_rc_decode {code:#x}` says what the code means.",
    )
