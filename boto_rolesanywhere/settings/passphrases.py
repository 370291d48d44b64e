"""The passphrase, PIN or TPM password: where the settings say it is, and reading its file."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import shown_secret_path

from .names import PASSPHRASE_ENV, PASSPHRASE_FILE, PASSPHRASE_VARIABLE
from .sources import Secret
from .values import optional_text, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .names import Found, Setting

BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16-LE",
    codecs.BOM_UTF16_BE: "UTF-16-BE",
}
_LONGEST_SECRET: Final = 64 * 1024  # bytes


def configured_secret(found: Mapping[Setting, Found], environ: Mapping[str, str]) -> Secret | None:
    """The passphrase, PIN or password that the environment gives, or that a setting names."""
    if value := environ.get(PASSPHRASE_VARIABLE):
        return Secret(value, PASSPHRASE_VARIABLE)
    forms = [form for form in (PASSPHRASE_ENV, PASSPHRASE_FILE) if optional_text(found, form)]
    if not forms:
        return None
    # The environment beats the profile, whichever form each of them has.
    form = min(forms, key=lambda form: found[form].where != form.variable)
    text, where = text_of(found[form], form), found[form].where
    if form is PASSPHRASE_FILE:
        return Secret(lambda: read_secret_file(text, where), text, file=text)
    if text not in environ:
        # The variable's name is not quoted: it may be the secret itself.
        raise ConfigurationError(
            "the environment variable that it names is not set",
            code="variable-not-set",
            where=where,
        )
    return Secret(environ[text], text)


def read_secret_file(path: str, where: str, longest: int = _LONGEST_SECRET) -> bytes:
    """The passphrase in a file, without the last line break."""
    from pathlib import Path

    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(longest + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"the passphrase file {shown_secret_path(path)} cannot be read ({reason})",
            code="passphrase-file-unreadable",
            where=where,
        ) from None
    if len(content) > longest:
        raise ConfigurationError(
            f"the passphrase file {shown_secret_path(path)} is larger than {longest} bytes",
            code="path-not-a-file",
            where=where,
        )
    return _plain(content).rstrip(b"\r\n")  # an editor's last newline is no part of a passphrase


def _plain(content: bytes) -> bytes:
    """The content as UTF-8 without a byte order mark, as most programs that asked for it want it.

    Windows PowerShell writes UTF-16, Notepad a mark before UTF-8.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            try:
                return content.removeprefix(mark).decode(encoding).encode("utf-8")
            except UnicodeDecodeError:
                return content  # a passphrase of odd bytes, which looked like a mark
    return content
