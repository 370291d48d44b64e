"""What a setting for certificate, key or chain names: a file, a token, a TPM, or the thing itself.

This is the only module that tells these kinds apart by the text. A new kind of place needs

1. its scheme and its name, in `SCHEMES` and `DEVICES` here,
2. its opener, in `KEY_OPENERS` of `boto_rolesanywhere.identity.opening`,
3. if it needs a package, its extra in ``setup.cfg``,

and a folder of its own in `boto_rolesanywhere.identity`.

A cached answer of the command passes through here, so nothing is imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from typing import Final, Literal, TypeAlias

    Kind: TypeAlias = Literal["file", "token", "tpm", "object"]

FILE: Final = "file"
TOKEN: Final = "token"  # noqa: S105  # the device, not a secret
TPM: Final = "tpm"
OBJECT: Final = "object"

TOKEN_SCHEME: Final = "pkcs11:"  # noqa: S105  # see above
TPM_SCHEME: Final = "handle:"
SCHEMES: Final[dict[str, Kind]] = {TOKEN_SCHEME: TOKEN, TPM_SCHEME: TPM}
# What people call them. A device holds keys; a token holds certificates too.
DEVICES: Final[dict[Kind, str]] = {TOKEN: "PKCS#11 token", TPM: "TPM"}


_QUOTES = tuple("\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
_COMMENTS = (" #", " ;", "\t#", "\t;")


def kind_of(place: object) -> Kind:
    """What `place` names.

    Returns:
        ``token`` for a ``pkcs11:`` URI (RFC 7512) and ``tpm`` for ``handle:0x…``, with the scheme
        in any case (RFC 3986, section 3.1) and with blanks around it; ``file`` for every other
        text and for an `os.PathLike`; ``object`` for the rest: bytes, certificates, keys.
    """
    if isinstance(place, str):
        return SCHEMES.get(_scheme(place), FILE)
    return FILE if hasattr(place, "__fspath__") else OBJECT


def is_device(place: object) -> bool:
    """Whether `place` names something on a device, such as a token or a TPM."""
    return kind_of(place) in DEVICES


def plain_place(text: str) -> str:
    """`text` in the one form that each place has.

    A URI loses the blanks around it, and its scheme becomes lower case. A path stays as it is: it
    may begin or end with a blank.
    """
    scheme = _scheme(text)
    return scheme + text.strip()[len(scheme) :] if scheme in SCHEMES else text


def home_path(text: str | PathLike[str]) -> Path:
    """The path that `text` is, with ``~`` and ``~user`` expanded.

    Raises:
        ConfigurationError: there is no such home folder.
    """
    from pathlib import Path

    try:
        return Path(text).expanduser()
    except RuntimeError:
        from boto_rolesanywhere.errors import ConfigurationError

        user = str(text).partition("/")[0]
        raise ConfigurationError(
            f"there is no home folder for {user}", code="home-missing", where=str(text)
        ) from None


def slip_of(text: str, title: str) -> str | None:
    """What to do about a value that is written as for a shell; None if it is not.

    Args:
        text: the value.
        title: what it is, for the words.
    """
    if text[:1] in _QUOTES and text[-1:] in _QUOTES:
        return f"The {title} stands in quotes, which do not belong to it."
    if any(mark in text for mark in _COMMENTS):
        return "A comment behind a value belongs to it: give it a line of its own."
    return None


def _scheme(text: str) -> str:
    before, colon, _ = text.strip().partition(":")
    return before.lower() + colon
