"""One file that several programs write, perhaps root for another user: found, locked, replaced.

`safe_walk` finds it. Here:

* A file belongs to the user of this process or to root. Root also writes the file of a user, who
  stays its owner, but only in a folder of this user's or of root's own. Other files are refused.
* It keeps owner and mode. Where a new file in its place would not do (it is a mount point, has
  several names, or lies in a folder that this user cannot write to), it is written in place.

What is inside the file plays no part here.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
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

from .safe_walk import NO_FILE, OTHERS_WRITE, RefusedPlaceError, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL: Final = 0.05
_SAFELY: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_READ: Final = os.O_RDONLY | _SAFELY
_WRITE: Final = os.O_RDWR | _SAFELY
# Nothing can be made beside the file, or put in its place (EBUSY: it is a mount point).
_FIXED: Final = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS)


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
        self._facts: os.stat_result | None = None

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
            walk = Walk(path.absolute())
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
            self._facts = None
            return b""
        except OSError as error:
            # A link was put there since the way was walked, or a socket cannot be opened at all.
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise RefusedPlaceError(NO_FILE, self.path) from None
            raise
        try:
            facts = self._facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise RefusedPlaceError(NO_FILE, self.path)
            if HAS_FOLDER_DESCRIPTORS:
                self._ownership = self._kept(facts, os.geteuid())
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    def replace(self, content: bytes, *, widest: int, in_place: bool = False) -> None:
        """Put `content` in its place, with the owner and mode that `read` found.

        That takes one step, unless the file has to be written in place: then a reader at that
        moment may see half of it.

        Args:
            content: all of it.
            widest: the mode is cut down to these bits.
            in_place: whether a file that exists is to be written in place in any case.

        Raises:
            OSError: it could not be written; what was there stays. `RefusedPlaceError` if somebody
                else may have given another file this name.
        """
        if self._facts and (in_place or self._facts.st_nlink > 1):
            self._overwrite(self._facts, content, widest)
            return
        if self._facts and not self._can_give_away(self._facts):
            with suppress(PermissionError):
                self._overwrite(self._facts, content, widest)
                return
        old = self._ownership
        try:
            self.folder.write(self.name, content, Ownership(old.mode & widest, old.user, old.group))
        except OSError as error:
            if not self._facts or error.errno not in _FIXED:
                raise
            self._overwrite(self._facts, content, widest)

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Keep other writers away that take this lock too.

        Raises:
            TimeoutError: one has held the lock for `patience` seconds.
            OSError: the lock cannot be made; `RefusedPlaceError` if it is somebody else's.
        """
        try:
            descriptor = self._open_lock()
        except RefusedPlaceError:
            raise
        except OSError as error:
            if not self._facts or error.errno not in _FIXED or not HAS_FOLDER_DESCRIPTORS:
                raise
            descriptor = self._open_same(self._facts, _READ)  # itself, where no lock can be made
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
        try:
            names = self.folder.names()
        except OSError:  # a folder in which this user finds only what it knows by name
            return
        for name in names:
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
        if folder.st_uid == 0 and not folder.st_mode & OTHERS_WRITE and not self._planted:
            return
        if folder.st_uid != owner:
            problem = "it belongs to a user who does not own the folder that it lies in"
        elif folder.st_mode & stat.S_IWOTH:
            problem = "it belongs to a user, in a folder that everybody can write to"
        elif self._planted:
            problem = "it lies in a folder that its owner has put into a shared folder"
        else:
            return
        raise RefusedPlaceError(problem, self.path)

    def _can_give_away(self, facts: os.stat_result) -> bool:
        """Whether a new file can have this one's owner and group."""
        if not HAS_FOLDER_DESCRIPTORS or os.geteuid() == 0:
            return True
        groups = (os.getegid(), *os.getgroups())
        return facts.st_uid == os.geteuid() and facts.st_gid in groups

    def _open_same(self, facts: os.stat_result, flags: int) -> int:
        """The descriptor of the very file that was read."""
        try:
            descriptor = self.folder.open(self.name, flags)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        if not os.path.samestat(os.fstat(descriptor), facts):
            os.close(descriptor)
            raise RefusedPlaceError("it was replaced while it was read", self.path)
        return descriptor

    def _overwrite(self, facts: os.stat_result, content: bytes, widest: int) -> None:
        if facts.st_nlink > 1:
            self._require_names_of_its_owner(facts)
        descriptor = self._open_same(facts, _WRITE)
        try:
            old = os.read(descriptor, facts.st_size)
            try:
                _fill(descriptor, content)
            except BaseException:
                with suppress(OSError):  # a full disk has room for what it held
                    _fill(descriptor, old)
                raise
            mode = stat.S_IMODE(facts.st_mode)
            if HAS_FOLDER_DESCRIPTORS and mode & ~widest:
                os.fchmod(descriptor, mode & widest)
        finally:
            os.close(descriptor)

    def _require_names_of_its_owner(self, facts: os.stat_result) -> None:
        """A file of several names is written only where nobody else can have given it this one."""
        if not HAS_FOLDER_DESCRIPTORS:
            return
        folder = self.folder.facts()
        if folder.st_uid not in (0, facts.st_uid) or folder.st_mode & stat.S_IWOTH:
            problem = "it has several names (hard links), and another user may have made them"
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


def _fill(descriptor: int, content: bytes) -> None:
    """Make `content` all that an open file holds."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


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
