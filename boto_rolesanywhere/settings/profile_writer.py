"""Changing one section of an AWS credentials or config file, and not one byte beside it.

`with_section` is the rule, on bytes; `change_file` applies it to a file that others use at the same
time: under a lock, and in one step.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from boto_rolesanywhere.atomic_file import TEMPORARY_SUFFIX, write_atomically
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# As configparser reads these files, with which botocore and the AWS CLI read them.
_HEADER: Final = re.compile(rb"\[(.+)\]")
_OPTION: Final = re.compile(rb"\s*([^=:\s][^=:]*?)\s*[=:]")
_LOCK_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that stay together: a header, an option with its continuation, or one other line.

    Attributes:
        section: the header that it stands below, itself included, as `_identity` has it.
        key: of an option, in lower case; empty for a header; None for other lines.
        text: the lines, with their ends.
    """

    section: tuple[str, ...]
    key: str | None
    text: bytes


def aws_file(variable: str, usual: str) -> Path:
    """One of AWS's files, where botocore looks for it.

    Args:
        variable: that may name another, for example AWS_CONFIG_FILE.
        usual: the path without it.
    """
    path = os.path.expandvars(os.environ.get(variable) or usual)
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's own fails where there is no home


def with_section(
    content: bytes, title: str, values: Mapping[str, str | None], *, shell_words: bool
) -> bytes:
    """The file's `content` with `values` set in the section `title`.

    A key that is there is set where it stands; a new one comes after the section's last; a section
    that is not there comes at the end. All other lines stay as they are, comments included.

    Args:
        content: of the file, in any encoding that has ASCII in it.
        title: without the brackets, for example ``default`` or ``profile onprem``.
        values: by key, in lower case; single lines, or None to remove the key.
        shell_words: whether titles are compared by their words, as botocore does in the config
            file; in the credentials file it takes them as they are.

    Raises:
        ConfigurationError: title or values would not be read back as they are.
    """
    _require_writable(title, values, shell_words=shell_words)
    end = b"\r\n" if b"\r\n" in content else b"\n"
    options = {
        key: f"{key} = {value}".encode() + end for key, value in values.items() if value is not None
    }
    blocks = list(_blocks(content, shell_words=shell_words))
    wanted = _identity(title, shell_words=shell_words)
    mine = [place for place, block in enumerate(blocks) if block.section == wanted]
    texts = [block.text for block in blocks]
    if not mine:
        gap = end if content.strip() else b""
        return b"".join((_ended(content, end), gap, f"[{title}]".encode(), end, *options.values()))
    for place in mine:
        key = blocks[place].key
        if key is not None and key in values:
            # Of two with one name the second goes, and one without a value.
            texts[place] = options.pop(key, b"")
    last = max(place for place in mine if blocks[place].key is not None)
    texts[last] = _ended(texts[last], end)
    texts.insert(last + 1, b"".join(options.values()))
    return b"".join(texts)


def quoted_name(profile: str) -> str:
    """A profile's name as it stands in a title of the config file: in quotes if it needs them."""
    quotes = "'" in profile or '"' in profile
    return shlex.quote(profile) if quotes or _words(profile) != (profile,) else profile


