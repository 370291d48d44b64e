"""Files that are there whole or not at all, in folders that are held open.

A folder is opened once; its files are named relative to the descriptor from then on, and no link is
followed. So nobody who swaps a name for a link meanwhile leads a write, an owner or a mode
elsewhere. Who may own such a file is decided by the caller.

A process that waits for another one's session passes through here, so nothing heavy is imported.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH102, PTH112, PTH120

from __future__ import annotations

import errno
import os
from contextlib import closing, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Final

# The name begins with a dot, so that whoever lists *.session, or a shell's *, does not see it.
TEMPORARY_SUFFIX: Final = ".tmp"

# Windows has no descriptors of folders. There the user's own folder protects what lies in it.
HAS_FOLDER_DESCRIPTORS: Final = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final = os.O_RDONLY | _NO_LINK | getattr(os, "O_DIRECTORY", 0)
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | getattr(os, "O_BINARY", 0)
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700
_WITHOUT_GROUP: Final = 0o707
# Permission bits. The bits above them (set-user-id, set-group-id, sticky) are never given.
_PERMISSIONS: Final = 0o777


class Ownership:
    """Who owns a new file, and what they may do with it.

    Attributes:
        mode: permission bits; other bits are dropped.
        user: the user's id; None for the user of this process.
        group: the group's id; None for the group that the system chooses.
    """

    __slots__ = ("group", "mode", "user")

    def __init__(
        self, mode: int = _OWNER_ONLY, user: int | None = None, group: int | None = None
    ) -> None:
        self.mode, self.user, self.group = mode, user, group

    def apply(self, descriptor: int) -> None:
        """Give the open file away, then set its mode.

        Raises:
            OSError: the system refuses the user. A group that it refuses gets no rights instead:
                they would be another group's.
        """
        mode = self.mode & _PERMISSIONS
        if self.user is not None or self.group is not None:
            user, group = (-1 if value is None else value for value in (self.user, self.group))
            try:
                os.fchown(descriptor, user, group)
            except PermissionError:
                if self.user is not None:
                    raise
                mode &= _WITHOUT_GROUP
        os.fchmod(descriptor, mode)


class OpenFolder:
    """A folder, held by its descriptor.

    Attributes:
        path: how it was reached, for messages.
        descriptor: of the folder; None on Windows.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def at(cls, path: Path) -> OpenFolder:
        """Open the folder at `path`, which must not be a link itself.

        Raises:
            OSError: there is no such folder, or it is a link.
        """
        return cls(path, os.open(path, _FOLDER) if HAS_FOLDER_DESCRIPTORS else None)

    def close(self) -> None:
        """Let the folder go."""
        if self.descriptor is not None:
            os.close(self.descriptor)

    def facts(self) -> os.stat_result:
        """Its owner, mode and so on."""
        return os.stat(self.path if self.descriptor is None else self.descriptor)  # noqa: PTH116  # as above

    def open(self, name: str, flags: int, mode: int = _OWNER_ONLY) -> int:
        """The descriptor of a file in this folder. A link is not followed."""
        return os.open(self._named(name), flags | _NO_LINK, mode, dir_fd=self.descriptor)

    def names(self) -> list[str]:
        """Of all that is in it."""
        place = self.path if self.descriptor is None else self.descriptor
        return os.listdir(place)  # noqa: PTH208  # pathlib takes no descriptor

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. A link is removed, not what it points to."""
        with suppress(FileNotFoundError):
            os.unlink(self._named(name), dir_fd=self.descriptor)

    def write(self, name: str, content: bytes, ownership: Ownership | None = None) -> None:
        """Put `content` in place of what has that name, in one step.

        It is written beside the old file, flushed to the disk and renamed: so a reader sees the old
        content or the new, also after a crash. A process that is killed in between leaves a file
        whose name begins with a dot and ends in ``.tmp``. A link of that name is replaced.

        Raises:
            OSError: it could not be written; what was there stays.
        """
        temporary = f".{name}.{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"
        # O_EXCL: nobody can have put a file or a link there before.
        descriptor = self.open(temporary, _NEW_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if HAS_FOLDER_DESCRIPTORS:
                    # An access control list of the folder may have given the new file more.
                    os.fchmod(descriptor, _OWNER_ONLY)
                file.write(content)
                file.flush()
                if HAS_FOLDER_DESCRIPTORS:
                    (ownership or Ownership()).apply(descriptor)
                os.fsync(descriptor)
            os.replace(
                self._named(temporary),
                self._named(name),
                src_dir_fd=self.descriptor,
                dst_dir_fd=self.descriptor,
            )
        except BaseException:
            with suppress(OSError):
                self.remove(temporary)
            raise
        if self.descriptor is not None:
            # Some file systems refuse it; the file is in place all the same.
            with suppress(OSError):
                os.fsync(self.descriptor)

    def _named(self, name: str) -> str:
        return name if self.descriptor is not None else os.fspath(self.path / name)


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` in place of what `path` holds, for this user alone (mode 0600), in one step.

    Args:
        path: in a folder that exists and is no link. A link at `path` is replaced, not followed.
        content: all of it.

    Raises:
        OSError: it could not be written; what was there stays.
    """
    with closing(OpenFolder.at(path.parent)) as folder:
        folder.write(path.name, content)


def make_private_folder(path: str | os.PathLike[str]) -> None:
    """Make the folder and those above it that are missing, each with mode 0700, whatever the umask.

    Raises:
        OSError: one cannot be made, or `path` is something else than a folder.
    """
    folder = os.fspath(path)
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        if folder == (folder := os.path.dirname(folder)):
            break
    for folder in reversed(missing):
        # Another process may make the same folder at the same time. Not os.makedirs: the folders
        # above would get the mode that the umask leaves.
        with suppress(FileExistsError):
            os.mkdir(folder, _FOLDER_OWNER_ONLY)
            if os.lstat(folder).st_mode & _PERMISSIONS != _FOLDER_OWNER_ONLY:  # a strange umask
                os.chmod(folder, _FOLDER_OWNER_ONLY)  # noqa: PTH101  # pathlib takes time to load
    if not os.path.isdir(path):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
