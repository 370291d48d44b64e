"""The user's cache folder: where it is, and what a file in it must be to be trusted.

The command looks here for each answer from the cache, so nothing heavy is imported; see
`credentials.cache_entry`.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH100, PTH111, PTH117, PTH118

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

FOLDER_VARIABLE: Final = "AWS_ROLESANYWHERE_CACHE_DIR"
# The largest part is a session token, of some kilobytes.
_MAX_BYTES: Final = 256 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def cache_folder(environ: Mapping[str, str], chosen: str | None = None) -> str | None:
    """The folder of sessions and of tries at keys and tokens; None if the user has no home.

    Args:
        environ: the environment.
        chosen: the folder that a flag or argument gives, which goes before the environment.
    """
    if named := chosen or environ.get(FOLDER_VARIABLE):
        return os.path.abspath(os.path.expanduser(named))
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.join("~", "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join("~", "Library", "Caches")
    else:
        base = os.path.join("~", ".cache")
        # XDG Base Directory Specification: a relative path is invalid and is to be ignored.
        if os.path.isabs(cache_home := environ.get("XDG_CACHE_HOME", "")):
            base = cache_home
    base = os.path.expanduser(base)
    return None if base.startswith("~") else os.path.join(base, "boto_rolesanywhere")


def is_own_folder(folder: str) -> bool:
    """Whether `folder` is a folder, not a link to one, of this user's and closed to others."""
    try:
        found = os.lstat(folder)
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and _is_own(found)


def _is_own(found: os.stat_result) -> bool:
    """Whether this user owns it, and others may do nothing with it.

    Windows has no such owners and modes; there the user's own folder protects the files.
    """
    if not hasattr(os, "geteuid"):
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS


def read_own_file(folder: str, name: str) -> bytes | None:
    """The content of a file of the cache; None if it is not there or not to be trusted.

    Folder and file must be this user's alone, and no links.
    """
    if not is_own_folder(folder):
        return None
    # O_NONBLOCK: opening a pipe that somebody put there would never return.
    flags = os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK") | _flag("O_BINARY")
    try:
        file = os.open(os.path.join(folder, name), flags | _flag("O_CLOEXEC"))
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not (stat.S_ISREG(found.st_mode) and _is_own(found) and found.st_size <= _MAX_BYTES):
            return None
        return os.read(file, _MAX_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)


def _flag(name: str) -> int:
    value: int = getattr(os, name, 0)
    return value
