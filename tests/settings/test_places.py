"""One module says what a text or object names, and each place has one form."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

import boto_rolesanywhere
from boto_rolesanywhere.settings import places
from boto_rolesanywhere.settings.places import kind_of, plain_place

PACKAGE: Final = Path(boto_rolesanywhere.__file__).parent


@pytest.mark.parametrize(
    ("place", "kind", "plain"),
    [
        ("pkcs11:token=My%20Token", "token", "pkcs11:token=My%20Token"),
        (" PKCS11:token=My%20Token\n", "token", "pkcs11:token=My%20Token"),
        ("Pkcs11:", "token", "pkcs11:"),
        ("handle:0x81000001", "tpm", "handle:0x81000001"),
        ("\tHANDLE:0x8100000A ", "tpm", "handle:0x8100000A"),
        ("C:/keys/app.pem", "file", "C:/keys/app.pem"),
        (" app.pem ", "file", " app.pem "),
        ("/etc/pkcs11:x", "file", "/etc/pkcs11:x"),
        ("pkcs11", "file", "pkcs11"),
        ("", "file", ""),
    ],
)
def test_a_text_names_one_kind_of_place_in_one_form(place: str, kind: str, plain: str) -> None:
    assert kind_of(place) == kind
    assert plain_place(place) == plain
    assert kind_of(plain) == kind


@pytest.mark.parametrize(
    ("place", "kind"),
    [(Path("pkcs11:token=x"), "file"), (b"pkcs11:token=x", "object"), (object(), "object")],
)
def test_what_is_no_text_names_no_device(place: object, kind: str) -> None:
    assert kind_of(place) == kind


def schemes_in(node: ast.AST) -> list[str]:
    """The schemes that `node` looks for in a text."""
    texts = [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    begins = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
        ("startswith", "removeprefix", "partition", "split", "find", "index", "match")
    )
    schemes = (places.TOKEN_SCHEME, places.TPM_SCHEME)
    return [
        text
        for text in texts
        if text.strip().lower() in schemes or (begins and text.lower().startswith(schemes))
    ]


def asks(source: str) -> list[int]:
    """The lines in which Python source tells by its text what a place is."""
    return sorted(
        {
            node.lineno
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.expr) and schemes_in(node)
        }
    )


@pytest.mark.parametrize(
    "question",
    [
        'place.startswith("pkcs11:")',
        'place.lower().startswith(("pkcs11:", "handle:"))',
        'place[:7].lower() == "pkcs11:"',
        'place.upper().partition("PKCS11:")',
        '"handle:" in place',
    ],
)
def test_the_question_is_recognised(question: str) -> None:
    assert asks(question)
    assert not asks('help("a path, or a pkcs11: URI"); example = "pkcs11:token=prod"')


def test_one_module_asks_what_a_place_is() -> None:
    askers = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in asks(path.read_text(encoding="utf-8"))
    ]
    assert {asker.partition(":")[0] for asker in askers} == {"settings/places.py"}
