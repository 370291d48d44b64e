"""One profile's settings as they stand in AWS's two files, read without loading botocore.

The command looks here for a cached session before it loads anything heavy; the library reads
profiles through botocore. Nothing is written here.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH111, PTH123

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Sections = dict[str, dict[str, str]]

# For each file the variable that may name it, and where it usually is.
_CONFIG = ("AWS_CONFIG_FILE", "~/.aws/config")
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
STORED = ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")


def read_profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """The section of the profile `name`; None if there is none, or the file cannot be read.

    The file is found and read as botocore does it (AWS_CONFIG_FILE, else ``~/.aws/config``); a
    nested block is left as the text that it is.
    """
    return _section(_sections(environ, *_CONFIG), "profile", name)


def read_merged_profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """The section of the profile `name` in the config file and in the shared credentials file.

    As for botocore, a key of the credentials file wins. None if the profile is in neither.
    """
    ours = read_profile(name, environ)
    added = _sections(environ, *STORED).get(name)
    return None if ours is None and added is None else {**(ours or {}), **(added or {})}


def read_plain_profile(name: str | None, environ: Mapping[str, str]) -> dict[str, str] | None:
    """As `read_merged_profile`; None also if botocore might read a file in another way.

    Without `name` the environment chooses; ``default``, if nothing does, need not be there.
    """
    merged: dict[str, str] = {}
    known = not (name or profile_variable(environ))
    name = name or chosen_profile(environ)
    for place in (_CONFIG, STORED):
        try:
            with open(path_of(environ, *place)) as file:
                sections = read_plainly(file.read())
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return None
        if sections is None:
            return None
        is_config = place is _CONFIG
        found = _section(sections, "profile", name) if is_config else sections.get(name)
        known = known or found is not None
        merged.update(found or {})
    return merged if known else None


def read_stored_keys(name: str, environ: Mapping[str, str]) -> str | None:
    """The shared credentials file, if it holds access keys for the profile `name`; else None."""
    has_keys = "aws_access_key_id" in _sections(environ, *STORED).get(name, {})
    return (environ.get(STORED[0]) or STORED[1]) if has_keys else None


def path_of(environ: Mapping[str, str], variable: str = _CONFIG[0], usual: str = _CONFIG[1]) -> str:
    """Where botocore looks for one of AWS's files; for the config file if none is named."""
    return os.path.expanduser(os.path.expandvars(environ.get(variable) or usual))


def chosen_profile(environ: Mapping[str, str]) -> str:
    """The profile that the environment chooses; ``default`` if it chooses none."""
    return environ.get(profile_variable(environ) or "", "default")


def profile_variable(environ: Mapping[str, str]) -> str | None:
    """The variable that chooses the profile, in botocore's order; None if none does."""
    return next((name for name in PROFILE_VARIABLES if environ.get(name)), None)


def configured_endpoint(profile: str | None, environ: Mapping[str, str]) -> str | None:
    """The endpoint that botocore takes from environment and files; "" for AWS's own.

    None if botocore refuses the configured endpoint. Without `profile`, the environment names it.
    """
    section = read_merged_profile(profile or chosen_profile(environ), environ) or {}
    services: dict[str, dict[str, object]] = {}
    if "services" in section:
        sections = _sections(environ, *_CONFIG)
        found = _section(sections, "services", section["services"]) or {}
        services[section["services"]] = {key: _nested(text) for key, text in found.items()}
    return endpoint_and_origin(section, services, environ)[0]


def endpoint_and_origin(
    section: Mapping[str, object],
    services: Mapping[str, Mapping[str, object]],
    environ: Mapping[str, str],
    *,
    ignored: bool | None = None,
) -> tuple[str | None, str]:
    """The endpoint that botocore takes from what it has read, and which setting it is from.

    The endpoint is "" for AWS's own, None if botocore refuses the configured one. The order is
    botocore's: the variable of the service, the variable of all services, the service's block in
    the section that ``services`` names, ``endpoint_url`` of the profile.
    """
    if ignored is None:
        name = "ignore_configured_endpoint_urls"
        text = environ.get(f"AWS_{name.upper()}", section.get(name, ""))
        ignored = str(text).lower() == "true"
    if ignored:
        return "", ""
    for variable in ("AWS_ENDPOINT_URL_ROLESANYWHERE", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return environ[variable], variable
    url: object = None
    origin = "endpoint_url of the profile"
    if "services" in section:
        blocks = services.get(str(section["services"]))
        block = blocks.get("rolesanywhere", {}) if blocks else None
        if not isinstance(block, dict):
            return None, ""
        if url := block.get("endpoint_url"):
            origin = f"rolesanywhere's endpoint_url in [services {section['services']}]"
    url = url or section.get("endpoint_url") or ""
    return (url if isinstance(url, str) and not url.startswith("\n") else None), origin


def _nested(text: str) -> object:
    """The block below a key, as botocore reads one; the text itself if it is no block."""
    if not text.startswith("\n"):
        return text
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _sections(environ: Mapping[str, str], variable: str, usual: str) -> Sections:
    try:
        with open(path_of(environ, variable, usual)) as file:
            text = file.read()
    except (OSError, ValueError):
        return {}
    sections = read_plainly(text)
    return _read_wholly(text) if sections is None else sections


def _section(sections: Sections, kind: str, name: str) -> dict[str, str] | None:
    title = _title(sections, kind, name)
    return None if title is None else sections[title]


def _title(sections: Sections, kind: str, name: str) -> str | None:
    # Of [default] and [profile default], botocore takes the later one alone.
    return next((title for title in reversed(sections) if name_in(title, kind) == name), None)


def title_of(profile: str, environ: Mapping[str, str]) -> str | None:
    """What stands in the brackets of the profile's section; None if there is none."""
    return _title(_sections(environ, *_CONFIG), "profile", profile)


def read_plainly(text: str) -> Sections | None:
    """The sections of a file in which each line is blank, a comment, a header or ``key = value``.

    None for any other file, and for one that `configparser` refuses or reads in a way of its own.
    Then `configparser` must read it, which takes longer to load than the rest of a cached answer.
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


def name_in(title: str, kind: str) -> str | None:
    """The profile (or what `kind` says) that ``[title]`` is the section of; None for no such.

    As botocore's build_profile_map: any title that begins with the kind and has two words in the
    shell's sense names one by the second; ``default`` names a profile by itself.
    """
    if title == "default" and kind == "profile":
        return title
    if not title.startswith(kind):
        return None
    words = title.split()
    if any(mark in title for mark in "'\"\\"):
        import shlex

        try:
            words = shlex.split(title)
        except ValueError:
            return None
    return words[1] if len(words) == 2 else None  # noqa: PLR2004  # the word and the name
