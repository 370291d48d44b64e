"""Setting one section of an AWS credentials or config file, and not one byte beside it.

From content to content. The result is read back as botocore reads it: it differs in that section
alone, or an error is raised.
"""

from __future__ import annotations

import io
import locale
import re
import shlex
import sys
from configparser import Error, RawConfigParser
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import NamedTuple

from .profile_reader import name_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    Sections = dict[str, dict[str, str]]

_unwritable: Final = partial(ConfigurationError, code="profile-not-writable")


class _Block(NamedTuple):
    """Lines that stay together: a header, an option with its continuation, or one other line.

    Attributes:
        section: the title that it stands below, itself included; None before the first.
        key: of an option, in lower case; empty for a header; None for other lines.
        lines: with their ends.
    """

    section: str | None
    key: str | None
    lines: list[str]


def with_section(
    content: bytes,
    title: str,
    values: Mapping[str, str | None],
    *,
    shell_words: bool,
    where: str | None = None,
) -> bytes:
    """The file's `content` with `values` set in the section `title`.

    An existing key keeps its line; a new key comes after the section's last key; a new section
    comes at the end of the file. All other lines stay as they are, comments included. If a profile
    has several sections, the last is set: botocore takes that.

    Args:
        content: of the file, in the encoding of this process's locale, as botocore reads it.
        title: without the brackets, for example ``default`` or ``profile onprem``.
        values: by key, in lower case; single lines, or None to remove the key.
        shell_words: whether titles are compared by their words, as botocore does in the config
            file; in the credentials file it takes them as they are.
        where: the file's path, for errors.

    Raises:
        ConfigurationError: title or values would not be read back as they are, or botocore could
            not read the file as it is.
    """
    _require_writable(title, values)
    encoding = _encoding()
    before = read_sections(content, where)
    name_of = _name_of if shell_words else str
    titles = [old for old in before if name_of(old) == name_of(title)]
    title = titles[-1] if titles else title
    text = content.decode(encoding)
    changed = _changed(text, title, values, is_new=not titles)
    try:
        after = changed.encode(encoding)
    except UnicodeEncodeError:
        raise _unwritable(
            f"[{title}] cannot be written in the encoding of this system ({encoding})", where=where
        ) from None
    expected = {**before.get(title, {}), **values}
    kept = {key: value for key, value in expected.items() if value is not None}
    if read_sections(after, where) != {**before, title: kept}:
        raise _unwritable(
            f"the file is so written that [{title}] cannot be set without changing more",
            where=where,
            remedy="Write the section by hand, in plain lines; nothing was written.",
        )
    return after


def read_sections(content: bytes, where: str | None) -> Sections:
    """The file as botocore reads it: the options of each section, by their titles.

    Args:
        content: of the file, in the encoding of this process's locale.
        where: the file's path, for errors.

    Raises:
        ConfigurationError: botocore cannot read it.
    """
    parser = RawConfigParser()
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(content), encoding=_encoding()))
    except (Error, UnicodeDecodeError) as error:
        # The kind alone: the parser's own words quote lines, in which a secret may stand.
        raise ConfigurationError(
            f"AWS's tools cannot read this file ({type(error).__name__})",
            code="config-file-unparseable",
            where=where,
            remedy="Correct it first; nothing was written.",
        ) from None
    return {title: dict(parser.items(title)) for title in parser.sections()}


def quoted_name(profile: str) -> str:
    """A profile's name as it stands in a title of the config file: in quotes if it needs them."""
    quotes = "'" in profile or '"' in profile
    return shlex.quote(profile) if quotes or _words(profile) != [profile] else profile


def _encoding() -> str:
    return locale.getpreferredencoding(False)  # what open() takes, and so configparser


def _changed(text: str, title: str, values: Mapping[str, str | None], *, is_new: bool) -> str:
    has_plain = re.search(r"(?<!\r)\n", text) is not None
    end = "\n" if has_plain else next((end for end in ("\r\n", "\r") if end in text), "\n")
    options = {key: f"{key} = {value}{end}" for key, value in values.items() if value is not None}
    if is_new:
        gap = end if text.strip() else ""
        return "".join((_ended(text, end), gap, f"[{title}]{end}", *options.values()))
    blocks = _blocks(text)
    texts = ["".join(block.lines) for block in blocks]
    last = 0
    for number, block in enumerate(blocks):
        if block.section == title and block.key is not None:
            last = number
            if block.key in values:
                texts[number] = options.pop(block.key, "")
    texts[last] = _ended(texts[last], end)
    texts.insert(last + 1, "".join(options.values()))
    return "".join(texts)


def _require_writable(title: str, values: Mapping[str, str | None]) -> None:
    for text in (title, *(value for value in values.values() if value is not None)):
        if not text.isprintable() or text != text.strip() or not text:
            problem = (
                f"a line of [{title}] would be empty, or hold a line break or control character"
            )
            raise _unwritable(
                problem if title.isprintable() else "this is not a usable name of a profile"
            )
    # What stands in configparser's [DEFAULT] is part of every section.
    if "]" in title or title == "DEFAULT":
        raise _unwritable(f"{title!r} cannot be the title of a section")


def _name_of(title: str) -> tuple[str, ...]:
    """What two titles for one profile of the config file have in common.

    The name of the profile if they name one, else the whole title.
    """
    name = name_in(title, "profile")
    return (title,) if name is None else ("profile", name)


def _words(title: str) -> list[str]:
    try:
        return shlex.split(title)
    except ValueError:
        return [title]


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    section: str | None = None
    last = 0  # the block of the last option or header
    deepest = sys.maxsize  # what is indented more continues that; nothing continues a header
    # Not splitlines(), which also ends lines at U+2028 and others: a file's reader does not.
    for line in io.StringIO(text, newline=""):
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped or stripped[0] in "#;":
            blocks.append(_Block(section, None, [line]))
        elif indent > deepest:
            # Blank lines and comments belong to an option that goes on after them.
            blocks[last].lines.extend(line for block in blocks[last + 1 :] for line in block.lines)
            blocks[last].lines.append(line)
            del blocks[last + 1 :]
        else:
            header = RawConfigParser.SECTCRE.match(stripped)
            section = header["header"] if header else section
            deepest = sys.maxsize if header else indent
            last = len(blocks)
            blocks.append(_Block(section, "" if header else _key(stripped), [line]))
    return blocks


def _key(stripped: str) -> str:
    found = RawConfigParser.OPTCRE.match(stripped)
    return (found["option"] if found else stripped).rstrip().lower()


def _ended(text: str, end: str) -> str:
    return text if not text or text.endswith(("\n", "\r")) else text + end
