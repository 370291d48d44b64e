"""Whose turn it is to renew a session that processes share, and how the others wait.

Of many processes that start at once on an empty cache, one renews the session and the rest wait
here. So nothing heavy is imported: see `cache_entry`.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH118

from __future__ import annotations

import errno
import os
import sys
import time

from .cache_entry import Entry, read_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

# Seconds. A CreateSession usually takes less, its time-outs included: a process that holds the lock
# for longer hangs, and nobody waits for it.
PATIENCE: Final = 60.0
# Seconds between looks: often at first, then seldom, since many may be waiting on few processors.
_SHORTEST_POLL: Final = 0.02
_LONGEST_POLL: Final = 0.25
_HELD: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)


class Turn:
    """The right to renew one entry, until it is closed.

    Attributes:
        folder: of the cache.
        key: of the entry.
        without_lock: why there is no lock, if the file system gives none; then several processes
            may have their turn at once.
    """

    __slots__ = ("_release", "folder", "key", "without_lock")

    def __init__(
        self,
        folder: str,
        key: str,
        release: Callable[[], object] | None = None,
        without_lock: OSError | NotImplementedError | None = None,
    ) -> None:
        self.folder = folder
        self.key = key
        self.without_lock = without_lock
        self._release = release

    def close(self) -> None:
        """Let the next process have its turn. Closing it twice does nothing."""
        release, self._release = self._release, None
        if release is not None:
            release()


def await_turn(
    folder: str,
    key: str,
    *,
    force: bool = False,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], object] = time.sleep,
    patience: float = PATIENCE,
) -> Entry | Turn:
    """An entry that can be used, or the turn to renew it.

    While another process has its turn, this waits for the entry, unless there is one that can be
    used meanwhile.

    Args:
        folder: of the cache; it is fit to hold secrets.
        key: of the entry.
        force: take no entry, however good.
        clock: seconds since the epoch.
        sleep: waits that many seconds.
        patience: seconds to wait for another process; after that, this one has its turn too.
    """
    waited, poll = 0.0, _SHORTEST_POLL
    while True:
        entry = None if force else good_entry(folder, key, clock())
        if entry is not None and entry.is_fresh(clock()):
            return entry
        try:
            # The keys share 256 lock files, which stay: removing a lock file is a race.
            release = take_lock(os.path.join(folder, f"{key[:2]}.lock"))
        except (OSError, NotImplementedError) as error:
            return Turn(folder, key, without_lock=error)
        if release is not None or waited >= patience:
            return Turn(folder, key, release)
        if entry is not None and clock() < entry.mandatory:
            return entry  # another process is renewing it
        sleep(poll)
        waited, poll = waited + poll, min(poll * 1.5, _LONGEST_POLL)


def good_entry(folder: str, key: str, now: float) -> Entry | None:
    """The entry of `key` if it can be used, though it may be due."""
    entry = read_entry(folder, key)
    return entry if entry is not None and entry.is_good(now) else None


def take_flock(path: str) -> Callable[[], object] | None:
    """Take the lock on a file, made if it is missing, without waiting.

    The lock goes with its process, however that ends. A program that this one starts does not
    inherit it.

    Returns:
        What releases it; None while another process or thread holds it.

    Raises:
        OSError: the file cannot be opened, or its file system has no locks.
    """
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _HELD:
            return None
        raise

    def release() -> None:
        # Not by closing alone: a fork of this process, made meanwhile, has the file open too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    return release


def take_filelock(path: str) -> Callable[[], object] | None:
    """The same where there is no flock(2), on Windows.

    Raises:
        OSError, NotImplementedError: there can be no lock.
    """
    import filelock

    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return None
    return lock.release


NEEDS_FILELOCK: Final = sys.platform == "win32"
take_lock = take_filelock if NEEDS_FILELOCK else take_flock
