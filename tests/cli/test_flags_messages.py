"""The command's log handler writes one line for each message of any package."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator

import pytest

from boto_rolesanywhere.cli.flags import prepare

FORGED = "no\n\x1b[2K\rboto-rolesanywhere: all is well\u2028"


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    loggers = [logging.getLogger(), logging.getLogger("boto_rolesanywhere")]
    levels = [each.level for each in loggers]

    def prepared(debug: bool) -> None:
        for each in loggers:  # pytest's are there by now
            monkeypatch.setattr(each, "handlers", [])
        prepare(argparse.Namespace(debug=debug, no_verify_ssl=False))

    yield prepared
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


def test_a_message_stays_on_one_line(
    prepared: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(False)
    logging.getLogger("boto_rolesanywhere.elsewhere").warning("refused: %s", FORGED)

    err = capsys.readouterr().err
    assert err.startswith("boto-rolesanywhere: refused: no\\n\\x1b[2K")
    assert err.count("\n") == 1
    assert err.strip().isprintable()


def test_with_debug_the_messages_and_tracebacks_of_others_forge_nothing(
    prepared: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(True)
    logging.getLogger("botocore.endpoint").debug("answer: %s", FORGED)
    logging.getLogger("botocore.endpoint").debug("it failed", exc_info=ValueError(FORGED))

    lines = capsys.readouterr().err.split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line[:4].isdigit() for line in lines if line and line[:2] != "  "] == [True, True]
