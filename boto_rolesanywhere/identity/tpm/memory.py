"""What became of a TPM key's passwords, for the user's next process.

A TPM counts wrong passwords, and after a few it is locked for all users of the machine. Whether a
key has a password, only its file says, and a persistent key has none. So the first process finds it
out, and the next ones refuse a missing or needless password before it costs a try.

One file for each key lies in the user's cache folder. It says whether the key has a password and
what became of the last one: no password, nothing that was made from one. Where there is no such
folder, or it cannot be written, each process begins anew.
"""

from __future__ import annotations

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
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIX: Final = ".tpm"
_MAGIC: Final = "boto_rolesanywhere tpm 1"
# Seconds between looks for the lock: whoever holds it signs once. Then it is taken to hang.
_PAUSES: Final = (0.02,) * 100


class Mark(NamedTuple):
    """What is known of a key.

    Attributes:
        has_password: None if that is not known.
        refused: whether the TPM refused the last try.
        none_refused: whether the TPM refused to go without, though somebody said that it has none.
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


class KeyMemory:
    """The mark of one key."""

    def __init__(self, folder: str | None, identifier: bytes) -> None:
        """Prepare it; nothing is read yet.

        Args:
            folder: the user's cache folder; None to remember nothing.
            identifier: what tells the key from every other key.
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
    def turn(self, sleep: Callable[[float], object]) -> Iterator[None]:
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
            yield  # to close it frees the lock

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
