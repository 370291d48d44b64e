"""The way to a file, walked folder by folder, each held open: nobody swaps a name meanwhile.

A link on the way, or in the file's place, is followed if it belongs to root or to the user of this
process, in a folder where nobody else can put or move it. Other links are refused.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from boto_rolesanywhere.atomic_file import OpenFolder

_MOST_LINKS: Final = 40  # as Linux follows at most (path_resolution(7))
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0)
# Where there is O_PATH, a folder on the way need not be readable, as for every other program.
_ON_THE_WAY: Final = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
NO_FILE: Final = "it is a folder, pipe, device or ring of links"


class RefusedPlaceError(PermissionError):
    """A link, file or folder that somebody else controls.

    `strerror` says what is wrong with it, `filename` which one it is.
    """

    def __init__(self, problem: str, path: Path) -> None:
        super().__init__(errno.EPERM, problem, str(path))


class Walk:
    """The way from the top of the file system to a file, one folder after the other.

    Attributes:
        descriptor: of the folder that is reached; the caller closes it.
        path: of that folder.
        planted: whether somebody may have put a folder on the way into a shared one.
    """

    def __init__(self, path: Path) -> None:
        self.planted = False
        self._user = os.geteuid()
        self._links = 0
        self._parts = deque(path.parts[1:])
        self._asked = path
        self.path = Path(path.anchor)
        self.descriptor = os.open(path.anchor, _ON_THE_WAY)

    def to_the_file(self) -> str:
        """Walk to the folder of the file; gives the file's name there."""
        while self._parts:
            name = self._parts.popleft()
            facts = self._facts(name)
            if facts is not None and stat.S_ISLNK(facts.st_mode):
                self._follow(name, facts)
            elif self._parts:
                self._enter(name, is_new=facts is None)
            elif name != os.pardir:
                return name
            else:
                break
        raise RefusedPlaceError(NO_FILE, self._asked)

    def last_folder(self) -> OpenFolder:
        """The folder that was reached; its names can be read if this user may read it."""
        try:
            opened = os.open(os.curdir, os.O_RDONLY | _FOLDER, dir_fd=self.descriptor)
        except PermissionError:  # what it holds can still be opened by name
            opened = os.open(os.curdir, _ON_THE_WAY, dir_fd=self.descriptor)
        return OpenFolder(self.path, opened)

    def _facts(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from None

    def _enter(self, name: str, *, is_new: bool) -> None:
        if is_new:
            with suppress(FileExistsError):  # another process may make it at the same time
                os.mkdir(name, 0o700, dir_fd=self.descriptor)
        flags = _ON_THE_WAY | os.O_NOFOLLOW
        try:
            entered = os.open(name, flags, dir_fd=self.descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from None
        outer, inner = os.fstat(self.descriptor), os.fstat(entered)
        if inner.st_uid not in (0, self._user, outer.st_uid) and outer.st_mode & OTHERS_WRITE:
            self.planted = True
        self._move(entered, self.path / name)

    def _follow(self, name: str, facts: os.stat_result) -> None:
        path = self.path / name
        self._links += 1
        if self._links > _MOST_LINKS:
            raise RefusedPlaceError(NO_FILE, self._asked)
        if facts.st_uid not in (0, self._user):
            raise RefusedPlaceError("this link belongs to another user", path)
        folder = os.fstat(self.descriptor)
        shared = folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX
        if folder.st_uid not in (0, self._user) or shared:
            raise RefusedPlaceError("this link lies where another user can replace it", path)
        target = Path(os.readlink(name, dir_fd=self.descriptor))
        # If another link was put in its place during the read, this link's time has changed.
        if self._identity(facts) != self._identity(self._facts(name)):
            raise RefusedPlaceError("this link was replaced while it was read", path)
        self._parts.extendleft(reversed(target.parts[1:] if target.anchor else target.parts))
        if target.anchor:
            self._move(os.open(target.anchor, _ON_THE_WAY), Path(target.anchor))

    def _move(self, descriptor: int, path: Path) -> None:
        os.close(self.descriptor)
        self.descriptor, self.path = descriptor, path

    @staticmethod
    def _identity(facts: os.stat_result | None) -> tuple[int, int, int] | None:
        return facts and (facts.st_dev, facts.st_ino, facts.st_ctime_ns)
