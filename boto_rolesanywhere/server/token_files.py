"""The token of each role, in a file that its clients read. Nothing is served here.

A token is made once and kept: after a restart, clients that read the file and clients that hold a
copy of the token go on. To change a token, delete the file and start the server again.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Flaw = tuple[str, str] | None  # the problem, and what is expected instead

_SHORTEST: Final = 16
_LONGEST: Final = 4096
_NAME: Final = "boto-rolesanywhere"


class NoPlaceError(ConfigurationError):
    """No token can be kept, since this process can write, or read, nothing there."""


def default_folder(environ: Mapping[str, str]) -> Path:
    """The folder of token files if ``--token-folder`` names none.

    It is systemd's RUNTIME_DIRECTORY (systemd.exec(5); the first folder, if it names several), else
    ``$XDG_RUNTIME_DIR/boto-rolesanywhere`` (XDG Base Directory Specification), else a folder of
    this user in the temporary folder.

    Raises:
        NoPlaceError: there is no temporary folder that this process can write to.
    """
    if runtime := environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(runtime)
    if runtime := environ.get("XDG_RUNTIME_DIR", ""):
        return Path(runtime) / _NAME
    import tempfile

    try:
        temporary = tempfile.gettempdir()
    except FileNotFoundError as error:  # it tries to write in several
        raise NoPlaceError(
            f"there is no folder for token files ({error.strerror})",
            code="token-file-unsafe",
            remedy="Name a folder that can be written with --token-folder.",
        ) from None
    return Path(temporary) / f"{_NAME}-{_user()}"


def token_file(
    folder: Path, name: str, *, random: Callable[[int], str] = secrets.token_urlsafe
) -> tuple[Path, str]:
    """The file ``NAME.token`` in `folder` and the token in it; both are made if they are missing.

    Args:
        folder: made with mode 0700, as is every missing folder above it.
        name: the role's.
        random: gives a text of that many unpredictable bytes.

    Raises:
        NoPlaceError: the folder or the file cannot be read or written.
        ConfigurationError: the folder or the file belongs to another user or is open to others, or
            the file holds no usable token.
    """
    path = folder / f"{name}.token"
    try:
        make_private_folder(folder)
        if flaw := _folder_flaw(folder):
            raise _unsafe(folder, *flaw)
        if not path.exists():
            _create(path, random(32))
        return path, _read(path)
    except OSError as error:
        raise NoPlaceError(
            f"the token of role {name} cannot be kept there ({error.strerror})",
            code="token-file-unsafe",
            where=str(path),
            expected="a folder that can be written, or a file that can be read",
            remedy="Name another folder with --token-folder.",
        ) from None


def _folder_flaw(folder: Path) -> _Flaw:
    if os.name != "posix":
        return None
    # The status of the link itself: in a shared folder, another user may have put a link there.
    # A link of root's is fine: systemd makes one at /run/NAME for a service with DynamicUser=.
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) and status.st_uid == 0:
        status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        return "it is a file, or a link of another user than root", "a folder"
    if status.st_uid not in (_user(), 0):
        return "it belongs to another user", "a folder of your own"
    if status.st_mode & 0o022:
        return "others can write in it", "a folder of mode 0700"
    return None


def _create(path: Path, token: str) -> None:
    """Put a whole file there or none. If another process was faster, its file stays."""
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
    if flaw := _file_flaw(status, content):
        raise _unsafe(path, *flaw)
    return content.decode("ascii")


def _file_flaw(status: os.stat_result, content: bytes) -> _Flaw:
    if os.name == "posix":
        if status.st_uid not in (_user(), 0):
            return "it belongs to another user", "a file of your own"
        # A group may be meant to read the file; others are not.
        if status.st_mode & 0o027:
            return f"its mode is {stat.S_IMODE(status.st_mode):04o}", "0600, or 0640"
    # What a header can hold without quoting; botocore refuses a line end, other SDKs send it.
    if not all(0x21 <= byte <= 0x7E for byte in content):  # noqa: PLR2004  # ! to ~ in ASCII
        return "there is a blank, a line end or a special character in it", "one token"
    if not _SHORTEST <= len(content) <= _LONGEST:
        return f"the token in it has {len(content)} characters", f"{_SHORTEST} to {_LONGEST}"
    return None


def _unsafe(path: Path, problem: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        problem,
        code="token-file-unsafe",
        where=str(path),
        expected=expected,
        remedy="Correct that, or delete it: `serve` makes it anew.",
    )


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
