"""``credential-process`` when the answer is in the cache: found with a few small modules alone.

An SDK starts the command anew for each program that it runs, so this is most of what the command
ever does. Whatever is not plain (help, mistakes, renewals) is left to `credential_process`.
"""

from __future__ import annotations

import time

from boto_rolesanywhere.credentials.cache_entry import cache_folder, read_entry
from boto_rolesanywhere.credentials.cache_key import (
    entry_key,
    fingerprint,
    fingerprint_file,
    fingerprint_folder,
)
from boto_rolesanywhere.settings.names import (
    CERTIFICATE,
    DURATION,
    ENDPOINT_URL,
    PKCS11_MODULE,
    PROFILE,
    REGION,
    REQUIRED,
    ROLE,
    SESSION_NAME,
    TRUST_ANCHOR,
    gather,
)
from boto_rolesanywhere.settings.profile_reader import configured_endpoint, read_profile

from .flag_table import (
    CONFIG_PROFILE,
    LATEST,
    SELECTOR,
    STORE,
    as_arguments,
    conflict,
    read_plainly,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

    from boto_rolesanywhere.settings.names import Found, Setting

CACHE_DIR: Final = "--cache-dir"
NO_CACHE: Final = "--no-cache"
FORCE: Final = "--force-refresh"
OWN_FLAGS: Final = {CACHE_DIR: True, NO_CACHE: False, FORCE: False}
# With these there is something to do besides printing.
_NOT_PLAIN: Final = (NO_CACHE, FORCE, "--debug")
_REGION_FIELD: Final = 3  # of an ARN: arn:aws:rolesanywhere:eu-west-1:…


def cached_answer(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What the command prints, if a session is cached that needs no renewal; else None."""
    given = read_plainly(argv, OWN_FLAGS)
    if given is None or any(flag in given for flag in _NOT_PLAIN) or conflict(given):
        return None
    key = key_of_flags(given, environ)
    folder = cache_folder(environ, given.get(CACHE_DIR))
    entry = read_entry(folder, key) if key and folder else None
    return f"{entry.answer}\n" if entry is not None and entry.is_fresh(time.time()) else None


def key_of_flags(given: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """The key of the session that these flags ask for; None if they do not tell, or wrongly.

    Args:
        given: flag → value, as `read_plainly` gives them.
        environ: the environment.
    """
    name = given.get(CONFIG_PROFILE)
    section = read_profile(name, environ) if name else {}
    if section is None:
        return None
    found = gather(as_arguments(given), environ, section)
    certificate = _fingerprint(given, found)
    if certificate is None or any(one not in found for one in REQUIRED if one is not CERTIFICATE):
        return None
    anchor, duration = _text(found, TRUST_ANCHOR), _text(found, DURATION)
    fields = anchor.split(":")
    return entry_key(
        trust_anchor=anchor,
        profile=_text(found, PROFILE),
        role=_text(found, ROLE),
        region=_text(found, REGION) or "".join(fields[_REGION_FIELD : _REGION_FIELD + 1]),
        certificate=certificate,
        # As `config` reads it: 0900 is 900.
        duration=duration.lstrip("0") if duration.isdecimal() else duration,
        session_name=_text(found, SESSION_NAME),
        endpoint=_text(found, ENDPOINT_URL) or configured_endpoint(name, environ),
    )


def _fingerprint(given: Mapping[str, str], found: Mapping[Setting, Found]) -> str | None:
    module = _text(found, PKCS11_MODULE)
    selector = given.get(SELECTOR)
    if not selector:
        certificate = _text(found, CERTIFICATE)
        return fingerprint(certificate, module) if certificate else None
    # Which certificate that is, takes cryptography to tell: all that it is chosen from counts.
    store = given.get(STORE, "")
    inside = (
        fingerprint(store, module) if store[:7].lower() == "pkcs11:" else fingerprint_folder(store)
    )
    path = selector.removeprefix("file://")
    wanted = selector if path == selector else fingerprint_file(path)
    return f"{inside} {wanted} {LATEST in given}" if inside and wanted else None


def _text(found: Mapping[Setting, Found], setting: Setting) -> str:
    value = found[setting].value if setting in found else ""
    return value.strip() if isinstance(value, str) else ""
