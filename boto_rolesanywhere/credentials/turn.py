"""Whose turn it is to renew a session that processes share, and how the others wait.

Of many processes that start at once on an empty cache, one renews the session and the rest wait
here. So nothing heavy is imported: see `cache_entry`.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import errno
import os
import sys
import time

from .cache_entry import Entry, read_entry
from .failure_mark import FailureMark, read_mark
from .moment import Moment, present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

# Seconds. A call takes 60 at most: a process that holds the lock for longer hangs or is suspended,
# or somebody has to touch the key's device. One of those who wait calls in its place.
PATIENCE: Final = 75.0
# Seconds that a process waits for a renewal while the session that it has is good.
_LONGEST_WAIT: Final = 5.0
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
    clock: Callable[[], Moment] = present,
    sleep: Callable[[float], object] = time.sleep,
    patience: float = PATIENCE,
) -> Entry | FailureMark | Turn:
    """An entry that can be used, the failure that all share, or the turn to renew the entry.

    While another process has its turn, this waits for what comes of it. An entry that can be used
    meanwhile is given at once, or after 5 seconds if it is about to end.

    Args:
        folder: of the cache; it is fit to hold secrets.
        key: of the entry.
        force: take no entry, however good, and no other's failure.
        clock: gives the present.
        sleep: waits that many seconds.
        patience: seconds that another process may hold the lock; after that one of those who wait
            has its turn, and after as many again everyone.
    """
    came, waited, poll = clock().wall, 0.0, _SHORTEST_POLL
    while True:
        now = clock()
        if not force and (outcome := _outcome(folder, key, now, came)):
            return outcome
        try:
            release = _take_one(folder, key, now.wall, waited, patience)
        except (OSError, NotImplementedError) as error:
            return Turn(folder, key, without_lock=error)
        if release is not None:
            # Another process may have had its turn between the look and the lock.
            if not force and (outcome := _outcome(folder, key, clock(), came)):
                release()
                return outcome
            return Turn(folder, key, release)
        entry = None if force else good_entry(folder, key, now)
        if entry is not None and (not entry.is_at_its_end(now) or waited >= _LONGEST_WAIT):
            return entry  # another process is renewing it
        if waited >= 2 * patience:
            return Turn(folder, key)
        sleep(poll)
        waited, poll = waited + poll, min(poll * 1.5, _LONGEST_POLL)


def _outcome(folder: str, key: str, now: Moment, came: float) -> Entry | FailureMark | None:
    """What there is to go on with, without a turn; None if it is time to renew."""
    entry = good_entry(folder, key, now)
    if entry is not None and entry.is_fresh(now):
        return entry
    mark = read_mark(folder, key)
    if mark is not None and mark.counts(now.wall, came, good=entry is not None):
        return entry or mark  # a failure never hides credentials
    return None


def _take_one(
    folder: str, key: str, now: float, waited: float, patience: float
) -> Callable[[], object] | None:
    """Take the lock; or a second one, if whoever holds the first has held it for too long."""
    # The keys share 256 lock files, which stay: removing a lock file is a race.
    path = os.path.join(folder, f"{key[:2]}.lock")
    release = take_lock(path)
    if release is not None:
        _note_time(path, now)
        return release
    # Those who come late need not wait as long again. The first 5 seconds are for a holder who has
    # had the lock for a moment only and not noted it yet.
    late = waited >= _LONGEST_WAIT and now - os.stat(path).st_mtime >= patience
    second = os.path.join(folder, f"{key[:2]}.second.lock")
    return take_lock(second) if late or waited >= patience else None


def _note_time(path: str, now: float) -> None:
    """Note in a lock's file when it was taken."""
    try:
        os.utime(path, (now, now))
    except OSError:  # then those who come late wait as long as the others
        return


def good_entry(folder: str, key: str, now: Moment) -> Entry | None:
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
