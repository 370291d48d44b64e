"""A plain command line is read without the parser, and as the parser reads it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import pytest
from flag_parsing import PLAIN, parser
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.cli.flag_table import TAKES_VALUE, conflict, read_plainly
from boto_rolesanywhere.cli.flags import given_flags
from boto_rolesanywhere.errors import ConfigurationError

VALUES = st.text("abz=/:.é", min_size=1, max_size=6)


PARTS = st.sampled_from(sorted(TAKES_VALUE)).flatmap(
    lambda flag: st.one_of(
        st.tuples(st.just(flag), VALUES) if TAKES_VALUE[flag] else st.just((flag,)),
        VALUES.map(lambda value: (f"{flag}={value}",)) if TAKES_VALUE[flag] else st.just((flag,)),
    )
)


PARSER = parser()


@given(st.lists(PARTS, max_size=6), st.sampled_from([(), ("",), ("\n",), ("--nope",), ("-h",)]))
def test_what_is_read_plainly_is_what_the_parser_reads(
    parts: list[Sequence[str]], more: Sequence[str]
) -> None:
    argv = [word for part in parts for word in part] + list(more)
    plainly = read_plainly(argv, {})
    if plainly is None:
        return
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            arguments = PARSER.parse_args(argv)
        except SystemExit as stop:
            raise AssertionError(f"taken plainly, refused by the parser: {argv}") from stop
    if conflict(plainly):
        with pytest.raises(ConfigurationError, match="exclude each other"):
            given_flags(arguments)
    else:
        assert given_flags(arguments) == plainly


def test_plain_command_lines_are_read_plainly() -> None:
    assert read_plainly(PLAIN, {}) == dict(zip(PLAIN[::2], PLAIN[1::2], strict=True))
    assert read_plainly(["--mine", "x", "--more"], {"--mine": True, "--more": False}) == {
        "--mine": "x",
        "--more": "",
    }
    for odd in (
        ["x"],
        ["--region"],
        ["--region", "--debug"],
        ["--debug=true"],
        ["-h"],
        ["--regi=x"],
    ):
        assert read_plainly(odd, {}) is None
    assert read_plainly(["--region", "a", "--region", "b"], {}) is None
