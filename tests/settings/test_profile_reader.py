"""Profiles of the AWS config file, read without botocore: as botocore reads them."""

from __future__ import annotations

import os
from configparser import Error, RawConfigParser
from pathlib import Path

import pytest
from botocore.exceptions import InvalidConfigError
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.settings.profile_reader import (
    chosen_profile,
    configured_endpoint,
    endpoint_and_origin,
    read_merged_profile,
    read_plainly,
    read_profile,
)

PIECES = st.sampled_from(
    [
        *("[a]", "[profile b]", "[DEFAULT]", "[a]]", "[ a ]", "[]", "[a"),
        *("a=1", "A = 2", "b: x=y", "b", "=1", ":", "  c = 3", "x = ", "é=ö", "f = # g"),
        *("# d = 4", "; e", " ", "\t", "\n", "\r", "\f", "\x1c"),
    ]
)
TEXT = st.lists(PIECES, max_size=8).map("\n".join) | st.lists(PIECES, max_size=5).map("".join)


@given(TEXT)
def test_what_is_read_plainly_is_what_configparser_reads(text: str) -> None:
    plainly = read_plainly(text)
    if plainly is None:
        return
    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error as error:
        raise AssertionError(f"read plainly, refused by configparser: {text!r}") from error
    assert plainly == {title: dict(parser.items(title)) for title in parser.sections()}


def test_an_ordinary_file_is_read_plainly() -> None:
    text = "# mine\n[default]\nregion = eu-west-1\n\n[profile a]\nKEY=a = b : c\r\nempty =\n"

    expected = {"default": {"region": "eu-west-1"}, "profile a": {"key": "a = b : c", "empty": ""}}
    assert read_plainly(text) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[profile web]\na = 1\n", "web"),
        ("[default]\na = 1\n", "default"),
        ("[profile default]\na = 1\n", "default"),
        ("[default]\na = 1\n[profile web]\na = 2\ns3 =\n  x = y\n", "web"),
        ('[profile "my web"]\na = 1\n', "my web"),
        ("[profile 'my web']\na = 1\n", "my web"),
        ("[profile   web]\na = 1\n  more\n", "web"),
        ("[profile web]\nA=x;y\n; a = 2\n", "web"),
        ("[profile web]\na = 1\n[other]\na = 2\na = 3\n", "web"),
        ("[web]\na = 1\n", "web"),
        ("[profile web more]\na = 1\n", "web"),
        ("[profile 'web]\na = 1\n", "web"),
        ("[sso-session web]\na = 1\n", "web"),
        ("garbage\n", "web"),
        ("", "web"),
    ],
)
def test_a_profile_is_what_botocore_takes_it_for(
    text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    try:
        theirs = Session().full_config["profiles"].get(name)
    except Exception:  # noqa: BLE001  # botocore refuses the file
        theirs = None

    ours = read_profile(name, {"AWS_CONFIG_FILE": str(path)})

    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert ours["a"] == theirs["a"]


def test_the_file_is_found_where_botocore_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path))
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "config").write_text("[profile web]\na = 1\n")

    assert read_profile("web", {}) == {"a": "1"}
    assert read_profile("web", {"AWS_CONFIG_FILE": "~/.aws/config"}) == {"a": "1"}
    assert read_profile("web", {"AWS_CONFIG_FILE": "$PLACE/.aws/config"}) == {"a": "1"}
    assert read_profile("web", {"AWS_CONFIG_FILE": "/nowhere"}) is None
    (folder / "config").write_bytes(b"[profile web]\na = \xff\xfe\n")
    assert read_profile("web", {}) is None


CONFIG = """[default]
region = eu-west-1

[profile global]
Endpoint_URL = https://three.example

[profile own]
services = mine

[profile both]
services = mine
endpoint_url = https://three.example

[profile without]
services = others
endpoint_url = https://three.example

[profile ignored]
endpoint_url = https://three.example
ignore_configured_endpoint_urls = True

[profile in-credentials]
region = eu-west-1

[services mine]
rolesanywhere =
  endpoint_url = https://four.example
  Endpoint_URL = https://five.example
s3 =
  endpoint_url = https://six.example

[services others]
s3 =
  endpoint_url = https://six.example
"""
CREDENTIALS = """[in-credentials]
ENDPOINT_URL = https://seven.example

[only-credentials]
services = mine

[ignored]
endpoint_url = https://seven.example
"""
PROFILES = (
    *("default", "global", "own", "both", "without", "ignored"),
    *("in-credentials", "only-credentials"),
)
VARIABLES: tuple[dict[str, str], ...] = (
    {},
    {"AWS_ENDPOINT_URL": "https://one.example"},
    {"AWS_ENDPOINT_URL": "https://one.example", "AWS_ENDPOINT_URL_ROLESANYWHERE": "https://two.ex"},
    {"AWS_ENDPOINT_URL": "https://one.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"},
    {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
)


@pytest.fixture
def both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, variable, text in (
        ("config", "AWS_CONFIG_FILE", CONFIG),
        ("credentials", "AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS),
    ):
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(variable, str(tmp_path / name))


def endpoint_of_botocore(session: Session) -> str:
    client = session.create_client("rolesanywhere", region_name="eu-west-1")
    url: str = client.meta.endpoint_url
    return "" if "amazonaws.com" in url else url


@pytest.mark.parametrize("variables", VARIABLES)
@pytest.mark.usefixtures("both_files")
def test_the_endpoint_is_the_one_that_botocore_takes(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    for profile in PROFILES:
        session = Session(profile=profile)
        expected = endpoint_of_botocore(session)
        found = endpoint_and_origin(
            session.get_scoped_config(), session.full_config["services"], os.environ
        )[0]
        assert (configured_endpoint(profile, os.environ), found) == (expected, expected), profile


@pytest.mark.usefixtures("both_files")
def test_the_environment_chooses_the_profile_as_for_botocore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, profile in (("AWS_PROFILE", "global"), ("AWS_DEFAULT_PROFILE", "own")):
        monkeypatch.setenv(variable, profile)
        chosen = Session().profile
        assert chosen == chosen_profile(os.environ) == profile
        assert configured_endpoint(None, os.environ) == configured_endpoint(profile, os.environ)


@pytest.mark.parametrize(
    "services",
    ["", "[services x]\nrolesanywhere = https://one.example\n"],
    ids=["no section", "no block"],
)
def test_an_endpoint_that_botocore_refuses_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, services: str
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\nservices = x\n{services}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    assert configured_endpoint(None, os.environ) is None
    with pytest.raises((InvalidConfigError, AttributeError)):
        endpoint_of_botocore(Session())


@pytest.mark.usefixtures("both_files")
def test_the_credentials_file_adds_to_a_profile_and_wins() -> None:
    for profile in PROFILES:
        section = Session(profile=profile).get_scoped_config()
        assert read_merged_profile(profile, os.environ) == section
    assert read_merged_profile("gone", os.environ) is None
