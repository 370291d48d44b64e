"""Sessions shared by all processes of a user: who renews, and what is kept on failure.

`cache_entry` says how a session lies in its file, `cache_key` under which name, `turn` who renews
it and who waits. The caller says how a session is made. Only the process that renews needs
botocore: of many processes that start at once, one loads it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from boto_rolesanywhere.atomic_file import TEMPORARY_SUFFIX, make_private_folder, write_atomically
from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

from .cache_entry import FOLDER_VARIABLE, SUFFIX, Entry, cache_folder, is_own_folder, read_entry
from .session_value import RolesAnywhereSession, optional_value, required_word
from .turn import NEEDS_FILELOCK, PATIENCE, Turn, await_turn, good_entry

if TYPE_CHECKING:
    from collections.abc import Callable


logger = logger_of(__name__)

_LONGEST_PAUSE: Final = 60.0
# Seconds. Writing takes next to none: an older temporary file is that of a killed process.
_STALE: Final = 600.0
# What a session holds besides the answer to credential_process.
_DETAILS: Final[dict[str, type]] = {
    "role_arn": str,
    "assumed_role_arn": str,
    "assumed_role_id": str,
    "subject_arn": str,
    "source_identity": str,
    "packed_policy_size": int,
}
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


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

    A session is stored under the key that was asked for, or not at all: if files or settings
    changed since the key was worked out, it belongs to another key.

    Safe to use from several threads and processes at once.
    """

    def __init__(
        self,
        folder: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        """Touch nothing yet.

        Args:
            folder: made with mode 0700 when it is first needed.
            clock: seconds since the epoch.
            sleep: waits that many seconds.
            patience: seconds to wait for another process's renewal.

        Raises:
            ConfigurationError: `filelock` is not installed, which Windows needs.
        """
        _require_lock()
        self._folder = Path(folder)
        self._clock = clock
        self._sleep = sleep
        self._patience = patience

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
            force: renew it even if it is fresh, and fail if that fails.
            turn: the turn to renew it, if the caller has it already; it ends here.

        Raises:
            RolesAnywhereError: what `create` raised, when there is no good session to go on with.
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
        return found if isinstance(found, Entry) else self._take(found, create, force=force)

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
        # Another process may have renewed it between the look and the lock.
        entry = None if force else self._good(key)
        if entry is not None and entry.is_fresh(self._clock()):
            return entry
        try:
            renewed = self._renewed(create)
        except RolesAnywhereError as error:
            if entry is None:
                raise
            self._postpone(entry, error)
            return entry
        if renewed.key == key:
            self._store(renewed)
            self._prune()
        else:
            logger.debug("Not cached: files or settings changed before the session was made")
        return renewed

    def _renewed(self, create: Callable[[], Created]) -> Entry:
        started = self._clock()  # the session's life begins later, when the service answers
        created = create()
        return to_entry(created.key, created.session, started)

    def _postpone(self, entry: Entry, error: RolesAnywhereError) -> None:
        """Put the next try off, by a tenth of the time that is left."""
        now = self._clock()
        pause = min(max((entry.expiry - now) / 10, 1.0), _LONGEST_PAUSE)
        logger.warning(
            "The session was not renewed; the cached one is used, which ends in %.0f seconds."
            " Next try in %.0f seconds. %s",
            entry.expiry - now,
            pause,
            error,
        )
        entry.advisory = now + pause
        self._store(entry)

    def _store(self, entry: Entry) -> None:
        try:
            write_atomically(self._folder / (entry.key + SUFFIX), entry.to_bytes())
        except OSError as error:
            logger.warning("The session was not cached in %s: %s", self._folder, error.strerror)

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
        """Remove sessions that have ended, and temporary files of killed processes."""
        with suppress(OSError):
            for path in self._folder.iterdir():
                if self._is_over(path):
                    path.unlink(missing_ok=True)

    def _is_over(self, path: Path) -> bool:
        if path.suffix == SUFFIX:
            entry = read_entry(str(self._folder), path.stem)
            return entry is not None and entry.expiry <= self._clock()
        if path.name.startswith(".") and path.suffix == TEMPORARY_SUFFIX:
            return self._clock() - path.lstat().st_mtime > _STALE
        return False


def to_entry(key: str, session: RolesAnywhereSession, received: float) -> Entry:
    """`session` as it is cached.

    Args:
        key: of its inputs.
        session: what CreateSession gave.
        received: when, in seconds since the epoch by this machine's clock.
    """
    from .windows import RefreshWindows

    # Without jitter, which spreads the renewals of programs that were started together: these share
    # one entry. An SDK that asks 15 minutes before the end, as botocore does, gets a new session.
    windows = RefreshWindows.for_lifetime(session.lifetime, jitter=0)
    ages = (0.0, windows.advisory, windows.mandatory, windows.expiry)
    at_received, advisory, mandatory, expiry = (received + age for age in ages)
    return Entry(
        key,
        (at_received, advisory, mandatory, expiry),
        answer=credential_process_answer(session),
        details=json.dumps({name: getattr(session, name) for name in _DETAILS}),
    )


def to_session(entry: Entry, now: float) -> RolesAnywhereSession | None:
    """The session that was cached; None if the entry holds something else.

    Its `lifetime` is the time that is left of it by this machine's clock, so its `issued_at` is
    that long before its end. Details that this version does not know are left out.
    """
    try:
        answer, details = json.loads(entry.answer), json.loads(entry.details)
        expiration = datetime.strptime(answer["Expiration"], _TIME).replace(tzinfo=timezone.utc)
        issued_at = expiration - timedelta(seconds=entry.expiry - now)
        known: dict[str, Any] = {
            name: optional_value(details, name, kind) for name, kind in _DETAILS.items()
        }
        return RolesAnywhereSession(
            access_key_id=required_word(answer, "AccessKeyId"),
            secret_access_key=required_word(answer, "SecretAccessKey"),
            session_token=required_word(answer, "SessionToken"),
            expiration=expiration,
            issued_at=issued_at,
            **known,
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def credential_process_answer(session: RolesAnywhereSession) -> str:
    """The JSON that an SDK expects of a ``credential_process``, in one line without blanks.

    AWS's helper writes it so, and scripts cut it with sed.
    """
    answer = {
        "Version": 1,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expiration.strftime(_TIME),
    }
    if session.account_id is not None:
        answer["AccountId"] = session.account_id
    return json.dumps(answer, separators=(",", ":"))


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
            remedy=f"Pass a folder as cache=, or set {FOLDER_VARIABLE}.",
        )
    return SessionCache(path)


def _require_lock() -> None:
    if NEEDS_FILELOCK and find_spec("filelock") is None:
        raise ConfigurationError(
            "caching sessions needs the package filelock on Windows, and it is not installed",
            code="filelock-missing",
            remedy="Install it: pip install 'boto_rolesanywhere[cache]'.",
        )
