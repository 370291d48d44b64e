"""Terraform's language as it is written, read back by a parser that is not ours."""

from __future__ import annotations

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.account.emit.hcl import (
    Block,
    Call,
    Expression,
    Heredoc,
    quoted,
    render,
)

LAID_OUT = """\
# Two lines
# of words

resource "aws_iam_role" "this" {
  name                 = "app"
  max_session_duration = 3600
  tags = {
    "a:b" = "c"
    "for" = true
  }
  path = "/"

  source {
    data    = <<-EOT
      first $${x}
      EOT ${x.y}
    EOT
    another = 1
  }

  nothing = null
  lists = [
    "one",
    aws_x.this.arn,
    1.5,
  ]
  short = jsonencode({
    Empty = {}
    One   = ["x"]
  })
}
"""


def test_the_layout_is_that_of_terraform_fmt() -> None:
    role = Block(
        "resource",
        ("aws_iam_role", "this"),
        (
            ("name", "app"),
            ("max_session_duration", 3600),
            ("tags", {"a:b": "c", "for": True}),
            ("path", "/"),
            Block(
                "source",
                (),
                (
                    ("data", Heredoc(("first ${x}\nEOT ", Expression("x.y"), "\n"))),
                    ("another", 1),
                ),
            ),
            ("nothing", None),
            ("lists", ["one", Expression("aws_x.this.arn"), 1.5]),
            ("short", Call("jsonencode", {"Empty": {}, "One": ["x"]})),
        ),
    )

    assert render(["Two lines\nof words", role]) == LAID_OUT
    assert hcl2.loads(LAID_OUT)["resource"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('say "yes"', r'"say \"yes\""'),
        ("${aws:x}", '"$${aws:x}"'),
        ("%{if}", '"%%{if}"'),
        ("$ % {", '"$ % {"'),
        ("$${x}", '"$$${x}"'),
        ("a\\b\tc\r\n", r'"a\\b\tc\r\n"'),
        ("\x00\x7f\u2028", r'"\U00000000\U0000007f\U00002028"'),
        ("Zoë", '"Zoë"'),
    ],
)
def test_nothing_in_a_text_is_taken_for_the_language(text: str, written: str) -> None:
    assert quoted(text) == written


def test_a_heredoc_ends_at_its_own_end() -> None:
    written = render([Block("locals", (), (("a", Heredoc(("EOT\n EOT_\nb\n",))), ("after", 1)))])

    assert "a     = <<-EOT__\n" in written
    (found,) = hcl2.loads(written)["locals"]
    assert found["after"] == 1


@given(st.text(max_size=30))
def test_any_text_stays_one_value(text: str) -> None:
    written = render([Block("locals", (), (("before", text), ("after", "end")))])

    (found,) = hcl2.loads(written)["locals"]
    assert found["after"] == '"end"'
    assert "\n" not in found["before"]
