"""Sessions shared by all processes of a user: who renews, who waits, what is kept on failure.

How a session lies in its file is in `cache_entry`, under which name in `cache_key`. What a renewal
does is given from outside. Only who renews needs botocore: of many processes that start at once,
one loads it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import TEMPORARY_SUFFIX, write_atomically
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.profile_reader import configured_endpoint

from .cache_entry import FOLDER_VARIABLE, SUFFIX, Entry, cache_folder, is_own_folder, read_entry
from .cache_key import entry_key, fingerprint, fingerprint_bytes
from .session_value import RolesAnywhereSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from boto_rolesanywhere.errors import RolesAnywhereError
    from boto_rolesanywhere.settings.config import Config

logger = logger_of(__name__)

# Longer than a CreateSession takes with its time-outs, as a rule: whoever holds the lock for longer
# hangs, and is not waited for.
_PATIENCE: Final = 60.0
# Between looks: at first often, then seldom, since many may be waiting on few processors.
_SHORTEST_POLL: Final = 0.02
_LONGEST_POLL: Final = 0.25
_LONGEST_PAUSE: Final = 60.0
# A process that was killed while it wrote leaves its temporary file; one that writes needs no time.
_STALE: Final = 600.0
# Of a session, what the answer to credential_process does not hold.
_DETAILS: Final = (
    "role_arn",
    "assumed_role_arn",
    "assumed_role_id",
    "subject_arn",
    "source_identity",
    "packed_policy_size",
)
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class SessionCache:
    """The sessions in one folder.

    An entry that is due is renewed by one process while the others go on with it; one that is
    about to end, or is not there, is waited for. The rule is that of `RefreshWindows`, by the age
    on this machine's clock: so it holds where that clock is wrong.

    Safe to use from several threads and processes at once.
    """

    def __init__(
        self,
        folder: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        patience: float = _PATIENCE,
    ) -> None:
        """Touch nothing yet.

        Args:
            folder: made with mode 0700 when it is first needed.
            clock: seconds since the epoch.
            sleep: waits that many seconds.
            patience: seconds to wait for another process's renewal.

        Raises:
            ConfigurationError: `filelock` is not installed.
        """
        _require_filelock()
        self._folder = Path(folder)
        self._clock = clock
        self._sleep = sleep
        self._patience = patience

    def get(
        self, key: str, create: Callable[[], RolesAnywhereSession], *, force: bool = False
    ) -> Entry:
        """The entry of `key`, renewed if it is time.

        Args:
            key: what `entry_key` gave.
            create: makes a session; raises `RolesAnywhereError`.
            force: renew it in any case, and fail if that fails.

        Raises:
            RolesAnywhereError: what `create` raised, when there is no good session to go on with.
        """
        if not force and (entry := self._good(key)) and entry.is_fresh(self._clock()):
            return entry
        if not self._prepare_folder():
            return self._renewed(key, create)
        waited, poll = 0.0, _SHORTEST_POLL
        while True:
            entry = None if force else self._good(key)
            if entry is not None and entry.is_fresh(self._clock()):
                return entry
            with self._try_lock(key) as locked:
                # Also without the lock, when whoever holds it does not come to an end.
                if locked or waited >= self._patience:
                    return self._renew(key, create, force=force)
            if entry is not None and self._clock() < entry.mandatory:
                return entry  # another process is renewing it
            self._sleep(poll)
            waited, poll = waited + poll, min(poll * 1.5, _LONGEST_POLL)

    def _good(self, key: str) -> Entry | None:
        entry = read_entry(str(self._folder), key)
        return entry if entry is not None and entry.is_good(self._clock()) else None

    def _renew(self, key: str, create: Callable[[], RolesAnywhereSession], *, force: bool) -> Entry:
        from boto_rolesanywhere.errors import RolesAnywhereError

        # Somebody may have renewed it between the look and the lock.
        entry = None if force else self._good(key)
        if entry is not None and entry.is_fresh(self._clock()):
            return entry
        try:
            renewed = self._renewed(key, create)
        except RolesAnywhereError as error:
            if entry is None:
                raise
            self._postpone(entry, error)
            return entry
        self._store(renewed)
        self._prune()
        return renewed

    def _renewed(self, key: str, create: Callable[[], RolesAnywhereSession]) -> Entry:
        started = self._clock()  # its life began when the service answered, at the latest now
        return to_entry(key, create(), started)

    def _postpone(self, entry: Entry, error: RolesAnywhereError) -> None:
        """Let nobody try again at once. Shorter as the end draws near: a tenth of what is left."""
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
        """Make the folder, and see that it is fit to hold secrets."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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

    @contextmanager
    def _try_lock(self, key: str) -> Iterator[bool]:
        """Whether this caller is the one to renew. Does not wait."""
        import filelock

        # One of 256 files, not one a key: lock files cannot be cleared away without a race.
        lock = filelock.FileLock(self._folder / f"{key[:2]}.lock", mode=0o600)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            yield False
            return
        except (OSError, NotImplementedError) as error:
            # A file system without locks: a call too many is better than no credentials.
            logger.warning("Sessions in %s are renewed without a lock: %s", self._folder, error)
            yield True
            return
        try:
            yield True
        finally:
            lock.release()

    def _prune(self) -> None:
        """Remove sessions that ended, and what killed processes left."""
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

    # Without jitter: that spreads programs that were started together, and these share one entry.
    # SDKs that renew 15 minutes before the end, as botocore does, so get a new session at once.
    windows = RefreshWindows.for_lifetime(session.lifetime, jitter=0)
    ages = (0.0, windows.advisory, windows.mandatory, windows.expiry)
    at_received, advisory, mandatory, expiry = (received + age for age in ages)
    return Entry(
        key,
        (at_received, advisory, mandatory, expiry),
        answer=credential_process_answer(session),
        details=json.dumps({name: getattr(session, name) for name in _DETAILS}),
    )


