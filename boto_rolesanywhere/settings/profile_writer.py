"""Writing a profile into AWS's credentials or config file, which others use at the same time.

`profile_section` decides what changes in it, `shared_file` who may write it.
"""

from __future__ import annotations

import os
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import ConfigurationError

from .places import home_path
from .profile_reader import path_of, title_of
from .profile_section import quoted_name, read_sections, with_section
from .safe_walk import RefusedPlaceError
from .shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOCK_TIMEOUT: Final = 30.0
# Other users may read a config file, but not write it: it names programs to run.
_CLOSED_TO_WRITERS: Final = 0o755
_AS_IT_IS: Final = 0o777
_KEYS: Final = ("aws_access_key_id", "aws_secret_access_key")
# With one of these, as botocore reads a credentials file, the keys are a session's.
_TOKENS: Final = ("aws_session_token", "aws_security_token")


def aws_file(variable: str, usual: str) -> Path:
    """One of AWS's files, where botocore looks for it.

    Args:
        variable: that may name another, for example AWS_CONFIG_FILE.
        usual: the path without it.
    """
    return Path(path_of(os.environ, variable, usual))


def change_profile(profile: str, values: Mapping[str, str | None]) -> tuple[Path, str]:
    """Set `values` in a profile of the config file, which need not exist yet.

    As `change_credentials`, but of the file's mode other users lose the right to write.

    Returns:
        The file and the title of the profile's section.

    Raises:
        ConfigurationError: it cannot be written, or must not be: somebody else controls it.
    """
    path = aws_file("AWS_CONFIG_FILE", "~/.aws/config")
    title = "default" if profile == "default" else f"profile {quoted_name(profile)}"

    def changed(content: bytes, where: str) -> bytes:
        return with_section(content, title, values, shell_words=True, where=where)

    _change(path, changed, widest=_CLOSED_TO_WRITERS)
    return path, title_of(profile, os.environ) or title  # of a section that was there before


def require_changeable(profile: str) -> None:
    """Refuse early what `change_profile` would refuse, as far as it can be seen before.

    Raises:
        ConfigurationError: it is no profile's name, or AWS's tools cannot read the config file.
    """
    path = home_path(aws_file("AWS_CONFIG_FILE", "~/.aws/config"))
    try:
        content = path.read_bytes()
    except OSError:  # most often the file does not exist yet
        content = b""
    title = f"profile {quoted_name(profile)}"
    with_section(content, title, {}, shell_words=True, where=str(path))


def change_credentials(
    path: Path,
    profile: str,
    values: Mapping[str, str | None],
    *,
    replace_long_lived: bool = False,
    in_place: bool = False,
    patience: float = _LOCK_TIMEOUT,
) -> None:
    """Set `values` in a profile of a credentials file, which need not exist yet.

    Readers see the old file or the new one, unless it has to be written in place; writers that call
    this function wait for each other. A file keeps owner and mode. A new one has mode 0600, a new
    folder 0700.

    Args:
        path: of the file; ``~`` is expanded.
        profile: its name, which is the section's title.
        values: as for `with_section`.
        replace_long_lived: whether long-lived keys in the profile may give way; they then go into a
            section of their own.
        in_place: whether a file that exists is written in place where that could be avoided.
        patience: seconds to wait for another writer.

    Raises:
        ConfigurationError: it cannot be written, or must not be: somebody else controls it, or the
            profile has long-lived keys.
    """

    def changed(content: bytes, where: str) -> bytes:
        kept = _set_aside(content, profile, where=where, allowed=replace_long_lived)
        return with_section(kept, profile, values, shell_words=False, where=where)

    _change(path, changed, widest=_AS_IT_IS, in_place=in_place, patience=patience)


def _set_aside(content: bytes, profile: str, *, where: str, allowed: bool) -> bytes:
    """The credentials file's `content` with a copy of the profile's long-lived keys, if it has any.

    They can be nowhere else: AWS shows the secret once. The copy is a section of its own:
    ``NAME-long-lived``, or with a number behind it if there is one with other keys.
    """
    sections = read_sections(content, where)
    section = sections.get(profile, {})
    keys = {name: section[name] for name in _KEYS if section.get(name)}
    if not keys or any(section.get(name) for name in _TOKENS):
        return content
    if not allowed:
        raise ConfigurationError(
            f"the profile {profile!r} has access keys without a session token: they do not expire,"
            " and may be written down nowhere else",
            code="long-lived-keys",
            where=where,
            remedy="Name another profile with --profile, or let --replace-long-lived-keys keep"
            " them in a section of their own.",
        )
    first = f"{profile}-long-lived"
    titles = chain([first], (f"{first}-{number}" for number in count(2)))
    title = next(title for title in titles if sections.get(title, keys) == keys)
    return with_section(content, title, keys, shell_words=False, where=where)


def _change(
    path: Path,
    change: Callable[[bytes, str], bytes],
    *,
    widest: int,
    in_place: bool = False,
    patience: float = _LOCK_TIMEOUT,
) -> None:
    try:
        with SharedFile.opened(home_path(path)) as file:
            file.read()  # before a lock is made beside what is no file to write
            with file.locked(patience):
                file.remove_left_overs()
                changed = change(file.read(), str(file.path))
                file.replace(changed, widest=widest, in_place=in_place)
    except TimeoutError:
        raise ConfigurationError(
            f"another program has held its lock for {in_words(patience)}",
            code="file-unwritable",
            where=str(path),
            remedy="Look for a program that writes this file and hangs.",
        ) from None
    except RefusedPlaceError as error:
        raise ConfigurationError(
            str(error.strerror),
            code="file-not-replaceable",
            where=error.filename,
            expected="a file of this user, reached without links of other users",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be written ({error.strerror})",
            code="file-unwritable",
            # A name without a folder is one in a folder that is held open.
            where=error.filename if Path(error.filename or "").is_absolute() else str(path),
        ) from None
