"""Pages of text: marks, columns, wrapping, colour, and names that would steer the terminal."""

from __future__ import annotations

import io
import os
import pty

import pytest

from boto_rolesanywhere.cli.terminal import Page


def page(**options: object) -> Page:
    made = Page(**options)
    made.heading("Title", "a detail")
    made.fields([("label", "value"), ("longer label", "word " * 20), ("", "more")])
    made.heading("Second")
    made.marked("ok", "one", "fine", column=5)
    made.marked("fail", "three", "x/" * 40, column=5)
    made.marked("warn", "a sentence " * 10)
    made.note("a remedy")
    return made


def test_without_a_width_every_thing_stays_on_one_line() -> None:
    lines = str(page()).splitlines()
    assert lines == [
        "Title  a detail",
        "  label         value",
        "  longer label  " + ("word " * 20).rstrip(),
        "                more",
        "",
        "Second",
        "  ok   one    fine",
        "  FAIL three  " + "x/" * 40,
        "  warn " + ("a sentence " * 10).rstrip(),
        "       a remedy",
    ]


def test_within_a_width_all_is_shown_under_its_column() -> None:
    lines = str(page(width=60)).splitlines()
    assert max(map(len, lines)) <= 60
    assert "".join("".join(lines).split()) == "".join(str(page()).split())
    words = [line for line in lines if "word" in line]
    assert len(words) > 1
    assert all(line.startswith(" " * 16 + "word") for line in words[1:])
    sentence = lines.index("       a remedy")
    assert lines[sentence - 1].startswith("       ")


def test_colour_changes_nothing_but_colour() -> None:
    coloured = str(page(colour=True))
    assert "\x1b[32mok  \x1b[0m" in coloured
    assert "\x1b[1;31mFAIL\x1b[0m" in coloured
    for code in ("0", "1", "32", "33", "1;31"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == str(page())


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], colour: bool) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal:  # noqa: PTH123  # a file descriptor
        made = Page.for_stream(terminal, environ)
        made.marked("ok", "x")
    os.close(ours)
    assert ("\x1b[" in str(made)) is colour


def test_a_pipe_gets_neither_colour_nor_wrapping() -> None:
    made = Page.for_stream(io.StringIO(), {})
    made.marked("ok", "word " * 60)
    assert str(made) == "  ok   " + ("word " * 60).rstrip() + "\n"


def test_what_the_stream_cannot_show_is_escaped() -> None:
    made = Page()
    made.heading("東")
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    made.write(stream)
    stream.flush()
    assert raw.getvalue() == b"\\u6771\n"
