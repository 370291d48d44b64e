"""Remembers for the user's next process whether a TPM key or token refused a password or PIN.

A TPM counts wrong passwords, a token wrong PINs, and after a few they are locked: the TPM for all
users of the machine, the token until somebody has its PUK. A service that is started again and
again would forget what was refused, and whether a TPM's key has a password at all, which its handle
does not tell.

So the user's cache folder has one file for each key or token. It says whether there is a password
and whether the last one was refused. It holds no password, and nothing made from one. If there is
no such folder, or it cannot be written, each process begins anew.
"""

from __future__ import annotations

import time
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import OpenFolder, make_private_folder
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.settings.cache_folder import is_own_folder, read_own_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module, where there is one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIX: Final = ".tries"
_MAGIC: Final = "boto_rolesanywhere tries 1"
# Seconds between attempts to take the lock. Its holder makes one try, so after these it must hang.
_PAUSES: Final = (0.02,) * 100


class Mark(NamedTuple):
    """What is known of a key or a token.

    Attributes:
        has_password: whether it has a password or PIN; None if that is not known.
        refused: whether it refused the last try.
        none_refused: whether it refused a try without a password, though a setting or a person said
            that it has none.
    """

    has_password: bool | None = None
    refused: bool = False
    none_refused: bool = False

    def to_bytes(self) -> bytes:
        """The content of its file."""
        has = {None: "unknown", True: "password", False: "none"}[self.has_password]
        last = "refused" if self.refused else "taken"
        return f"{_MAGIC} {has} {last}{' none-refused' * self.none_refused}\n".encode()


_MARKS: Final = {
    mark.to_bytes(): mark
    for mark in (Mark(*values) for values in product((None, True, False), *((False, True),) * 2))
}


class SecretMemory:
    """The mark of one key or token."""

    def __init__(self, folder: str | None, identifier: bytes) -> None:
        """Prepare it; nothing is read yet.

        Args:
            folder: the user's cache folder; None to remember nothing.
            identifier: what tells the key or token from every other.
        """
        self._folder = folder
        self._name = sha256(identifier).hexdigest() + SUFFIX

    @property
    def path(self) -> str:
        """Of the file, for messages."""
        return str(Path(self._folder or "", self._name))

    def recall(self) -> Mark:
        """What is known, which may be nothing. Only a file that is this user's alone counts."""
        data = read_own_file(self._folder, self._name) if self._folder else None
        return _MARKS.get(data or b"", Mark())

    def remember(self, mark: Mark) -> bool:
        """Write it down, unless it stands there already; whether that could be done."""
        if self._folder is None:
            return False
        if self.recall() == mark:
            return True
        try:
            with closing(self._open(self._folder)) as folder:
                folder.write(self._name, mark.to_bytes())
        except OSError:
            return False
        return True

    @contextmanager
    def turn(self, sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
        """Take turns with the user's other processes, for the body of the `with`.

        Processes that start at once would else each try what none of them knows yet. After two
        seconds, or where there is no lock, the body runs all the same.
        """
        folder = None
        if self._folder is not None and fcntl is not None:
            with suppress(OSError):
                folder = self._open(self._folder)
        if folder is None:
            yield
            return
        with closing(folder):
            if folder.descriptor is not None:
                _lock(folder.descriptor, sleep)
            yield  # closing the file frees the lock

    @staticmethod
    def _open(path: str) -> OpenFolder:
        make_private_folder(path)
        if not is_own_folder(path):
            raise PermissionError
        return OpenFolder.at(Path(path))


def _lock(descriptor: int, sleep: Callable[[float], object]) -> None:
    for pause in _PAUSES:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # noqa: PERF203  # the loop is there to try again
            sleep(pause)
        except OSError:  # a file system without locks
            return
        else:
            return
