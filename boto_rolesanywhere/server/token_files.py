"""The token of each role, in a file that its clients read. Nothing is served here.

A token is made once and kept: clients that read it, and those that it was copied to, go on after a
restart. To have another one, delete the file and start again.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SHORTEST: Final = 16
_LONGEST: Final = 4096
_NAME: Final = "boto-rolesanywhere"


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where token files are, unless told: in the folder that the system gives for such files.

    systemd's RUNTIME_DIRECTORY (systemd.exec(5); the first, if it names several), else
    ``$XDG_RUNTIME_DIR/boto-rolesanywhere`` (XDG Base Directory Specification), else a folder of
    the user's in the temporary folder.
    """
    if given := environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if given := environ.get("XDG_RUNTIME_DIR", ""):
        return Path(given) / _NAME
    import tempfile

    return Path(tempfile.gettempdir()) / f"{_NAME}-{_user()}"


def token_file(
    folder: Path, name: str, *, random: Callable[[int], str] = secrets.token_urlsafe
) -> tuple[Path, str]:
    """The file ``NAME.token`` in `folder` and the token in it; both are made if they are missing.

    Args:
        folder: made with mode 0700.
        name: the role's.
        random: a text of so many unpredictable bytes.

    Raises:
        ConfigurationError: folder or file is somebody else's or open to others, cannot be read or
            written, or the file holds no usable token.
    """
    path = folder / f"{name}.token"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private_folder(folder)
        if not path.exists():
            _create(path, random(32))
        return path, _read(path)
    except OSError as error:
        raise ConfigurationError(
            f"the token of role {name} cannot be kept there ({error.strerror})",
            where=str(path),
            expected="a folder that can be written, or a file that can be read",
            remedy="Name another folder with --token-folder.",
        ) from None


def _require_private_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    # Of the link itself: in a shared folder, somebody else may have put one there. One of root's is
    # meant: systemd links /run/NAME to the folder of a service that has DynamicUser=.
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) and status.st_uid == 0:
        status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        _refuse(folder, "it is a user's link, or a file", "a folder")
    if status.st_uid not in (_user(), 0):
        _refuse(folder, "it belongs to another user", "a folder of your own")
    if status.st_mode & 0o022:
        _refuse(folder, "others can write in it", "a folder of mode 0700")


def _create(path: Path, token: str) -> None:
    """Put a whole file there or none; who comes second takes the first one's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)  # no line end: SDKs put the whole content into a header
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> str:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        content = file.read(_LONGEST + 1)
    if os.name == "posix":
        if status.st_uid not in (_user(), 0):
            _refuse(path, "it belongs to another user", "a file of your own")
        # A group may be meant to read it, the world is not.
        if status.st_mode & 0o027:
            _refuse(path, f"its mode is {stat.S_IMODE(status.st_mode):04o}", "0600, or 0640")
    # What a header can hold without quoting; botocore refuses a line end, other SDKs send it.
    if not all(0x21 <= byte <= 0x7E for byte in content):  # noqa: PLR2004  # ! to ~ in ASCII
        _refuse(path, "there is a blank, a line end or a special character in it", "one token")
    if not _SHORTEST <= len(content) <= _LONGEST:
        what = f"the token in it has {len(content)} characters"
        _refuse(path, what, f"{_SHORTEST} to {_LONGEST}")
    return content.decode("ascii")


def _refuse(path: Path, what: str, expected: str) -> NoReturn:
    remedy = "Correct that, or delete it to have it made anew."
    raise ConfigurationError(what, where=str(path), expected=expected, remedy=remedy)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
