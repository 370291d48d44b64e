"""One profile's keys as they stand in the AWS config file, read without loading botocore.

For the command, which looks for a cached session before anything heavy is loaded; the library
reads profiles through botocore. Nothing is written here.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH111, PTH123

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    Sections = dict[str, dict[str, str]]


# What botocore takes an endpoint from, as much an input of a call as one that is given to us.
_ENDPOINT_VARIABLES: Final = (
    *("AWS_ENDPOINT_URL_ROLESANYWHERE", "AWS_ENDPOINT_URL"),
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_ENDPOINT_KEYS: Final = ("endpoint_url", "ignore_configured_endpoint_urls", "services")


def read_profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """The section of the profile `name`; None if there is none, or the file cannot be read.

    The file is found and read as botocore does it (AWS_CONFIG_FILE, else ``~/.aws/config``); a
    nested block is left as the text that it is.
    """
    text = _read(environ)
    return None if text is None else _section(_sections(text), "profile", name)


def configured_endpoint(profile: str | None, environ: Mapping[str, str]) -> str:
    """All that botocore takes an endpoint from for a profile, as one text; "" if there is nothing.

    Args:
        profile: None for that of the environment.
        environ: the environment.
    """
    found = [f"{name}={environ[name]}" for name in _ENDPOINT_VARIABLES if environ.get(name)]
    text = _read(environ) or ""
    if any(key in text for key in _ENDPOINT_KEYS):  # else there is no need to parse it
        sections = _sections(text)
        # In botocore's order.
        name = profile or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE")
        section = _section(sections, "profile", name or "default") or {}
        found += [f"{key}={section[key]}" for key in _ENDPOINT_KEYS if key in section]
        services = _section(sections, "services", section.get("services", "")) or {}
        found += [f"{key}={value}" for key, value in services.items()]
    return "\n".join(found)


def _read(environ: Mapping[str, str]) -> str | None:
    path = environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        with open(os.path.expanduser(os.path.expandvars(path))) as file:  # as botocore does
            return file.read()
    except (OSError, ValueError):
        return None


def _sections(text: str) -> Sections:
    sections = read_plainly(text)
    return _read_wholly(text) if sections is None else sections


def _section(sections: Sections, kind: str, name: str) -> dict[str, str] | None:
    title = _title(sections, kind, name)
    return None if title is None else sections[title]


def _title(sections: Sections, kind: str, name: str) -> str | None:
    # Of [default] and [profile default], botocore takes the later one alone.
    return next((title for title in reversed(sections) if _name_in(title, kind) == name), None)


def title_of(profile: str, environ: Mapping[str, str]) -> str | None:
    """What stands in the brackets of the profile's section; None if there is none."""
    return _title(_sections(_read(environ) or ""), "profile", profile)


def read_plainly(text: str) -> Sections | None:
    """The sections of a file in which each line is blank, a comment, a header or ``key = value``.

    None for any other, and for what `configparser` refuses or treats in a way of its own: it is
    asked then, and takes longer to load than all the rest of a cached answer.
    """
    sections: Sections = {}
    current: dict[str, str] | None = None
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped[0] == "[":
            title = stripped[1:-1]
            if line[0] != "[" or stripped[-1] != "]" or "]" in title:
                return None
            if not title or title == "DEFAULT" or title in sections:
                return None
            current = sections[title] = {}
            continue
        at = min((at for at in (line.find("="), line.find(":")) if at >= 0), default=-1)
        key = line[:at].rstrip().lower() if at > 0 else ""
        # A line that begins with a blank goes on with the value before it.
        if not key or line[0].isspace() or current is None or key in current:
            return None
        current[key] = line[at + 1 :].strip()
    return sections


def _read_wholly(text: str) -> Sections:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error:
        return {}
    return {title: dict(parser.items(title)) for title in parser.sections()}


def _name_in(title: str, kind: str) -> str | None:
    """The profile (or what `kind` says) that ``[title]`` is the section of."""
    if title == "default" and kind == "profile":
        return title
    if not title.startswith(kind):
        return None
    words = title.split()
    if "'" in title or '"' in title:
        import shlex

        try:
            words = shlex.split(title)
        except ValueError:
            return None
    return words[1] if len(words) == 2 else None  # noqa: PLR2004  # the word and the name
