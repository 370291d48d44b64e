"""One section of an AWS file is changed as botocore reads it, and nothing beside it."""

from __future__ import annotations

from configparser import RawConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from botocore.configloader import build_profile_map, raw_config_parse
from botocore.exceptions import ConfigParseError
from hypothesis import example, given
from hypothesis import strategies as st

from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.settings.profile_section import quoted_name, with_section

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "s/+=", "aws_session_token": "t"}
WRITTEN = b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/+=\naws_session_token = t\n"
ID, SECRET, TOKEN = WRITTEN.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"[work]\n" + WRITTEN),
        (b"[other]\na = b", b"[other]\na = b\n\n[work]\n" + WRITTEN),
        (
            b"# mine\n[work]\naws_access_key_id=OLD\nregion = x ; kept\n\n# end\n[z]\nk = v\n",
            b"# mine\n[work]\naws_access_key_id = ASIANEW\nregion = x ; kept\n"
            + SECRET
            + TOKEN
            + b"\n# end\n[z]\nk = v\n",
        ),
        (b"[work]", b"[work]\n" + WRITTEN),
        (b"[work]\n" + WRITTEN, b"[work]\n" + WRITTEN),
        (
            b"[work]\r\naws_session_token = a\r\n  b\r\n\r\n  c\r\nx = y\r\n",
            b"[work]\r\naws_session_token = t\r\nx = y\r\n" + (ID + SECRET).replace(b"\n", b"\r\n"),
        ),
        (
            b"[work]\nAWS_Session_Token: old\n[last]\nkey = last line",
            b"[work]\naws_session_token = t\n" + ID + SECRET + b"[last]\nkey = last line",
        ),
        (b"[workshop]\na = b\n", b"[workshop]\na = b\n\n[work]\n" + WRITTEN),
    ],
)
def test_the_section_is_set_and_every_other_byte_kept(before: bytes, after: bytes) -> None:
    assert with_section(before, "work", KEYS, shell_words=True) == after


