"""Sessions shared by all processes of a user: who renews, and what is kept on failure.

`cache_entry` says how a session lies in its file, `cache_key` under which name, `turn` who renews
it and who waits. The caller says how a session is made. Only the process that renews needs
botocore: of many processes that start at once, one loads it.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import TEMPORARY_SUFFIX, make_private_folder, write_atomically
from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.cache_folder import FOLDER_VARIABLE, cache_folder, is_own_folder

from . import cache_entry, failure_mark
from .cache_entry import Entry, read_entry
from .cached_session import to_entry, to_received
from .failure_mark import FailureMark, read_mark
from .marked_error import SHARED, to_error, to_mark
from .moment import Moment, present
from .policy import next_pause
from .turn import NEEDS_FILELOCK, PATIENCE, Turn, await_turn, good_entry, take_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session_value import RolesAnywhereSession
    from .state import Received


logger = logger_of(__name__)

# Seconds between two questions of a program while another process renews.
_MEANWHILE: Final = 1.0
# Seconds. Writing takes next to none: an older temporary file is that of a killed process.
_STALE: Final = 600.0
# For a second, which is long for a comparison and a small file.
_STORING_TRIES: Final = 20
_STORING_POLL: Final = 0.05


class Created(NamedTuple):
    """A session, and the key that stands for what it was made with.

    Attributes:
        session: what CreateSession gave.
        key: of the certificate that signed, the settings and the endpoint of the call.
    """

    session: RolesAnywhereSession
    key: str

    def __repr__(self) -> str:
        return f"<Created {self.key[:8]}…>"


class SessionCache:
    """The sessions in one folder.

    When an entry is due, one process renews it while the others go on using it. When an entry is
    missing or about to end, the others wait for the renewal. `RefreshWindows` has the times, which
    count from when this machine received the session: so they hold where its clock is wrong.

    A call that failed leaves a mark beside the entry. Until its pause is over nobody calls: they
    use the entry if it is good, else they fail alike.

    A session is stored under the key that was asked for, or not at all: if files or settings
    changed since the key was worked out, it belongs to another key.

    Safe to use from several threads and processes at once.
    """

    def __init__(
        self,
        folder: str,
        *,
        clock: Callable[[], Moment] = present,
        sleep: Callable[[float], object] = time.sleep,
        patience: float = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Touch nothing yet.

        Args:
            folder: made with mode 0700 when it is first needed.
            clock: gives the present.
            sleep: waits that many seconds.
            patience: seconds to wait for another process's renewal.
            jitter: a random number from 0 to 1.

        Raises:
            ConfigurationError: `filelock` is not installed, which Windows needs.
        """
        _require_lock()
        self.folder = folder
        self._folder = Path(folder)
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._jitter = jitter

    def get(
        self,
        key: str,
        create: Callable[[], Created],
        *,
        force: bool = False,
        turn: Turn | None = None,
    ) -> Entry:
        """The entry of `key`, renewed if it is time.

        Args:
            key: what `entry_key` gave.
            create: makes a session; raises `RolesAnywhereError`.
            force: renew it even if it is fresh or a call has just failed, and fail if that fails.
            turn: the turn to renew it, if the caller has it already; it ends here.

        Raises:
            RolesAnywhereError: what `create` raised, here or in another process, when there is no
                good session to go on with.
        """
        if turn is not None:
            if (turn.folder, turn.key) == (str(self._folder), key):
                return self._take(turn, create, force=force)
            turn.close()  # a file was replaced meanwhile: it is another session's
        if not force and (entry := self._good(key)) and entry.is_fresh(self._clock()):
            return entry
        if not self._prepare_folder():
            return self._renewed(create)
        found = await_turn(
            str(self._folder),
            key,
            force=force,
            clock=self._clock,
            sleep=self._sleep,
            patience=self._patience,
        )
        if isinstance(found, FailureMark):
            raise to_error(found, self._clock().wall)
        return found if isinstance(found, Entry) else self._take(found, create, force=force)

    def received(self, key: str, create: Callable[[], Created]) -> Received:
        """The session of `key`, for a program that keeps it and renews it in time.

        The arguments are those of `get`.

        Raises:
            RolesAnywhereError: as `get`.
        """
        entry = self.get(key, create)
        received = to_received(entry, self._clock(), self._due_in(entry))
        if received is None:  # no version of this package wrote the entry
            entry = self.get(key, create, force=True)
            received = to_received(entry, self._clock(), 0.0)
        if received is None:
            raise AssertionError  # it was made just now
        return received

    def _due_in(self, entry: Entry) -> float:
        """Seconds until it is worth while to ask for another entry, though this one may be due."""
        now = self._clock()
        if entry.is_fresh(now):
            return 0.0
        mark = read_mark(str(self._folder), entry.key)
        failed = mark is not None and mark.counts(now.wall, now.wall, good=True)
        return mark.until - now.wall if mark and failed else _MEANWHILE

    def _good(self, key: str) -> Entry | None:
        return good_entry(str(self._folder), key, self._clock())

    def _take(self, turn: Turn, create: Callable[[], Created], *, force: bool) -> Entry:
        with closing(turn):
            if turn.without_lock is not None:
                # A call too many is better than no credentials.
                logger.warning(
                    "Sessions in %s are renewed without a lock: %s",
                    self._folder,
                    turn.without_lock,
                )
            return self._renew(turn.key, create, force=force)

    def _renew(self, key: str, create: Callable[[], Created], *, force: bool) -> Entry:
        try:
            renewed = self._renewed(create)
        except RolesAnywhereError as error:
            entry = self._good(key)
            pause = self._mark(key, error, entry)
            if force or entry is None:
                raise
            logger.warning(
                "The session was not renewed; the cached one is used, which ends in %s."
                " Next try in %s. %s",
                in_words(self._left(entry)),
                in_words(pause),
                error,
            )
            return entry
        if renewed.key != key:
            logger.debug("Not cached: files or settings changed before the session was made")
            return renewed
        self._store(renewed)
        self._prune()
        return renewed

    def _renewed(self, create: Callable[[], Created]) -> Entry:
        started = self._clock()  # the session's life begins later, when the service answers
        created = create()
        return to_entry(created.key, created.session, started, self._jitter())

    def _mark(self, key: str, error: RolesAnywhereError, entry: Entry | None) -> float:
        """Tell the other processes of a failure; gives the seconds until the next try."""
        now = self._clock().wall
        before = read_mark(str(self._folder), key)
        row = before.next_row(now) if before is not None else 1
        left = self._left(entry) if entry is not None else None
        pause = next_pause(error, row, left, self._jitter)
        if entry is not None or isinstance(error, SHARED):
            mark = to_mark(key, error, (now, now + pause), row)
            try:
                write_atomically(self._folder / (key + failure_mark.SUFFIX), mark.to_bytes())
            except OSError as cause:
                logger.warning("A failure is not shared in %s: %s", self._folder, cause.strerror)
        return pause

    def _left(self, entry: Entry) -> float:
        return entry.expiry - entry.received - entry.age(self._clock())

    def _store(self, entry: Entry) -> None:
        """Keep the entry, unless another process has stored a later one.

        That happens if this process was suspended, and another one called in its place.
        """
        release = self._begin_storing(entry.key)
        if release is None:
            logger.warning("The session was not cached: another process is storing one")
            return
        try:
            held = self._good(entry.key)
            if held is None or not held.is_later_than(entry):
                self._write(entry)
        finally:
            release()

    def _begin_storing(self, key: str) -> Callable[[], object] | None:
        """Take the lock that is held to compare and write; gives what releases it.

        None if another process has it for a second: it was suspended, and what it then writes must
        not replace a later entry.
        """
        path = str(self._folder / f"{key[:2]}.store.lock")
        for _ in range(_STORING_TRIES):
            try:
                release = take_lock(path)
            except (OSError, NotImplementedError):
                return lambda: None  # a file system without locks, as `turn` has warned
            if release is not None:
                return release
            self._sleep(_STORING_POLL)
        return None

    def _write(self, entry: Entry) -> None:
        try:
            path = self._folder / (entry.key + cache_entry.SUFFIX)
            write_atomically(path, entry.to_bytes())
        except OSError as error:
            logger.warning("The session was not cached in %s: %s", self._folder, error.strerror)
        with suppress(OSError):
            (self._folder / (entry.key + failure_mark.SUFFIX)).unlink(missing_ok=True)

    def _prepare_folder(self) -> bool:
        """Make the folder if it is missing, and say whether it is fit to hold secrets."""
        try:
            make_private_folder(self._folder)
        except OSError as error:
            reason = error.strerror
        else:
            if is_own_folder(str(self._folder)):
                return True
            reason = "it must be a folder of this user, mode 0700, and not a link"
        logger.warning(
            "No session is cached in %s: %s. Correct that, or choose another folder, for example in"
            " %s.",
            self._folder,
            reason,
            FOLDER_VARIABLE,
        )
        return False

    def _prune(self) -> None:
        """Remove what is over: sessions, failures, temporary files of killed processes."""
        with suppress(OSError):
            for path in self._folder.iterdir():
                if self._is_over(path):
                    path.unlink(missing_ok=True)

    def _is_over(self, path: Path) -> bool:
        if path.suffix == cache_entry.SUFFIX:
            entry = read_entry(str(self._folder), path.stem)
            now = self._clock()
            return entry is not None and entry.expiry <= now.wall and not entry.is_good(now)
        if path.suffix == failure_mark.SUFFIX:
            mark = read_mark(str(self._folder), path.stem)
            return mark is not None and mark.is_over(self._clock().wall)
        if path.name.startswith(".") and path.suffix == TEMPORARY_SUFFIX:
            return self._clock().wall - path.lstat().st_mtime > _STALE
        return False


