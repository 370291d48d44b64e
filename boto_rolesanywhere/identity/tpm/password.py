"""The password of one TPM key: obtains it, refuses it before it costs a try, and notes what came.

The TPM is asked for its count of wrong passwords only; `TpmKey` makes the tries.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.refused_secrets import remember_refusal, was_refused
from boto_rolesanywhere.identity.secret_memory import Mark, SecretMemory
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.settings.cache_folder import cache_folder

from .lockout import read_lockout

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from boto_rolesanywhere.settings.sources import Secret

    from .device import TpmConnection
    from .stored import StoredKey

_CODE: Final = "tpm-password-refused"
_LONGEST: Final = 64  # TPM2B_AUTH holds a digest: SHA-512's at most
_GIVE_IT: Final = (
    "Give it as the argument `passphrase`, by --tpm-key-password-file or -env, or as a passphrase "
    "in the settings."
)
_SAY_NONE: Final = " If the key has none{}, say so: --no-tpm-key-password, or an empty passphrase."
_LEAVE_IT_OUT: Final = (
    "Leave it out. If the key has one after all, emptyAuth in its file is wrong: write the file "
    "again, with `tpm2_encodeobject` without -p."
)


class Try(NamedTuple):
    """One try to use the key.

    Attributes:
        password: None for a try without a password.
        said: whether a setting or a person said so; False if nothing was said of a password.
    """

    password: bytes | None
    said: bool

    def __repr__(self) -> str:
        return f"<Try, {'with' if self.password else 'without'} a password>"


class KeyPassword:
    """Where the key's password comes from, and what is known of it in this process and others.

    Attributes:
        closed: whether it was forgotten.
    """

    __slots__ = ("_memory", "_secret", "_stored", "_taken", "closed")

    def __init__(self, stored: StoredKey, secret: Secret | None) -> None:
        self._stored = stored
        self._secret = secret
        folder = cache_folder(os.environ) if stored.counts else None
        self._memory = SecretMemory(folder, stored.identifier)
        self._taken: Try | None = None  # kept once the TPM has taken it
        self.closed = False

    def close(self) -> None:
        """Forget the password."""
        self.closed = True
        self._taken = self._secret = None

    def obtain(self) -> Try:
        """The password, which may be asked for. Raises PassphraseError if no TPM would take it."""
        if self._taken is not None:
            return self._taken
        secret, mark = self._secret, self._memory.recall()
        if secret is None or (secret.asks and self._has_password(mark) is False):
            return Try(None, said=False)
        title = f"Password of the TPM key {self._stored.where}"
        # A person who only presses Enter there does not say that the TPM is wrong.
        known = secret.asks and bool(mark.has_password)
        password = secret.reveal(title if known else f"{title} (empty for none)")
        if len(password) > _LONGEST:
            raise PassphraseError(
                f"the TPM key's password is longer than {_LONGEST} bytes, which no TPM takes",
                code="passphrase-unusable",
                where=secret.origin,
            )
        return Try(password or None, said=not known)

    def turn(self, tried: Try, sleep: Callable[[float], object]) -> AbstractContextManager[None]:
        """Let only one of the user's processes try at a time, unless the TPM took this before."""
        memory = SecretMemory(None, b"") if tried is self._taken else self._memory
        return memory.turn(sleep)

    def refuse_beforehand(self, tried: Try) -> None:
        """Refuse what the TPM has refused before, and what cannot be right.

        An empty password says that the key has none: it is tried once, whatever the key's file
        says.
        """
        password = tried.password
        # Under the device's lock: if eight threads have the same wrong password, only one tries it.
        if was_refused(self._stored.identifier, password):
            raise self._refusal(
                "the TPM has refused this password before, so it is not asked again"
                if password
                else "the TPM has refused the key without a password before, so it is not asked "
                "again",
                "Give the right password (each wrong one may count towards the TPM's lock-out). If "
                "it was the TPM that changed, start the process anew.",
            )
        if tried is self._taken:
            return
        mark = self._memory.recall()
        has_password = self._has_password(mark)
        if password and has_password is False:
            raise self._needless(known=mark.has_password is not None)
        if has_password and not password and (mark.none_refused or not tried.said):
            raise self._missing(mark)

    def keep_from_lockout(self, tpm: TpmConnection, tried: Try) -> None:
        """Refuse a try near the TPM's lock-out if the last one was wrong.

        Also refuse to spend the last try on a guess: that the key has no password.
        """
        mark = self._memory.recall()
        guessed = not tried.said and self._has_password(mark) is None
        if tried is self._taken or not (mark.refused or (guessed and self._stored.counts)):
            return
        lockout = read_lockout(tpm)
        if mark.refused and lockout.is_near:
            raise self._refusal(
                f"the TPM refused the last try for this key, and {lockout.failed} of the "
                f"{lockout.most} wrong passwords that lock it for everyone are used up",
                f"If you have corrected the password, remove {self._memory.path}. Or wait: the "
                f"count falls by one in {lockout.interval} seconds. The TPM's administrator resets "
                "it with `tpm2_dictionarylockout --clear-lockout`.",
            )
        if guessed and lockout.is_last:
            raise self._refusal(
                "nothing says whether the key has a password, and one more wrong try locks the TPM "
                "for everyone",
                _GIVE_IT + _SAY_NONE.format(""),
            )

    def taken(self, tried: Try) -> None:
        """Note that the TPM took it."""
        if tried is not self._taken:
            has_password = tried.password is not None
            refused = has_password and self._memory.recall().none_refused
            self._memory.remember(Mark(has_password, none_refused=refused))
        self._taken = None if self.closed else tried

    def refused(
        self, tried: Try, error: PassphraseError, tpm: TpmConnection, without: Callable[[], object]
    ) -> None:
        """Note that the TPM refused it.

        If nothing says whether the key has a password, and enough tries are left, `without` signs
        without one to find out: otherwise each later process would use up a try.

        Raises:
            PassphraseError: the key has none.
        """
        self._taken = None
        password, mark = tried.password, self._memory.recall()._replace(refused=True)
        remember_refusal(self._stored.identifier, password)
        if error.code == _CODE and not password:  # not its parent's
            mark = mark._replace(has_password=True, none_refused=mark.none_refused or tried.said)
        kept = self._memory.remember(mark)
        known = error.code != _CODE or self._has_password(mark) is not None
        if known or not kept or not read_lockout(tpm).has_room:
            return
        try:
            without()
        except PassphraseError:
            remember_refusal(self._stored.identifier, None)
            self._memory.remember(mark._replace(has_password=True))
        else:
            self._memory.remember(Mark(has_password=False))
            raise self._needless(known=True) from error

    def _has_password(self, mark: Mark) -> bool | None:
        """As the TPM has shown it, else as the key's file says."""
        return self._stored.has_password if mark.has_password is None else mark.has_password

    def _missing(self, mark: Mark) -> PassphraseError:
        if mark.none_refused:
            remedy = self._unless_changed(_GIVE_IT)
        elif mark.has_password:
            remedy = _GIVE_IT + _SAY_NONE.format(" by now")
        else:
            after_all = " after all (tpm2_encodeobject says without -p that it has one)"
            remedy = _GIVE_IT + _SAY_NONE.format(after_all)
        return self._refusal("the key has a password, and none was given", remedy)

    def _needless(self, *, known: bool) -> PassphraseError:
        remedy = self._unless_changed("Leave it out.") if known else _LEAVE_IT_OUT
        return self._refusal("a password was given, and the key has none", remedy)

    def _unless_changed(self, remedy: str) -> str:
        return (
            f"{remedy} The TPM has shown it to this user before; if the key was written anew since,"
            f" with another password or none, remove {self._memory.path}."
        )

    def _refusal(self, problem: str, remedy: str) -> PassphraseError:
        return PassphraseError(problem, code=_CODE, where=self._stored.where, remedy=remedy)
