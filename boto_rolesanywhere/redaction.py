"""Text from outside in an error or a log: enough to see the mistake, no secret, no forged line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

_LONGEST: Final = 200
_LONGEST_WORDS: Final = 1000
# The base64 of PEM, of OpenSSH's form, and of DER (a SEQUENCE of any length, such as MHc for an EC
# key's); and DER in hex; what keys look like in a CI's settings.
_KEY: Final = (
    r"(LS0tLS1|b3BlbnNzaC1|M[A-I])(\\[nr]|[A-Za-z0-9+/=_\s-]){48,}"
    r"|30:?[0-9A-Fa-f]{2}[0-9A-Fa-f:\s]{48,}"
)
_KEY_BEGINS: Final = ("LS", "b3", "M", "30")


def holds_secret(text: str) -> bool:
    """Whether `text` seems to be or to hold what nobody should read: a key, or a PIN."""
    if "-----BEGIN" in text or "Proc-Type:" in text or "pin-value" in text.lower():
        return True
    # Few texts begin as a key does: the pattern is compiled for those alone.
    name, _, value = text.partition("=")  # as in an env file
    bare = (value if len(value) > len(name) else text).strip().strip("\"'")
    return bare.startswith(_KEY_BEGINS) and bool(re.fullmatch(_KEY, bare))


def shown(text: object) -> str:
    """`text` as it may stand in an error: quoted, cut if it is long, hidden if it is a secret."""
    if not isinstance(text, str):
        return repr(text)
    if holds_secret(text):
        return "a text that seems to be a secret"
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def shown_secret_path(path: str) -> str:
    """The path of a file with a secret, as it may stand in an error.

    A person may have put the secret itself where its file belongs. A bare word that names nothing
    is therefore not shown.
    """
    looks_like_path = path.startswith(("/", "~", "./", "../")) or os.path.splitdrive(path)[0]
    if looks_like_path or os.path.lexists(path) or os.path.isdir(os.path.dirname(path)):  # noqa: PTH112, PTH120  # any text at all
        return shown(path)
    return "(not shown, since it may be the secret itself)"


def shortened(words: str) -> str:
    """What a service says, cut where no honest service would go on."""
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"


def printable(text: str) -> str:
    """`text` on one line, with everything escaped that could steer the terminal.

    A certificate's names are its issuer's to choose, and an error's words the service's: control
    characters, line ends and the marks that turn the direction of text are shown as escapes.
    """
    if text.isascii() and text.isprintable():
        return text
    from unicodedata import category

    return "".join(
        repr(char)[1:-1] if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char
        for char in text
    )


def logger_of(module: str) -> logging.Logger:
    """The logger of a module of ours: what it fills its messages with is made `printable`.

    Every handler gets the record so, also those of the program that uses this package.
    """
    import logging

    logger = logging.getLogger(module)
    logger.addFilter(_make_printable)
    return logger


def _make_printable(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            value if isinstance(value, int | float) else printable(str(value))
            for value in record.args
        )
    return True
