"""Text from outside in errors and logs stays on its line and steers no terminal."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import boto_rolesanywhere
from boto_rolesanywhere.credentials.keeper import Keeper
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.redaction import logger_of, printable

PACKAGE = Path(boto_rolesanywhere.__file__).parent
FORGED = "denied\n\x1b[2K\rboto-rolesanywhere: all is well\u2028\u202e"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 東京", "plain ünïcode 東京"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("right\u202eto left", "right\\u202eto left"),
        ("lone \ud800", "lone \\ud800"),
        ("line\u2028end", "line\\u2028end"),
    ],
)
def test_what_could_steer_the_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_fills_a_message_stays_on_its_line(caplog: pytest.LogCaptureFixture) -> None:
    logger_of("boto_rolesanywhere.test").warning("%s, %d times: %s", FORGED, 3, ValueError(FORGED))

    (record,) = caplog.records
    assert record.getMessage() == f"{printable(FORGED)}, 3 times: {printable(FORGED)}"
    assert record.msg == "%s, %d times: %s"  # by which a collector of logs groups them
    assert record.getMessage().isprintable()


def test_the_words_of_a_refusal_forge_no_line_in_a_programs_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse() -> RolesAnywhereSession:
        raise SessionDeniedError(
            {"Error": {"Code": "AccessDeniedException", "Message": FORGED}},
            "CreateSession",
            code="made-up",
        )

    keeper = Keeper("reader", SessionCredentials(refuse))
    keeper._renew()

    (record,) = caplog.records
    assert "all is well" in record.getMessage()
    assert record.getMessage().isprintable()


def test_every_logger_of_the_package_is_such_a_logger() -> None:
    """But for the emulator's, and the places that only set up handlers and levels."""
    bare = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bare += [
            str(path.relative_to(PACKAGE))
            for node in tree.body
            if isinstance(node, ast.Assign) and "getLogger(" in ast.unparse(node.value)
        ]
    assert [name for name in bare if not name.startswith("testing/")] == []
