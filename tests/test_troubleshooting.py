"""Every code that is raised has an entry, every entry a code, and the page is made from them."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from functools import cache
from typing import Final, get_args

import pytest
from repository import ROOT, VECTORS

import boto_rolesanywhere
from boto_rolesanywhere.certificates.rules import Code
from boto_rolesanywhere.cli.commands.explain import Explanation, explanations
from boto_rolesanywhere.create_session.denials import DENIALS

PACKAGE: Final = ROOT / "boto_rolesanywhere"
# Entries of what carries no code: log lines, answers of the local endpoint, words of argparse's and
# of botocore's, errors of a program's own key.
SPOKEN: Final = {
    "arguments-torn",
    "cache-off",
    "cache-without-tls",
    "cached-session-kept",
    "chain-without-issuer",
    "command-line-invalid",
    "credentials-not-found",
    "endpoint-not-encrypted",
    "exec-not-runnable",
    "exec-without-command",
    "flag-value-invalid",
    "key-file-exposed",
    "key-not-picklable",
    "notify-failed",
    "output-unwritable",
    "own-key-failed",
    "renewal-postponed",
    "rotation-held-back",
    "serve-role-failed",
    "server-request-failed",
    "server-request-refused",
    "server-unauthorized",
    "server-without-credentials",
    "setting-misspelt",
    "store-file-locked",
    "tls-not-checked",
    "update-postponed",
}
FROM_ELSEWHERE: Final = {"credentials-not-found", "own-key-failed"}  # botocore's, an example's


@cache
def entries() -> dict[str, Explanation]:
    return explanations()


def calls() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", node)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]


def raised() -> set[str]:
    """The codes in the source: literal ``code=``, and those of the tables."""
    literal = {
        node.value
        for _, call in calls()
        for keyword in call.keywords
        for node in ast.walk(keyword.value)
        if keyword.arg == "code" and isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    tables = {
        call.args[0].value
        for _, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id in {"_Meaning", "Meaning"}
        if isinstance(call.args[0], ast.Constant)
    }
    of_certificates = {f"certificate-{code}" for code in get_args(Code)}
    literal.discard("certificate-")  # followed by what stands in rules.Code
    return literal | tables | of_certificates | {denial.code for denial in DENIALS}


def test_every_error_of_ours_is_made_with_a_code() -> None:
    public = {name for name in boto_rolesanywhere.__all__ if name.endswith("Error")}
    made = [
        (place, call)
        for place, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id in public
    ]
    assert len(made) > 100
    assert [at for at, call in made if "code" not in {one.arg for one in call.keywords}] == []


def test_codes_and_entries_are_the_same() -> None:
    codes = raised()

    assert codes - entries().keys() == set()
    assert entries().keys() - codes == SPOKEN
    assert all(
        re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in codes if code != "throttled"
    )


def test_the_page_is_made_from_the_entries() -> None:
    path = ROOT / "scripts" / "write_troubleshooting.py"
    spec = importlib.util.spec_from_file_location("write_troubleshooting", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    text = script.PAGE.read_text(encoding="utf-8")

    assert text == script.page(), "run: .venv/bin/python scripts/write_troubleshooting.py"
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [
        code for group in script.GROUPS for code in entries() if entries()[code].group == group
    ]
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("code", sorted(explanations().keys() - FROM_ELSEWHERE))
def test_an_entry_has_the_words_of_the_source(code: str) -> None:
    entry = entries()[code]

    assert entry.messages
    assert entry.cause.endswith((".", "`", ")"))
    assert entry.remedy.endswith((".", "`", ")"))
    for message in entry.messages:
        said = words(message).split()
        if len(said) < 3:
            continue  # nothing but what differs each time
        pairs = [" ".join(said[start : start + 2]) for start in range(len(said) - 1)]
        assert any(f" {pair} " in source_words() for pair in pairs), message


def words(text: str) -> str:
    """The words of a text, each with one blank around it."""
    return f" {' '.join(re.findall('[A-Za-z#]+', text))} "


@cache
def source_words() -> str:
    """The words of every string of the package."""
    nodes = [
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    ]
    texts = [node.decode("latin-1") if isinstance(node, bytes) else node for node in nodes]
    return "|".join(words(text) for text in texts if isinstance(text, str))


def test_what_users_of_broken_files_read_is_on_the_page() -> None:
    vectors = json.loads((VECTORS / "refusals.json").read_text(encoding="utf-8"))
    patterns = [
        re.compile(".*?".join(map(re.escape, message.split("…"))))
        for entry in entries().values()
        for message in entry.messages
        if len(message.replace("…", " ").split()) > 1
    ]

    assert len(vectors["refusals"]) >= 40
    for _, text in vectors["refusals"].values():
        assert any(pattern.search(text) for pattern in patterns), text
