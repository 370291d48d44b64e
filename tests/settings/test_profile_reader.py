"""Profiles of the AWS config file, read without botocore: as botocore reads them."""

from __future__ import annotations

from configparser import Error, RawConfigParser
from pathlib import Path

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.settings.profile_reader import read_plainly, read_profile

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
