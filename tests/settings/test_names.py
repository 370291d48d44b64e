"""The table of settings: each is described once, and everything else follows it."""

from __future__ import annotations

import inspect
import re

from repository import DOCS

import boto_rolesanywhere
from boto_rolesanywhere.cli.flag_table import FLAGS
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.names import PASSPHRASE_VARIABLE, SETTINGS

NO_SETTINGS = {"passphrase"}  # not in the config file


def rows_of_the_page() -> list[list[str]]:
    rows = re.findall(
        r"^\| `(.+)\|$", (DOCS / "configuration.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    cells = [[cell.strip() for cell in f"`{row}".split(" | ")] for row in rows]
    return [row for row in cells if "rolesanywhere_" in row[1]]


def test_the_page_lists_each_setting_under_its_names() -> None:
    listed = {row[0].strip("`"): row[1:3] for row in rows_of_the_page()}
    wanted = {
        setting.argument: [f"`{setting.config_key}`", f"`{setting.variable}`"]
        for setting in SETTINGS
        if setting.argument
    }

    assert {name: listed[name] for name in wanted} == wanted
    assert set(listed) - set(wanted) == NO_SETTINGS
    keys, variables = listed["passphrase"]
    assert f"`{PASSPHRASE_VARIABLE}`" in variables
    for setting in SETTINGS:
        if not setting.argument:
            ending = setting.name.removeprefix("private_key")
            assert setting.config_key in keys or ending in keys


def test_each_flag_of_a_setting_has_its_help() -> None:
    rows = {flag: (metavar, text) for group in FLAGS.values() for flag, metavar, text in group}
    settings = [setting for setting in SETTINGS if setting.flag]

    assert settings
    for setting in settings:
        assert rows[str(setting.flag)] == (setting.metavar, setting.help)
        assert setting.help


def test_get_session_takes_each_setting() -> None:
    names = {setting.argument for setting in SETTINGS if setting.argument} | NO_SETTINGS

    assert Arguments.__annotations__.keys() == names
    assert names <= inspect.signature(boto_rolesanywhere.get_session).parameters.keys()


def test_names_are_told_once() -> None:
    for attribute in ("name", "title", "config_key", "variable"):
        values = [getattr(setting, attribute) for setting in SETTINGS]
        assert len(set(values)) == len(values)
