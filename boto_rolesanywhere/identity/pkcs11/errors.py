"""What the answers of a PKCS#11 library mean for the user, and what to do about them.

Nothing here asks a token. The return codes (PKCS #11 v2.40, section 11.1) are known by the names
that python-pkcs11 gives their exceptions; the table is the one place for their wording.
"""

from __future__ import annotations

from typing import Final

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.meanings import Meaning


class NotFoundError(KeyDeviceError):
    """The library shows no such token or object; it may, once it was started anew."""


PIN_REFUSED: Final = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})
_REMOVED = Meaning(
    "token-failed",
    "the token was removed, or its library lost it",
    "Insert it again, or start its service; it is found again at the next use.",
)
_DEVICE = Meaning(
    "token-failed",
    "the token or its library failed",
    "Insert the token again or restart its service, and check the library's own configuration "
    "(for SoftHSM: SOFTHSM2_CONF, and the modes of its token folder).",
)
_LOST = Meaning(
    "token-failed",
    "the library lost the session or the key, also after it was started anew",
    "Check that no other part of this program finalizes the same library; otherwise restart it.",
)
_PIN = Meaning(
    "pin-refused",
    "the token refused the PIN",
    "Correct it. It is not tried again in this process, since tokens lock themselves after a few "
    "wrong PINs.",
    PassphraseError,
)
_NOT_FOR_SIGNING = Meaning(
    "token-key-unusable",
    "the token does not let this key sign as AWS wants it (RSA PKCS #1 v1.5 or ECDSA, SHA-256)",
    "Use a key whose CKA_SIGN is true and whose CKA_ALLOWED_MECHANISMS, if it has them, hold "
    "CKM_SHA256_RSA_PKCS or CKM_RSA_PKCS, or CKM_ECDSA.",
)
_NOT_CONFIRMED = Meaning(
    "token-touch-missed",
    "the signature was cancelled or rejected at the token, or nobody touched it in time",
    "Try again and confirm it, or use a key without a touch policy.",
)
_OFFICER = Meaning(
    "token-in-use",
    "another part of this program is logged in to the token as its security officer",
    "Log that one out first.",
)
_RESOURCES = Meaning(
    "token-in-use",
    "the token or this machine has no room for one more session",
    "Close other programs that use the token.",
)

_BY_NAME: Final[dict[str, Meaning]] = {
    **dict.fromkeys(PIN_REFUSED, _PIN),
    "PinLocked": Meaning(
        "pin-unusable",
        "the token's PIN is locked after too many wrong ones",
        "Unlock it with the token's own tool and its PUK or SO PIN (for a YubiKey: `ykman piv "
        "access unblock-pin`).",
        PassphraseError,
    ),
    "PinExpired": Meaning(
        "pin-unusable",
        "the token's PIN has expired",
        "Set a new PIN with the token's own tool.",
        PassphraseError,
    ),
    "UserPinNotInitialized": Meaning(
        "pin-unusable",
        "the token has no user PIN yet",
        "Set one, for example with `pkcs11-tool --init-pin`.",
        PassphraseError,
    ),
    "UserNotLoggedIn": Meaning(
        "pin-missing",
        "the token wants its PIN for this key",
        "Give the PIN, as passphrase= or as pin-source= in the URI.",
        PassphraseError,
    ),
    **dict.fromkeys(("AnotherUserAlreadyLoggedIn", "UserTooManyTypes"), _OFFICER),
    **dict.fromkeys(
        ("TokenNotPresent", "TokenNotRecognised", "DeviceRemoved", "SlotIDInvalid"), _REMOVED
    ),
    **dict.fromkeys(("DeviceError", "GeneralError", "FunctionFailed"), _DEVICE),
    **dict.fromkeys(("DeviceMemory", "HostMemory", "SessionCount"), _RESOURCES),
    **dict.fromkeys(("SessionHandleInvalid", "SessionClosed", "ObjectHandleInvalid"), _LOST),
    **dict.fromkeys(("KeyHandleInvalid", "OperationActive", "OperationNotInitialized"), _LOST),
    **dict.fromkeys(("FunctionCancelled", "FunctionRejected"), _NOT_CONFIRMED),
    **dict.fromkeys(("MechanismInvalid", "MechanismParamInvalid"), _NOT_FOR_SIGNING),
    **dict.fromkeys(("KeyTypeInconsistent", "KeySizeRange", "DataLenRange"), _NOT_FOR_SIGNING),
    "FunctionNotSupported": _NOT_FOR_SIGNING,
}
# Those that python-pkcs11 has no exception of its own for, by a part of its text.
_NOT_INITIALIZED: Final = "not initialized"
_ALREADY_INITIALIZED: Final = "already initialized"
_BY_TEXT: Final[dict[str, Meaning]] = {
    _ALREADY_INITIALIZED: Meaning(
        "token-in-use",
        "another part of this program has initialised this PKCS#11 library already, perhaps "
        "through p11-kit's proxy",
        "Use the same library for both (the proxy also serves this token), or open the identity "
        "before the other part starts.",
    ),
    _NOT_INITIALIZED: _LOST,
    "while loading": Meaning(
        "pkcs11-library-unusable",
        "the file is no PKCS#11 library that this process can load",
        "Name the token's PKCS#11 library, built for this machine's processor.",
    ),
    # CKR_FUNCTION_NOT_PERMITTED (0x68): the key's attributes forbid it.
    "Unmapped error code 0x68": _NOT_FOR_SIGNING,
}
_OTHER = Meaning(
    "token-failed",
    "the token did not do what was asked",
    "Try the token with `pkcs11-tool --test --login --module LIBRARY`, and see its own log.",
)

# A library answers so when its token was removed, its process forked or its handles died. Starting
# the library anew may help. A wrong PIN is not among them.
_CURABLE: Final = frozenset(
    name for name, meaning in _BY_NAME.items() if meaning in (_REMOVED, _DEVICE, _LOST)
) | {"UserNotLoggedIn"}


def is_curable(error: Exception) -> bool:
    """Whether the same call may work once the library was started anew."""
    return type(error).__name__ in _CURABLE or _NOT_INITIALIZED in str(error)


def is_already_initialized(error: Exception) -> bool:
    """Whether something else in this process initialised the library first."""
    return _ALREADY_INITIALIZED in str(error)


def explain(error: Exception, *, where: str) -> PrivateKeyError:
    """The error for one of python-pkcs11's exceptions.

    Returns:
        A `PassphraseError` if the PIN is wrong or missing, otherwise a `KeyDeviceError`. Its text
        holds the return code's name.
    """
    name, text = type(error).__name__, str(error)
    meaning = _BY_NAME.get(name) or next(
        (meaning for part, meaning in _BY_TEXT.items() if part in text), _OTHER
    )
    answer = f"{name}: {text}" if text else name
    return meaning.error(f"PKCS#11: {answer}", where=where)
