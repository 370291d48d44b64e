"""The files and the key: whether files can be read, are safe from others, and the key signs."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.settings.places import DEVICES, kind_of

from .verdict import Concern, Verdict, of_error, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from boto_rolesanywhere.identity.files.reading import Role
    from boto_rolesanywhere.identity.opening import Matched
    from boto_rolesanywhere.settings.sources import IdentitySources, Secret

    from .verdict import Check

_ROOT: Final = 0
_OTHERS_WRITE: Final = 0o022


def check_files(sources: IdentitySources) -> Check[bool]:
    """Look at each file that the settings name; True if all can be read."""
    readable = True
    places: tuple[tuple[Role, object], ...] = (
        ("certificate", sources.certificate),
        ("private key", sources.private_key),
        ("chain", sources.chain),
    )
    for role, source in places:
        if source is not None:
            verdict = _look_at(role, source, sources.secret)
            readable = readable and verdict.status != "fail"
            yield verdict
    if sources.secret is not None and sources.secret.file is not None:
        yield _look_at_passphrase(sources.secret.file)
    if sources.pkcs11_module is not None:
        yield from _look_at_module(sources.pkcs11_module)
    return readable


def _look_at(role: Role, source: object, secret: Secret | None) -> Verdict:
    from boto_rolesanywhere.identity.opening import Access, open_file

    if device := DEVICES.get(kind_of(source)):
        return Verdict("file", "ok", f"{role}: on a {device}, no file")
    if not isinstance(source, str | os.PathLike | bytes | bytearray):
        return Verdict("file", "ok", f"{role}: given as an object, no file")
    try:
        contents = open_file(source, role, Access(secret))
    except RolesAnywhereError as error:
        return of_error("file", error)
    text = f"{role}: {contents.where} holds {contents.inventory}"
    if isinstance(source, bytes | bytearray):
        return Verdict("file", "ok", text)
    path = Path(source).expanduser()
    concerns = _concerns(path) if contents.has_key else iter(())
    return summed_up("file", text, concerns, _details(path))


def _look_at_passphrase(place: str) -> Verdict:
    path = Path(os.path.expanduser(place))  # noqa: PTH111  # never fails
    if path.exists() and not path.is_file():
        # A pipe can be read once only, and has no mode that counts.
        return Verdict(
            "file",
            "ok",
            f"passphrase: {path} is not a regular file, and only the key reads it, once",
        )
    try:
        path.open("rb").close()
    except OSError as error:
        return Verdict(
            "file",
            "fail",
            f"passphrase: {path} cannot be read ({error.strerror})",
            "Correct the path, or the file's owner and mode.",
        )
    return summed_up("file", f"passphrase: {path} can be read", _concerns(path), _details(path))


def _look_at_module(place: str) -> Iterator[Verdict]:
    path = Path(place)
    if path.is_absolute():  # the loader looks up a bare name
        if path.is_file():
            yield Verdict("file", "ok", f"PKCS#11 module: {path}")
        else:
            remedy = "Name the library's file, or leave it out to use p11-kit's."
            yield Verdict("file", "fail", f"PKCS#11 module: {path} is not there", remedy)


def _concerns(path: Path) -> Iterator[Concern]:
    """Whether other users may read or replace the secret file."""
    from boto_rolesanywhere.identity.files.reading import excess

    if os.name != "posix":
        return  # modes say nothing there
    file = path.resolve()
    facts = file.stat()
    mode = stat.S_IMODE(facts.st_mode)
    if others := excess(facts, os.geteuid()):
        verb = "read" if others & 0o044 else "write"
        yield Concern(
            "warn",
            f"other users may {verb} it (mode {mode:04o})",
            f"Run `chmod 600 {shlex.quote(str(file))}`.",
        )
    if facts.st_uid not in {_ROOT, os.geteuid()}:
        yield Concern(
            "warn",
            f"it belongs to another user ({_user(facts.st_uid)})",
            f"Run `chown {_user(os.geteuid())} {shlex.quote(str(file))}`, if it is yours.",
        )
    for folder in dict.fromkeys((path.absolute().parent, file.parent)):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
            yield Concern(
                "warn",
                f"others may replace it: its folder {folder} has mode {mode:04o}",
                f"Run `chmod go-w {shlex.quote(str(folder))}`.",
            )


def _details(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_symlink():
        yield "is a link to", str(path.resolve())
    facts = path.stat()
    yield "mode and owner", f"{stat.S_IMODE(facts.st_mode):04o}, {_user(facts.st_uid)}"


def _user(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):  # Windows has no pwd; a container's user may have no name
        return str(number)


def check_key(sources: IdentitySources, now: datetime) -> Check[tuple[Matched | None, bool]]:
    """Open the key wherever it is, find its certificate, and try a signature.

    Returns:
        Both, with the other certificates that were given; and whether the signature verifies.
    """
    from boto_rolesanywhere.certificates.descriptions import describe_subject
    from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key
    from boto_rolesanywhere.create_session.diagnosis import signature_fits
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.identity.material import read_sources
    from boto_rolesanywhere.identity.opening import match_key

    try:
        matched = match_key(read_sources(sources), sources, now=now)
        public_key = matched.leaf.public_key()
        algorithm = algorithm_for(public_key)
        probe = Identity(certificate=matched.leaf, chain=(), key=matched.key, algorithm=algorithm)
        signs = signature_fits(probe)
    except RolesAnywhereError as error:
        yield of_error("key", error)
        return None, False
    kind = describe_key(public_key)
    if signs:
        text = f"{kind}, belongs to {describe_subject(matched.leaf)}, and its signature verifies"
        yield Verdict("key", "ok", text, details=(("signs as", algorithm),))
    else:
        yield Verdict(
            "key",
            "fail",
            f"what the key ({kind}) signs does not verify with its certificate",
            "The key's device or program does not sign as it should: see SigningKey.",
        )
    return matched, signs
