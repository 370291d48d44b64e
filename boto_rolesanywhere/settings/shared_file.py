"""One file that several programs write, perhaps root for another user: found, locked, replaced.

The way to it is walked folder by folder, each held open, so that nobody swaps a name meanwhile.

* A link on the way, or in the file's place, is followed if it belongs to root or to the user of
  this process, in a folder where nobody else can put or move it. Other links are refused.
* A file belongs to the user of this process or to root. Root also writes the file of a user, who
  stays its owner, but only in a folder that is this user's own. Other files are refused.
* Its mode is never wider than it was. What is inside the file plays no part here.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import (
    HAS_FOLDER_DESCRIPTORS,
    TEMPORARY_SUFFIX,
    OpenFolder,
    Ownership,
    make_private_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINKS: Final = 40  # as Linux follows at most (path_resolution(7))
_POLL: Final = 0.05
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0)
# Where there is O_PATH, a folder on the way need not be readable, as for every other program.
_ON_THE_WAY: Final = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
_NO_FILE: Final = "it is a folder, pipe, device or ring of links"
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class RefusedPlaceError(PermissionError):
    """A link, file or folder that somebody else controls.

    `strerror` says what is wrong with it, `filename` which one it is.
    """

    def __init__(self, problem: str, path: Path) -> None:
        super().__init__(errno.EPERM, problem, str(path))


class SharedFile:
    """A file in a folder that is held open. Get one by `opened`.

    Attributes:
        folder: where it lies.
        name: its name there.
    """

    def __init__(self, folder: OpenFolder, name: str, *, planted: bool) -> None:
        self.folder = folder
        self.name = name
        # Somebody may have put the folder itself into a folder that is shared with others.
        self._planted = planted
        self._ownership = Ownership()

    @property
    def path(self) -> Path:
        """Where it is, links resolved."""
        return self.folder.path / self.name

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[SharedFile]:
        """The file at `path`, which need not exist. Missing folders are made, with mode 0700.

        Raises:
            OSError: a folder cannot be opened or made; `RefusedPlaceError` if somebody else
                controls a link on the way.
        """
        if HAS_FOLDER_DESCRIPTORS:
            walk = _Walk(path.absolute())
            try:
                name = walk.to_the_file()
                with closing(walk.last_folder()) as folder:
                    yield cls(folder, name, planted=walk.planted)
            finally:
                os.close(walk.descriptor)
        else:
            real = Path(os.path.realpath(path))
            make_private_folder(real.parent)
            yield cls(OpenFolder(real.parent, None), real.name, planted=False)

    def read(self) -> bytes:
        """What is in it; nothing if it is not there.

        `replace` keeps its owner and mode, which come from the same descriptor.

        Raises:
            OSError: it cannot be read; `RefusedPlaceError` if it is no file, or not one to write.
        """
        try:
            descriptor = self.folder.open(self.name, _READ)
        except FileNotFoundError:
            return b""
        except OSError as error:
            # A link was put there since the way was walked, or a socket cannot be opened at all.
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise RefusedPlaceError(_NO_FILE, self.path) from None
            raise
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise RefusedPlaceError(_NO_FILE, self.path)
            if HAS_FOLDER_DESCRIPTORS:
                self._ownership = self._kept(facts, os.geteuid())
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    def replace(self, content: bytes, *, widest: int) -> None:
        """Put `content` in its place, in one step, with the owner and mode that `read` found.

        Args:
            content: all of it.
            widest: the mode is cut down to these bits; an owner's writing is all that others lose.

        Raises:
            OSError: it could not be written; what was there stays.
        """
        old = self._ownership
        self.folder.write(self.name, content, Ownership(old.mode & widest, old.user, old.group))

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Keep other writers away that take this lock too.

        Raises:
            TimeoutError: one has held the lock for `patience` seconds.
            OSError: the lock cannot be made; `RefusedPlaceError` if it is somebody else's.
        """
        descriptor = self._open_lock()
        try:
            end = time.monotonic() + patience
            while not _try_lock(descriptor):
                if time.monotonic() >= end:
                    raise TimeoutError
                time.sleep(_POLL)
            yield
        finally:
            os.close(descriptor)  # which also unlocks it

    def remove_left_overs(self) -> None:
        """Remove the leftovers of killed writers of this file. The lock is held."""
        start = f".{self.name}."
        for name in self.folder.names():
            middle = name.removeprefix(start).removesuffix(TEMPORARY_SUFFIX)
            # A dot in the middle: then it is of a file whose name goes on after this one's.
            if name == f"{start}{middle}{TEMPORARY_SUFFIX}" and middle and "." not in middle:
                self.folder.remove(name)

    def _kept(self, facts: os.stat_result, user: int) -> Ownership:
        """What the new file has of the old one."""
        mode = stat.S_IMODE(facts.st_mode)
        if facts.st_uid in (user, 0):
            return Ownership(mode, group=facts.st_gid)
        if user != 0:
            raise RefusedPlaceError("it belongs to another user", self.path)
        self._require_folder_of(facts.st_uid)
        return Ownership(mode, facts.st_uid, facts.st_gid)

    def _require_folder_of(self, owner: int) -> None:
        """Root gives secrets to the owner of a file only where nobody else can have put it."""
        folder = self.folder.facts()
        if folder.st_uid != owner:
            problem = "it belongs to a user who does not own the folder that it lies in"
        elif folder.st_mode & stat.S_IWOTH:
            problem = "it belongs to a user, in a folder that everybody can write to"
        elif self._planted:
            problem = "it lies in a folder that its owner has put into a shared folder"
        else:
            return
        raise RefusedPlaceError(problem, self.path)

    def _open_lock(self) -> int:
        name = f".{self.name}.lock"
        path = self.folder.path / name
        try:
            return self._new_lock(name)
        except FileExistsError:
            pass
        try:
            # Not emptied, nor given a mode: it may be a second name of another file.
            descriptor = self.folder.open(name, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RefusedPlaceError("the lock must not be a link", path) from None
            raise OSError(error.errno, error.strerror, str(path)) from None
        if HAS_FOLDER_DESCRIPTORS:
            owner = os.fstat(descriptor).st_uid
            if owner not in (0, os.geteuid(), self.folder.facts().st_uid):
                os.close(descriptor)
                raise RefusedPlaceError("the lock belongs to another user", path)
        return descriptor

    def _new_lock(self, name: str) -> int:
        descriptor = self.folder.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        if HAS_FOLDER_DESCRIPTORS and os.geteuid() == 0:
            # The user of this folder locks the file too, after root.
            with suppress(OSError):
                os.fchown(descriptor, self.folder.facts().st_uid, -1)
        return descriptor


class _Walk:
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
        raise RefusedPlaceError(_NO_FILE, self._asked)

    def last_folder(self) -> OpenFolder:
        """The folder that was reached, so opened that its names can be read."""
        flags = os.O_RDONLY | _FOLDER
        return OpenFolder(self.path, os.open(os.curdir, flags, dir_fd=self.descriptor))

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
        if inner.st_uid not in (0, self._user, outer.st_uid) and outer.st_mode & _OTHERS_WRITE:
            self.planted = True
        self._move(entered, self.path / name)

    def _follow(self, name: str, facts: os.stat_result) -> None:
        path = self.path / name
        self._links += 1
        if self._links > _MOST_LINKS:
            raise RefusedPlaceError(_NO_FILE, self._asked)
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


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
