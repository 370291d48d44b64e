"""Files that are there whole or not at all, whatever happens to the process that writes them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

# Begins with a dot, so that who lists *.session, or a shell's *, does not see it.
TEMPORARY_SUFFIX: Final = ".tmp"


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o600, owner: tuple[int, int] | None = None
) -> None:
    """Put `content` in place of what `path` holds, in one step.

    It is written beside `path`, flushed to the disk and renamed: so a reader sees the old content
    or the new, also after a crash. A process that is killed in between leaves a file whose name
    begins with a dot and ends in ``.tmp``.

    Args:
        path: in a folder that exists. A link there is replaced, not followed.
        content: all of it.
        mode: of the new file.
        owner: its user and group; the process's when left out. Only root can give files away.

    Raises:
        OSError: it could not be written; what was there stays.
    """
    # mkstemp makes it with O_EXCL and mode 0600, so that nobody else opens it meanwhile.
    file, name = mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if owner is not None:
            os.chown(temporary, *owner)
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the renaming itself last, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    # Some file systems refuse it; the file is in place all the same.
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def make_private_folder(folder: Path) -> None:
    """Make `folder` and every level above it that is missing, each with mode 0700.

    ``Path.mkdir(parents=True)`` makes the levels above as open as the umask lets it.

    Raises:
        OSError: it could not be made.
    """
    missing = []
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for level in reversed(missing):
        level.mkdir(mode=0o700, exist_ok=True)
