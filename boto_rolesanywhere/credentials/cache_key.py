"""The name under which a session is cached: a hash of all that decides which session it is.

The library and the command both call `entry_key`, so that they share their sessions. The command
calls it before it loads anything heavy, so nothing heavy is imported here; see `cache_entry`.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH111, PTH116, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import stat
from hashlib import sha256

from boto_rolesanywhere.settings.places import is_device, plain_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from boto_rolesanywhere.settings.config import Config

# A path may hold bytes that are no UTF-8; Python has them as lone surrogates.
_UTF8: Final = ("utf-8", "surrogateescape")
_LARGEST_FILE: Final = 4 * 1024 * 1024  # what is larger is no certificate and no key
_REGION_FIELD: Final = 3  # of an ARN: arn:aws:rolesanywhere:eu-west-1:…


def entry_key(
    *,
    trust_anchor: str,
    profile: str,
    role: str,
    identity: str,
    region: str = "",
    duration: str = "",
    session_name: str = "",
    endpoint: str = "",
    assumed: Iterable[Iterable[str | None]] = (),
) -> str:
    """The name of the entry for these inputs: 64 hexadecimal digits.

    Blanks around a text do not count, nor do zeros before the duration. Of several Regions, trust
    anchors, profiles and endpoints are separated by blanks or commas, whichever.

    Args:
        trust_anchor: the trust anchor's ARN.
        profile: the profile's ARN.
        role: the role's ARN.
        identity: the fingerprint of certificate, private key and chain.
        region: of the call; "" for the trust anchor's.
        duration: seconds in decimal digits; "" if the profile decides.
        session_name: "" if the service decides.
        endpoint: the URL of an endpoint other than AWS's own; "" for AWS's own.
        assumed: the roles that are assumed with the session, each as texts.
    """
    anchor, seconds = _listed(trust_anchor), duration.strip()
    inputs = (
        anchor,
        _listed(profile),
        role.strip(),
        region.strip() or "".join(anchor.split(":")[_REGION_FIELD : _REGION_FIELD + 1]),
        identity,
        seconds.lstrip("0") if seconds.isdecimal() else seconds,
        session_name.strip(),
        _listed(endpoint),
        *(_digest((text or "").encode(*_UTF8) for text in role) for role in assumed),
    )
    return _digest(text.encode(*_UTF8) for text in inputs)


def key_of(
    config: Config,
    contents: Iterable[bytes | str | None],
    endpoint: str,
    cached_as: str | None = None,
) -> str:
    """The key of the session of `config`.

    Args:
        config: what is asked for.
        contents: of certificate, private key and chain, as `fingerprint` takes them.
        endpoint: as in `entry_key`.
        cached_as: in place of the fingerprint of `contents`.
    """
    return entry_key(
        trust_anchor=" ".join(str(each.trust_anchor) for each in config.regions),
        profile=" ".join(str(each.profile) for each in config.regions),
        role=str(config.role),
        identity=cached_as or fingerprint(contents, config.sources.pkcs11_module or ""),
        region=config.region,
        duration=str(config.duration or ""),
        session_name=config.session_name or "",
        endpoint=endpoint,
        assumed=config.assumed,
    )


def _listed(text: str) -> str:
    return " ".join(text.replace(",", " ").split())


def fingerprint(parts: Iterable[bytes | str | None], module: str = "") -> str:
    """The fingerprint of certificate, private key and chain, in this order.

    All three count, since a file may hold several certificates, and the key decides which of them
    signs.

    Args:
        parts: for each the content of its file, the URI of a token's or TPM's object, or None.
        module: the PKCS #11 library, which counts beside a URI.
    """
    listed = [b"" if part is None else part for part in parts]
    texts = [part for part in listed if isinstance(part, str)]
    kinds = "".join("u" if isinstance(part, str) else "b" for part in listed)
    contents = [part.encode(*_UTF8) if isinstance(part, str) else part for part in listed]
    return _digest([kinds.encode(), *contents, (module if texts else "").encode(*_UTF8)])


def fingerprint_places(places: Iterable[str], module: str = "") -> str | None:
    """The fingerprint of the contents of these places; None if a file cannot be read.

    What a URI names on a token or TPM is not looked at: a certificate that was replaced there
    counts when the old session has ended.

    Args:
        places: of certificate, private key and chain: a path, a URI, or "" for none.
        module: the PKCS #11 library.
    """
    parts: list[bytes | str | None] = []
    for place in places:
        part = _part(place) if place else None
        if part is None and place:
            return None
        parts.append(part)
    return fingerprint(parts, module)


def fingerprint_store(
    contents: Mapping[str, bytes | None] | str, selector: str, module: str = "", *, latest: bool
) -> str:
    """The fingerprint of a certificate, with its key, that a selector chooses from a store.

    It takes cryptography to tell which certificate that is, so everything in the store counts.

    Args:
        contents: what `read_folder` gave, or the URI of a token.
        selector: the text, or the content of the file with it.
        module: the PKCS #11 library.
        latest: whether the certificate that expires last is taken.
    """
    if isinstance(contents, str):
        inside = fingerprint([contents], module)
    else:
        inside = _digest(
            part
            for name in sorted(contents)
            for part in (name.encode(*_UTF8), contents[name] or b"")
        )
    return _digest(text.encode(*_UTF8) for text in ("store", inside, selector, str(latest)))


def read_folder(path: str) -> dict[str, bytes | None] | None:
    """The regular files of a folder by their names, None for one that cannot be read.

    Returns:
        None if there is no such folder.
    """
    try:
        folder = os.path.expanduser(path)
        return {name: read_file(os.path.join(folder, name)) for name in os.listdir(folder)}
    except (OSError, ValueError):
        return None


def read_file(path: str) -> bytes | None:
    """The bytes of a regular file; None if it cannot be read, or is too large."""
    try:
        path = os.path.expanduser(path)
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would hold us up
            return None
        with open(path, "rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= _LARGEST_FILE else None


def _part(place: str) -> bytes | str | None:
    return plain_place(place) if is_device(place) else read_file(place)


def _digest(parts: Iterable[bytes]) -> str:
    digest = sha256()
    for part in parts:
        # The lengths keep ("ab", "c") and ("a", "bc") apart.
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()
