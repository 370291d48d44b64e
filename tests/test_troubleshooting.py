"""Each code that is raised has an entry, in the words of the source; the page is made from them."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections import defaultdict
from functools import cache
from typing import Final, get_args

import pytest
from botocore.exceptions import NoCredentialsError
from repository import ROOT, VECTORS

import boto_rolesanywhere
from boto_rolesanywhere.certificates.rules import Code
from boto_rolesanywhere.cli.commands.explain import explanations
from boto_rolesanywhere.create_session.denials import DENIALS

ENTRIES: Final = explanations()
GAP: Final = "…"  # in a message: what differs each time


@cache
def nodes(folder: str = "boto_rolesanywhere") -> list[ast.AST]:
    files = (ROOT / folder).rglob("*.py")
    return [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]


def text_of(node: ast.AST) -> str:
    """A string of the source as an entry quotes it; empty if it is none."""
    if isinstance(node, ast.JoinedStr):
        return plain("".join(text_of(part) or GAP for part in node.values))
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) else ""


def plain(text: str) -> str:
    filled = re.sub(r"%[-0-9.]*[sdfr]", GAP, text)
    return re.sub(f"{GAP}+", GAP, " ".join(filled.split())).strip(" .")


@cache
def texts() -> dict[str, re.Pattern[str]]:
    """Each string of the source, and a pattern that finds what stands in its gaps."""
    found = {plain(text_of(node)) for node in (*nodes(), *nodes("examples"))}
    found.add(plain(NoCredentialsError.fmt))  # botocore's
    return {text: re.compile(re.escape(text).replace(GAP, "(.*?)"), re.DOTALL) for text in found}


def is_said(message: str) -> bool:
    """Whether the source has this text: as one string, or as strings that fill another's gaps."""
    if {message, message.strip(f" {GAP}")} & texts().keys() or not re.search("[a-z]", message):
        return True
    for text, pattern in texts().items():
        match = pattern.fullmatch(message) if GAP in text and re.search("[a-z]", text) else None
        if match and all(is_said(plain(filling)) for filling in match.groups()):
            return True
    return False


def covers(message: str, other: str) -> bool:
    return bool(re.fullmatch(re.escape(plain(message)).replace(GAP, ".*"), other, re.DOTALL))


@cache
def raised() -> dict[str, set[str]]:
    """The codes in the source, and the messages that stand beside them as literals."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name, first = ast.unparse(node.func), plain(text_of(node.args[0])) if node.args else ""
        if name.endswith("Meaning"):
            found[first].add(plain(text_of(node.args[1])))
        for keyword in node.keywords:
            for part in ast.walk(keyword.value) if keyword.arg == "code" else ():
                found[text_of(part)].add(first)
    for code in ("", "certificate-", f"certificate-{GAP}"):  # composed with what is in rules.Code
        found.pop(code, None)
    composed = [f"certificate-{code}" for code in get_args(Code)]
    return found | {code: set() for code in (*composed, *(denial.code for denial in DENIALS))}


def test_every_error_of_ours_is_made_with_a_code() -> None:
    public = {name for name in boto_rolesanywhere.__all__ if name.endswith("Error")}
    calls = [node for node in nodes() if isinstance(node, ast.Call)]
    made = [call for call in calls if ast.unparse(call.func) in public]
    assert len(made) > 100
    codeless = [call for call in made if "code" not in {word.arg for word in call.keywords}]
    assert [ast.unparse(call) for call in codeless] == []


def test_every_code_has_an_entry_with_its_messages() -> None:
    assert raised().keys() - ENTRIES.keys() == set()
    unlisted = {
        (code, message)
        for code, messages in raised().items()
        for message in messages
        if re.search("[a-z]{2}", message)
        and not any(covers(m, message) or covers(message, plain(m)) for m in ENTRIES[code].messages)
    }
    assert unlisted == set()


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_has_the_words_of_the_source(code: str) -> None:
    entry = ENTRIES[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|throttled", code)
    assert entry.cause.endswith((".", "`", ")"))
    assert entry.remedy.endswith((".", "`", ")"))
    assert entry.messages
    assert [message for message in entry.messages if not is_said(plain(message))] == []


def test_the_page_is_made_from_the_entries() -> None:
    path = ROOT / "scripts" / "write_troubleshooting.py"
    spec = importlib.util.spec_from_file_location("write_troubleshooting", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    text = script.PAGE.read_text(encoding="utf-8")

    assert text == script.page(), "run: .venv/bin/python scripts/write_troubleshooting.py"
    assert sorted(re.findall(r"^### (.*)$", text, re.MULTILINE)) == sorted(ENTRIES)
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / target).is_file(), target


def test_what_users_of_broken_files_read_is_on_the_page() -> None:
    vectors = json.loads((VECTORS / "refusals.json").read_text(encoding="utf-8"))
    messages = [message for entry in ENTRIES.values() for message in entry.messages]
    wordy = [m for m in messages if len(m.replace(GAP, " ").split()) > 1]

    assert len(vectors["refusals"]) >= 40
    for _, text in vectors["refusals"].values():
        assert any(covers(f"{GAP}{message}{GAP}", plain(text)) for message in wordy), text