def to_session(entry: Entry, now: float) -> RolesAnywhereSession:
    """The session that was cached.

    Its `issued_at` is put as long before its end as the session still lives by this machine's
    clock: so its `lifetime` is what is left of it.
    """
    answer = json.loads(entry.answer)
    expiration = datetime.strptime(answer["Expiration"], _TIME).replace(tzinfo=timezone.utc)
    return RolesAnywhereSession(
        access_key_id=answer["AccessKeyId"],
        secret_access_key=answer["SecretAccessKey"],
        session_token=answer["SessionToken"],
        expiration=expiration,
        issued_at=expiration - timedelta(seconds=entry.expiry - now),
        **json.loads(entry.details),
    )


def credential_process_answer(session: RolesAnywhereSession) -> str:
    """The JSON that an SDK expects of a ``credential_process``, in one line."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expiration.strftime(_TIME),
        }
    )


def cached(
    create: Callable[[], RolesAnywhereSession],
    config: Config,
    folder: bool | str | os.PathLike[str],
    *,
    profile: str | None = None,
) -> Callable[[], RolesAnywhereSession]:
    """`create`, sharing its sessions with the other processes of this user.

    Args:
        create: calls CreateSession for `config`.
        config: whose inputs tell one session from another.
        folder: where to keep them; True for the user's cache folder.
        profile: of the config file, from which botocore may take an endpoint; None for that of the
            environment.

    Raises:
        ConfigurationError: `filelock` is not installed, the user has no home, or `folder` is none.
    """
    from boto_rolesanywhere.errors import ConfigurationError

    if not isinstance(folder, bool | str | os.PathLike):
        raise ConfigurationError(
            f"it is a {type(folder).__name__}",
            where="argument cache",
            expected="True, False or a folder's path",
        )
    chosen = None if isinstance(folder, bool) else os.fspath(folder)
    place = cache_folder(os.environ, chosen)
    if place is None:
        raise ConfigurationError(
            "this user has no home folder to cache sessions in",
            where="argument cache",
            remedy=f"Pass a folder as cache=, or set {FOLDER_VARIABLE}.",
        )
    cache = SessionCache(place)

    def get() -> RolesAnywhereSession:
        # Worked out each time: the certificate's file may have been replaced.
        key = key_of(config, os.environ, profile)
        return create() if key is None else to_session(cache.get(key, create), time.time())

    return get


def key_of(config: Config, environ: Mapping[str, str], profile: str | None = None) -> str | None:
    """The key of `config`'s session; None if its certificate cannot be read."""
    certificate = _fingerprint_of(config)
    if certificate is None:
        return None
    return entry_key(
        trust_anchor=str(config.trust_anchor),
        profile=str(config.profile),
        role=str(config.role),
        region=config.region,
        certificate=certificate,
        duration=str(config.duration or ""),
        session_name=config.session_name or "",
        endpoint=config.endpoint_url or configured_endpoint(profile, environ),
    )


def _fingerprint_of(config: Config) -> str | None:
    source = config.sources.certificate
    if isinstance(source, str | os.PathLike):
        return fingerprint(os.fspath(source), config.sources.pkcs11_module)
    if isinstance(source, bytes | bytearray | memoryview):
        return fingerprint_bytes(bytes(source))
    from cryptography.hazmat.primitives.serialization import Encoding

    return fingerprint_bytes(source.public_bytes(Encoding.DER))


def _require_filelock() -> None:
    try:
        import filelock  # noqa: F401  # only whether it is there
    except ImportError:
        from boto_rolesanywhere.errors import ConfigurationError

        raise ConfigurationError(
            "caching sessions needs the package filelock, which is not installed",
            remedy="Install it: pip install 'boto_rolesanywhere[cache]'.",
        ) from None
