"""``credential-process`` when the answer is in the cache: it loads a few small modules alone.

SDKs start the command anew for each program, so this path runs most often. A process that waits
for another one to renew the session does so here, too. `credential_process` does the rest: help,
mistakes, renewals.
"""

from __future__ import annotations

from boto_rolesanywhere.credentials.cache_entry import Entry, read_entry
from boto_rolesanywhere.credentials.cache_key import (
    entry_key,
    fingerprint_places,
    fingerprint_store,
    read_file,
    read_folder,
)
from boto_rolesanywhere.credentials.moment import present
from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.cache_folder import cache_folder, is_own_folder
from boto_rolesanywhere.settings.names import gather
from boto_rolesanywhere.settings.places import TOKEN, kind_of, plain_place
from boto_rolesanywhere.settings.profile_reader import (
    configured_endpoint,
    read_merged_profile,
)

from .flag_table import (
    CONFIG_PROFILE,
    LATEST,
    NO_VERIFY,
    SELECTOR,
    STORE,
    conflict,
    read_plainly,
    settings_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

    from boto_rolesanywhere.credentials.failure_mark import FailureMark
    from boto_rolesanywhere.credentials.turn import Turn
    from boto_rolesanywhere.settings.names import Found, Setting
    from boto_rolesanywhere.settings.role_chain import AssumedRole

CACHE_DIR: Final = "--cache-dir"
NO_CACHE: Final = "--no-cache"
FORCE: Final = "--force-refresh"
OWN_FLAGS: Final = {CACHE_DIR: True, NO_CACHE: False, FORCE: False}
# With these the command does something besides printing, or must not use the cache.
_NOT_PLAIN: Final = (NO_CACHE, FORCE, NO_VERIFY, "--debug")
_FILE: Final = "file://"


def cached_answer(
    argv: Sequence[str], environ: Mapping[str, str]
) -> str | FailureMark | Turn | None:
    """What the command prints if a session is cached and needs no renewal yet.

    Returns:
        Else the failure that another process met just now, or the turn to renew the session, which
        the caller has to end; None if the command does something besides renewing it.
    """
    flags = read_plainly(argv, OWN_FLAGS)
    if flags is None or any(flag in flags for flag in _NOT_PLAIN) or conflict(flags):
        return None
    key = key_of_flags(flags, environ)
    folder = cache_folder(environ, flags.get(CACHE_DIR))
    if not key or not folder:
        return None
    entry = read_entry(folder, key)
    if entry is None or not entry.is_fresh(present()):
        found = _renewed_or_turn(folder, key)
        if not isinstance(found, Entry):
            return found
        entry = found
    return f"{entry.answer}\n"


def _renewed_or_turn(folder: str, key: str) -> Entry | FailureMark | Turn | None:
    from boto_rolesanywhere.atomic_file import make_private_folder
    from boto_rolesanywhere.credentials.turn import NEEDS_FILELOCK, await_turn

    if NEEDS_FILELOCK:
        return None
    try:
        make_private_folder(folder)
    except OSError:  # `credential_process` finds out again, and says so
        return None
    return await_turn(folder, key) if is_own_folder(folder) else None


def key_of_flags(flags: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """The key of the session that these flags ask for.

    None if the session is not cached: a setting is missing or wrong.
    """
    name = flags.get(CONFIG_PROFILE)
    section = read_merged_profile(name, environ) if name else {}
    if section is None:
        return None
    chosen = settings_of(flags, environ)
    assumed: tuple[AssumedRole, ...] = ()
    if name and "role_arn" in section and not any(core.flag in chosen for core in names.CORE):
        chained = _chained(name, environ)
        if chained is None:
            return None
        of_source, assumed, seen = chained
        found = gather({}, seen, of_source, flags=chosen)
    else:
        found = gather({}, environ, section, flags=chosen)
    identity = _identity(flags, found)
    endpoint = _text(found, names.ENDPOINT_URL) or configured_endpoint(name, environ)
    complete = all(
        setting in found for setting in names.REQUIRED if setting is not names.CERTIFICATE
    )
    if identity is None or endpoint is None or not complete:
        return None
    return entry_key(
        trust_anchor=_text(found, names.TRUST_ANCHOR),
        profile=_text(found, names.PROFILE),
        role=_text(found, names.ROLE),
        identity=identity,
        region=_text(found, names.REGION),
        duration=_text(found, names.DURATION),
        session_name=_text(found, names.SESSION_NAME),
        endpoint=endpoint,
        assumed=assumed,
    )


def _chained(
    name: str, environ: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[AssumedRole, ...], Mapping[str, str]] | None:
    """For a profile that assumes roles: the source's section, the roles, and its environment."""
    from boto_rolesanywhere.settings.role_chain import chain_of, environ_of_source, has_settings

    chain = chain_of(lambda source: read_merged_profile(source, environ), name)
    section = read_merged_profile(chain.source, environ) if chain else None
    if chain is None or section is None or not has_settings(section):
        return None
    return section, chain.roles, environ_of_source(environ)


def store_contents(flags: Mapping[str, str]) -> dict[str, bytes | None] | str | None:
    """What the store's folder holds, or the URI of its token; None if it cannot be read."""
    store = flags.get(STORE, "")
    return plain_place(store) if kind_of(store) == TOKEN else read_folder(store)


def store_fingerprint(
    flags: Mapping[str, str], contents: Mapping[str, bytes | None] | str, module: str = ""
) -> str | None:
    """The fingerprint of what these flags choose from a store; None if there is no selector."""
    wanted: str | bytes | None = flags.get(SELECTOR, "")
    if isinstance(wanted, str) and wanted.startswith(_FILE):
        content = read_file(wanted.removeprefix(_FILE))
        wanted = content.decode("utf-8", "surrogateescape") if content is not None else None
    if not isinstance(wanted, str):
        return None
    return fingerprint_store(contents, wanted, module, latest=LATEST in flags)


def _identity(flags: Mapping[str, str], found: Mapping[Setting, Found]) -> str | None:
    module = _text(found, names.PKCS11_MODULE)
    if not flags.get(SELECTOR):
        if names.CERTIFICATE not in found:
            return None
        places = (
            _place(found, setting)
            for setting in (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN)
        )
        return fingerprint_places(places, module)
    contents = store_contents(flags)
    return None if contents is None else store_fingerprint(flags, contents, module)


def _place(found: Mapping[Setting, Found], setting: Setting) -> str:
    value = found[setting].value if setting in found else ""
    return value if isinstance(value, str) else ""


def _text(found: Mapping[Setting, Found], setting: Setting) -> str:
    return _place(found, setting).strip()