@pytest.mark.parametrize("title", ['profile "a b"', "profile 'a b'", 'profile  "a b"'])
def test_a_quoted_name_is_the_same_however_it_is_quoted(title: str) -> None:
    before = f"[{title}]\nregion = x\n".encode()

    assert with_section(before, "profile 'a b'", {"region": "y"}, shell_words=True).count(b"[") == 1


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("work]", {"a": "b"}),
        ("work", {"a": "b\n[other]"}),
        ("work", {"a": ""}),
        ("wo\nrk", {"a": "b"}),
        ("", {"a": "b"}),
    ],
)
def test_what_would_break_the_file_is_refused(title: str, values: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        with_section(b"", title, values, shell_words=True)


def parsed(content: bytes) -> dict[str, dict[str, str]]:
    parser = RawConfigParser()
    parser.read_string(content.decode())
    return {title: dict(parser.items(title)) for title in parser.sections()}


def as_botocore_reads(content: bytes) -> dict[str, dict[str, object]] | None:
    """None where it gives up."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config"
        file.write_bytes(content)
        try:
            return raw_config_parse(str(file))
        except ConfigParseError:
            return None


# What str.strip() takes for a blank, or str.splitlines() for the end of a line, and bytes do not.
BLANKS = " \t\u00a0\u3000\u2028\x0b\x0c\x1c\x1f\x85"
HEADERS = [
    *("[work]", "[other]", "[profile x]", "[profile 'x']", "[ work ]", "[DEFAULT]", "[a]b] tail"),
    *("[profile default]", "[default]", "[profilex x]", "[profile work]"),
]
OPTIONS = [
    *("aws_session_token = old", "AWS_Session_Token: old", "a = b", "k: v", "s3 =", "= no key"),
    *("# comment", "; comment", "", "no value", "a\u00a0b=c", "aws_access_key_id\u3000=1", "é=ß"),
]
SPACE = st.text(BLANKS, max_size=2)
LINE = st.one_of(
    st.tuples(SPACE, st.sampled_from(HEADERS + OPTIONS), SPACE).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=6),
)


@given(
    st.lists(LINE, max_size=10),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from(["work", "profile x", "profile work", "default"]),
    st.booleans(),
)
@example(["[work]\u00a0", "a = b"], "\n", True, "work", False)
@example(["\u3000[work]", "a = b"], "\n", True, "work", False)
@example(["[work]", "aws_session_token\x1f= old"], "\n", True, "work", False)
@example(["[work]", "\u00a0aws_session_token = old", "a = b"], "\n", True, "work", False)
@example(["[work]", "a = b\u2028[work]", "c = d"], "\n", True, "work", False)
def test_botocore_reads_every_other_section_as_before(
    lines: list[str], end: str, ended: bool, title: str, shell_words: bool
) -> None:
    content = (end.join(["[first]", *lines]) + (end if ended else "")).encode()
    before = as_botocore_reads(content)
    values = {**KEYS, "a": None}

    try:
        after = with_section(content, title, values, shell_words=shell_words)
    except ConfigurationError:
        # Where botocore can read the file, the reason is a default, which cannot be removed, or an
        # indented header, which would continue the option that is written before it.
        indented = any(line[:1].isspace() and "[" in line for line in content.decode().split(end))
        assert before is None or b"[DEFAULT]" in content or indented
        return

    read = as_botocore_reads(after)
    if before is None:
        return  # only the block below a key is wrong, and stays so
    assert read is not None
    changed = [name for name in read if read[name] != before.get(name)]
    assert len(changed) <= 1
    assert not before.keys() - read.keys()
    profiles = build_profile_map(read)["profiles"] if shell_words else read
    name = title.removeprefix("profile ") if shell_words else title
    if title != "work" or not shell_words:
        assert profiles[name].items() >= KEYS.items()
        assert "a" not in profiles[name]
    again = with_section(after, title, values, shell_words=shell_words)
    assert as_botocore_reads(again) == read


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\x1f"])
@pytest.mark.parametrize(
    "line", ["[work]{0}", "{0}[work]", "[work]\n{0}aws_session_token = old", "[work]\na{0}= b"]
)
def test_a_blank_that_only_unicode_knows_makes_no_second_section(blank: str, line: str) -> None:
    before = f"[other]\n{line.format(blank)}\nlast = one\n".encode()

    after = as_botocore_reads(with_section(before, "work", KEYS, shell_words=False))

    assert after == {
        "other": {},
        "work": {**as_botocore_reads(before)["work"], **KEYS},
    }


@pytest.mark.parametrize(
    "content",
    [
        b"[work]\n[work]\n",
        b"a = b\n",
        b"[work]\nno value SECRET\n",
        b"[work]\na = 1\na = SECRET\n",
        b"[x]\nname = \xe9\xff\n",
        b"\xef\xbb\xbf[work]\n",
    ],
)
def test_a_file_that_botocore_cannot_read_is_refused_in_words(content: bytes) -> None:
    assert as_botocore_reads(content) is None

    with pytest.raises(ConfigurationError, match="/f: AWS's tools cannot read this file") as caught:
        with_section(content, "work", KEYS, shell_words=False, where="/f")

    assert "SECRET" not in str(caught.value)


def test_of_two_sections_for_one_profile_the_one_that_counts_is_set() -> None:
    before = b'[profile "x"]\nregion = a\n[profile x]\nregion = b\n[default]\nregion = c\n'

    after = with_section(before, "profile x", {"region": "new"}, shell_words=True)

    assert after == before.replace(b"region = b", b"region = new")
    assert build_profile_map(parsed(after))["profiles"]["x"] == {"region": "new"}


@given(st.binary(max_size=60), st.text(max_size=8), st.dictionaries(st.text(), st.text()))
def test_any_bytes_give_bytes_or_our_error(
    content: bytes, title: str, values: dict[str, str]
) -> None:
    try:
        after = with_section(content, title, values, shell_words=True)
    except RolesAnywhereError:
        return
    assert isinstance(after, bytes)


def test_an_option_below_a_short_header_is_found_however_far_it_is_indented() -> None:
    before = b"[p]\n      region = old\n[other]\nregion = x\n"

    after = with_section(before, "p", {"region": "new"}, shell_words=False)

    assert parsed(after) == {"p": {"region": "new"}, "other": {"region": "x"}}


def test_titles_of_the_credentials_file_are_taken_as_they_are() -> None:
    before = b"[dom\\user]\nregion = mine\n[ default ]\nregion = odd\n"

    for name in ("domuser", "a b", "default"):
        before = with_section(before, name, {"region": name}, shell_words=False)

    assert parsed(before) == {
        "dom\\user": {"region": "mine"},
        " default ": {"region": "odd"},
        **{name: {"region": name} for name in ("domuser", "a b", "default")},
    }


@pytest.mark.parametrize("name", ["dom\\user", "o'b", 'o"b', "a b", "plain", "pr#od"])
def test_botocore_finds_each_name_in_the_config_file(name: str) -> None:
    title = f"profile {quoted_name(name)}"
    content = with_section(b"", title, {"region": "eu-west-1"}, shell_words=True)

    profiles = build_profile_map(parsed(content))["profiles"]

    assert profiles == {name: {"region": "eu-west-1"}}
