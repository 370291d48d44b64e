"""The JSON of a trust policy from the text that people have, and words for what is no JSON."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Final, cast
from urllib.parse import unquote

from boto_rolesanywhere.errors import ConfigurationError

_unreadable: Final = partial(ConfigurationError, code="trust-policy-invalid")
_LONGEST_KEY: Final = 60
# What `aws iam get-role` prints; the document may be text in a URL's encoding, as IAM's API has it.
_AROUND: Final = ("Role", "AssumeRolePolicyDocument")
_WORDS: Final = {  # of json's errors, by their beginning
    "Expecting value": "a value belongs here",
    "Expecting property name": "a name in double quotes belongs here",
    "Expecting ',' delimiter": "a comma belongs here, or the closing bracket",
    "Expecting ':' delimiter": "a colon belongs here",
    "Extra data": "something follows the end",
    "Unterminated string": "the string that begins here has no end",
    "Invalid control character": "a line break or the like stands in a string",
    "Invalid \\": "a backslash stands before a character that needs none",
    "Illegal trailing comma": "no comma belongs before a closing bracket",
}
_SHAPES: Final = (  # what the text looks like, and what to do
    (re.compile(r"\s*<"), "It is a web page (HTML or XML): download the policy anew."),
    (re.compile(r"\s*'"), "It stands in quotes, which do not belong to it."),
    (re.compile(r"\s*```"), "It stands between ``` lines, which do not belong to it."),
    (re.compile(r"\s*(---|Version:|Statement:)"), "It is YAML: write it as JSON."),
    (re.compile(r"\s*(data|resource|locals)\b"), "It is Terraform's HCL: `terraform show -json`."),
    (re.compile(r"\s*(//|/\*|#)|.*\n\s*(//|#)", re.DOTALL), "JSON has no comments: remove them."),
    (re.compile("[^\"]*[\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}]"),
     'Its quotes are typographic: write them as ".'),
    (re.compile("[^\"]*\N{NO-BREAK SPACE}"), "It has no-break spaces: write them as plain ones."),
    (re.compile(r"[^\"]*\{\s*'"), "Its quotes are single, as Python's: write them as \"."),
    (re.compile(r"(?s).*,\s*[}\]]"), "No comma belongs before a closing bracket."),
    (re.compile(r"\s*eyJ|\s*[A-Za-z0-9+/\s]{40,}={0,2}\s*\Z"), "Decode it: `base64 -d old > new`."),
)  # fmt: skip


def read_document(text: str | bytes, where: str) -> object:
    """The policy's JSON as values; also out of what `aws iam get-role` prints.

    Args:
        text: bytes are UTF-8 or, as PowerShell writes, UTF-16; with or without a byte order mark.
        where: the file or argument it came from, for errors.

    Raises:
        ConfigurationError: it is not JSON, or a key stands twice in an object.
    """
    unreadable = partial(_unreadable, where=where)
    if not text.strip():
        raise unreadable("it is empty", expected="a trust policy in JSON")
    try:
        found = _loaded(_decoded(text))
        for name in _AROUND:
            if isinstance(found, dict):
                found = found.get(name, found)
        return _loaded(found) if isinstance(found, str) and "{" in unquote(found) else found
    except UnicodeDecodeError as error:
        raise unreadable(f"byte {error.start} is not UTF-8", expected="JSON text") from None
    except json.JSONDecodeError as error:
        words = (ours for theirs, ours in _WORDS.items() if error.msg.startswith(theirs))
        raise unreadable(
            f"line {error.lineno}, column {error.colno}: {next(words, 'it is no JSON here')}",
            expected="JSON",
            remedy=next((advice for shape, advice in _SHAPES if shape.match(error.doc)), None),
        ) from None
    except RecursionError:
        raise unreadable("it is nested too deeply", expected="a trust policy") from None
    except ValueError as error:  # a duplicate key, or a number of thousands of digits
        is_ours = error.args[1:] == (_OURS,)
        problem = error.args[0] if is_ours else "a number in it is far too long"
        raise unreadable(problem, expected="JSON as IAM accepts it") from None


_OURS: Final = "ours"


def _loaded(text: str) -> object:
    if text.lstrip()[:3] in ("%7B", "%7b", "%20", "%0A"):
        text = unquote(text)
    return cast("object", json.loads(text, object_pairs_hook=_no_duplicates))


def _decoded(text: str | bytes) -> str:
    """The text without a byte order mark."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    return text.removeprefix("\ufeff")


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a key that stands twice: Python would silently lose the first condition."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            shown = repr(key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…")
            raise ValueError(f"the key {shown} is in one object twice", _OURS)
        found[key] = value
    return found
