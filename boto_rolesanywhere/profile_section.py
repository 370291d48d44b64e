"""One profile's keys as they stand in the AWS config file, read without loading botocore.

For the command, which looks for a cached session before anything heavy is loaded; the library
reads profiles through botocore. Nothing is written here.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH111

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def read_profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """The section of the profile `name`; None if there is none, or the file cannot be read.

    The file is found and read as botocore does it (AWS_CONFIG_FILE, else ``~/.aws/config``); a
    nested block is left as the text that it is.
    """
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    path = environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        parser.read(os.path.expanduser(os.path.expandvars(path)))
    except (Error, OSError, ValueError):
        return None
    title = next((title for title in parser.sections() if _profile_of(title) == name), None)
    return None if title is None else dict(parser.items(title))


def _profile_of(title: str) -> str | None:
    """The profile that ``[title]`` is the section of."""
    if title == "default" or not title.startswith("profile"):
        return title if title == "default" else None
    words = title.split()
    if "'" in title or '"' in title:
        import shlex

        try:
            words = shlex.split(title)
        except ValueError:
            return None
    return words[1] if len(words) == 2 else None  # noqa: PLR2004  # the word and the name