def open_cache(folder: bool | str | os.PathLike[str]) -> SessionCache:
    """The cache that the argument `cache` of `get_session` asks for.

    Args:
        folder: where the sessions are kept; True for the user's cache folder.

    Raises:
        ConfigurationError: the user has no home folder, `folder` is neither True nor a path, or
            `filelock` is not installed, which Windows needs.
    """
    if not isinstance(folder, bool | str | os.PathLike):
        raise ConfigurationError(
            f"it is a {type(folder).__name__}",
            code="setting-not-text",
            where="argument cache",
            expected="True, False or a folder's path",
        )
    chosen = None if isinstance(folder, bool) else os.fspath(folder)
    path = cache_folder(os.environ, chosen)
    if path is None:
        raise ConfigurationError(
            "this user has no home folder to cache sessions in",
            code="home-missing",
            where="argument cache",
            remedy=f"Name a folder (`cache`, --cache-dir), or set {FOLDER_VARIABLE}.",
        )
    return SessionCache(path)


def _require_lock() -> None:
    if NEEDS_FILELOCK and find_spec("filelock") is None:
        raise ConfigurationError(
            "caching sessions needs the package filelock on Windows, and it is not installed",
            code="package-missing",
            remedy="Install it: pip install 'boto_rolesanywhere[cache]'.",
        )
