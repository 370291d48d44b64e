"""A passphrase, PIN or TPM password that nobody configured: a person is asked for it.

On the terminal itself, since output and errors of a command may go elsewhere, as those of a
``credential_process`` do. Whoever runs the command in a pipe, a job or a service is not asked.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from typing import Final

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.redaction import printable
from boto_rolesanywhere.settings.sources import Secret

_TERMINAL: Final = "/dev/tty"
_TRIES: Final = 3


@cache
def asked_secret() -> Secret | None:
    """What a person is asked for, once for all that this process opens; None if there is nobody."""
    return AskedSecret() if _person_sits_there() else None


class AskedSecret(Secret):
    """Asks on the terminal when it is needed, and remembers the answer."""

    __slots__ = ("_answer", "_left")

    def __init__(self) -> None:
        super().__init__(_never, "the terminal")
        self._answer: bytes | None = None
        self._left = _TRIES

    @property
    def asks(self) -> bool:
        """Whether a person is asked."""
        return True

    def reveal(self, title: str = "passphrase") -> bytes:
        """The answer; asked for on the terminal, after `title`, unless it was given before.

        Raises:
            PassphraseError: the person has ended the input, or is gone: a renewal in the background
                asks nobody.
        """
        if self._answer is None:
            if threading.current_thread() is not threading.main_thread():
                raise self._error("nobody is asked for it in the background")
            from getpass import getpass

            self._left -= 1
            try:
                self._answer = getpass(f"{printable(title)}: ").encode("utf-8", "surrogateescape")
            except (EOFError, OSError):
                raise PassphraseError(
                    "no answer was given", code="passphrase-missing", where=self.origin
                ) from None
        return self._answer

    def ask_again(self) -> bool:
        """Forget the answer, which was wrong, and tell so; False if that was the last try."""
        if not self._left or not self._answer:
            return False
        self._answer = None
        sys.stderr.write("That is not it.\n")
        return True


def _never() -> bytes:
    raise NotImplementedError  # `reveal` asks in its place


def _person_sits_there() -> bool:
    """Whether this process may ask on the terminal: in a pipe or in the background it may not."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    try:
        descriptor = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(descriptor)
