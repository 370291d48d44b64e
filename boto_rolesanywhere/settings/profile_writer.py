"""Writing a profile into AWS's credentials or config file, which others use at the same time.

`profile_section` decides what changes in it, `shared_file` who may write it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

from .profile_reader import title_of
from .profile_section import quoted_name, with_section
from .shared_file import RefusedPlaceError, SharedFile

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCK_TIMEOUT: Final = 30.0
_OWNER_ONLY: Final = 0o600
# Other users may read a config file, but not write it: it names programs to run.
_CLOSED_TO_WRITERS: Final = 0o755


def aws_file(variable: str, usual: str) -> Path:
    """One of AWS's files, where botocore looks for it.

    Args:
        variable: that may name another, for example AWS_CONFIG_FILE.
        usual: the path without it.
    """
    path = os.path.expandvars(os.environ.get(variable) or usual)
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's own fails where there is no home


def change_profile(profile: str, values: Mapping[str, str | None]) -> tuple[Path, str]:
    """Set `values` in a profile of the config file, which need not exist yet.

    Returns:
        The file and the title of the profile's section.

    Raises:
        ConfigurationError: as `change_file`.
    """
    path = aws_file("AWS_CONFIG_FILE", "~/.aws/config")
    title = title_of(profile, os.environ)
    if title is None:
        title = "default" if profile == "default" else f"profile {quoted_name(profile)}"
    change_file(path, title, values, shell_words=True)
    return path, title


def change_file(
    path: Path,
    title: str,
    values: Mapping[str, str | None],
    *,
    shell_words: bool,
    patience: float = _LOCK_TIMEOUT,
) -> None:
    """Set `values` in the section `title` of the file, which need not exist yet.

    Readers see the old file or the new one; writers that call this function wait for each other. A
    new file has mode 0600, a new folder 0700. The credentials file never gets a wider mode; the
    config file keeps its mode, but only its owner may write it.

    Args:
        path: of the file; ``~`` is expanded.
        title: as for `with_section`, like the next two.
        values: what to set.
        shell_words: how titles are compared.
        patience: seconds to wait for another writer.

    Raises:
        ConfigurationError: it cannot be written, or must not be: somebody else controls it.
    """
    try:
        with SharedFile.opened(path.expanduser()) as file:
            file.read()  # before a lock is made beside what is no file to write
            with file.locked(patience):
                file.remove_left_overs()
                changed = with_section(
                    file.read(), title, values, shell_words=shell_words, where=str(file.path)
                )
                file.replace(changed, widest=_CLOSED_TO_WRITERS if shell_words else _OWNER_ONLY)
    except TimeoutError:
        raise ConfigurationError(
            f"another program has held its lock for {patience:.0f} seconds",
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
            where=str(error.filename or path),
        ) from None