def change_file(
    path: Path,
    title: str,
    values: Mapping[str, str | None],
    *,
    shell_words: bool,
    patience: float = _LOCK_TIMEOUT,
) -> None:
    """Set `values` in the section `title` of the file, which need not exist yet.

    Readers see the old file or the new one; writers that do the same wait for each other. A new
    file has mode 0600, as the credentials file has in any case; a folder that is made has 0700. A
    link is followed.

    Args:
        path: of the file; ``~`` is expanded.
        title: as for `with_section`, like the next two.
        values: what to set.
        shell_words: how titles are compared.
        patience: seconds to wait for another writer.

    Raises:
        ConfigurationError: it cannot be written, or the package ``filelock`` is not there.
    """
    file_lock, timeout = _file_lock()
    try:
        path = Path(os.path.realpath(path.expanduser()))
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # A file moved into its place would be the end of /dev/null.
            raise ConfigurationError(
                "it is a folder, pipe, device or ring of links",
                code="file-not-replaceable",
                where=str(path),
                expected="a file",
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file_lock(path.with_name(f".{path.name}.lock"), timeout=patience, mode=0o600):
            _clear_left_overs(path)
            content = path.read_bytes() if path.exists() else b""
            changed = with_section(content, title, values, shell_words=shell_words)
            write_atomically(path, changed, **_kept(path, mode=shell_words))
    except timeout:
        raise ConfigurationError(
            f"another program has held its lock for {patience:.0f} seconds",
            code="file-locked",
            where=str(path),
            remedy="Look for a program that writes this file and hangs.",
        ) from None
    except OSError as error:
        what = f"it cannot be written ({error.strerror})"
        raise ConfigurationError(
            what, code="file-unwritable", where=str(error.filename or path)
        ) from None


def _clear_left_overs(path: Path) -> None:
    """Remove what a writer of this file that was killed has left. The lock is held."""
    # Without a dot in the middle: that would be the file of who writes `path` with one more ending.
    ours = re.compile(re.escape(f".{path.name}.") + r"[^.]+" + re.escape(TEMPORARY_SUFFIX))
    for left in path.parent.iterdir():
        if ours.fullmatch(left.name):
            left.unlink(missing_ok=True)


class _Kept(TypedDict, total=False):
    mode: int
    owner: tuple[int, int]


def _kept(path: Path, *, mode: bool) -> _Kept:
    """Of a file that is there: the owner, if root changes it, and its mode if that may be wide."""
    kept: _Kept = {}
    if os.name == "posix" and path.exists():
        facts = path.stat()
        if mode:
            kept["mode"] = stat.S_IMODE(facts.st_mode)
        if os.geteuid() == 0:
            kept["owner"] = (facts.st_uid, facts.st_gid)
    return kept


def _file_lock() -> tuple[type, type[Exception]]:
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        raise ConfigurationError(
            "writing this file safely needs the package filelock, which is not installed",
            code="filelock-missing",
            remedy="Run: pip install 'boto_rolesanywhere[cli]'",
        ) from None
    return FileLock, Timeout


def _require_writable(title: str, values: Mapping[str, str | None], *, shell_words: bool) -> None:
    for text in (title, *(value for value in values.values() if value is not None)):
        if not text.isprintable() or text != text.strip() or not text:
            what = f"a line of [{title}] would be empty, or hold a line break or control character"
            raise ConfigurationError(
                what if title.isprintable() else "the profile's name is not one",
                code="file-unwritable",
            )
    # What stands in configparser's [DEFAULT] is part of every section.
    if "]" in title or title == "DEFAULT" or not _identity(title, shell_words=shell_words):
        raise ConfigurationError(
            f"{title!r} cannot be the title of a section", code="profile-not-writable"
        )


def _identity(title: str, *, shell_words: bool) -> tuple[str, ...]:
    """What two titles of one section have in common."""
    return _words(title) if shell_words else (title,)


def _words(title: str) -> tuple[str, ...]:
    """``profile "a b"`` and ``profile 'a b'`` are one section."""
    try:
        return tuple(shlex.split(title))
    except ValueError:
        return (title,)


def _blocks(content: bytes, *, shell_words: bool) -> Iterator[_Block]:
    section: tuple[str, ...] = ()
    option: tuple[str, int] | None = None  # the key, and how far it is indented
    held = b""  # the option with what continues it
    between = b""  # blank lines and comments, which belong to it only if it goes on after them
    for line in content.splitlines(keepends=True):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if not text or text[:1] in b"#;":
            between += line
        elif option and indent > option[1]:
            held, between = held + between + line, b""
        else:
            yield from _closed(section, option, held, between)
            held, between = line, b""
            if header := _HEADER.match(text):
                title = header[1].decode(errors="replace")
                section = _identity(title, shell_words=shell_words)
                option = ("", sys.maxsize)  # nothing continues a header
            else:
                option = (_key(line), indent)
    yield from _closed(section, option, held, between)


def _key(line: bytes) -> str:
    found = _OPTION.match(line)
    return (found[1] if found else line.strip()).decode(errors="replace").lower()


def _closed(
    section: tuple[str, ...], option: tuple[str, int] | None, held: bytes, between: bytes
) -> Iterator[_Block]:
    if option:
        yield _Block(section, option[0], held)
    if between:
        yield _Block(section, None, between)


def _ended(text: bytes, end: bytes) -> bytes:
    return text if not text or text.endswith((b"\n", b"\r")) else text + end
