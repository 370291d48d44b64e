"""TROUBLESHOOTING.md has an entry for every message of ours and of AWS's, and for no other."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Final

import pytest
from raised_messages import Message, Source
from repository import ROOT

from boto_rolesanywhere.create_session.denials import DENIALS

PAGE: Final = ROOT / "TROUBLESHOOTING.md"

# Messages that the source does not hold in one piece.
BUILT_ELSEWHERE: Final = {
    "CreateSession was refused (…, HTTP …): …": "ServiceError puts it together from the answer",
    "PKCS#11 URI, attribute … at character …": "stands before a wrong value, which has no words",
    "Unable to locate credentials": "botocore's words, where no provider gave any",
}
# Where a message is nothing but words that come from elsewhere.
HANDED_ON: Final = {
    "cli/__init__.py": "an error's own message",
    "cli/commands/configure.py": "an error's own message",
    "identity/files/reading.py": "PemError's, which counts by itself",
    "identity/opening.py": "of the same error about a certificate",
    "identity/pkcs11/uri.py": "the wrong value; what stands before it has an entry",
    "server/exchange.py": "JSON, whose message counts where it is given",
    "server/imds.py": "a token or a role's name",
    "server/role.py": "credentials",
    "testing/emulator/answers.py": "the service's, of which those that users saw are denials",
    "testing/emulator/service.py": "credentials",
    "inspection/trust_policy/document.py": "a ValueError's, which counts by itself",
}
# What is no message of its own to a user.
NO_ENTRY: Final = {
    "accessKeyId": "caught where it is raised: 'without usable credentials (…)'",
    "secretAccessKey": "likewise",
    "sessionToken": "likewise",
    "expiration": "likewise",
    "no time zone": "likewise",
    "DEK-Info": "caught: 'it is encrypted in a way that cannot be read (its DEK-Info is damaged)'",
    "a seed has 32 bytes": "caught: 'in a form that RFC 9881 does not know'",
    "… complete PEM blocks were found": "a part of 'the TPM key cannot be read: …'",
    "no host": "caught: doctor's own verdict on the endpoint's URL",
    "doctor: …": "says another error's message",
}
GROUPS: Final = (
    *("Settings and ARNs", "Certificates", "Private keys and passphrases", "PKCS#11", "TPM"),
    *("The call: network and TLS", "What AWS says", "Command line, cache, serve, files"),
    *("Trust policies", "Testing tools"),
)


@dataclass(frozen=True)
class Entry:
    """One entry of the page: its headings (messages), and what stands below them."""

    group: str
    messages: tuple[str, ...]
    text: str


@cache
def page() -> tuple[Entry, ...]:
    entries = []
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        group, _, rest = section.partition("\n")
        for found in re.finditer(r"((?:^### .+\n)+)((?:(?!^###? ).*\n?)*)", rest, re.MULTILINE):
            titles = [re.sub(r"^### `(.*)`$", r"\1", one) for one in found[1].splitlines()]
            entries.append(Entry(group, tuple(titles), found[2]))
    return tuple(entries)


@cache
def source() -> Source:
    # The compliance suite's words are those of a failing test, and say what to do themselves.
    return Source(ROOT / "boto_rolesanywhere", skip=("testing/compliance.py",))


@cache
def raised() -> tuple[Message, ...]:
    return tuple(source().messages())


def wanted() -> dict[str, list[str]]:
    """Every message that needs an entry, with the places it comes from."""
    found: dict[str, list[str]] = defaultdict(list)
    for message in raised():
        if message.text not in NO_ENTRY:
            found[message.text].append(message.place)
    for text in BUILT_ELSEWHERE:
        found[text].append("BUILT_ELSEWHERE")
    for denial in DENIALS:
        found[denial.text].append("create_session/denials.py")
    return found


def sort_key(message: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", message.lower()).strip()


def test_the_source_is_understood() -> None:
    texts = {message.text for message in raised()}

    assert len(texts) > 250
    # One of each way in which a message reaches an error.
    assert {
        "the PIN is empty",  # an error's first argument
        "… is not an ARN",  # through a function that raises
        "it is neither PEM nor DER",  # a function's second result, in an f-string
        "it is empty",  # through a method
        "it is a directory",  # a class that was looked up
        "the token refused the PIN",  # a table
        "it is encrypted…, and no passphrase was given",  # a choice made before
        "… has no END line: it is cut short",  # an error handed on
        "This path takes … only.",  # bytes of an answer
        "The new credentials are not written yet: …",  # the log
    } <= texts


def test_no_message_escapes_the_reading() -> None:
    assert source().wordless() == HANDED_ON.keys()


def test_every_message_has_an_entry() -> None:
    there = {message for entry in page() for message in entry.messages}

    missing = {text: places for text, places in wanted().items() if text not in there}

    assert not missing, "\n".join(f"{text}   ({', '.join(at)})" for text, at in missing.items())


def test_what_users_of_broken_files_read_is_on_the_page() -> None:
    vectors = json.loads((ROOT / "tests/vectors/refusals.json").read_text(encoding="utf-8"))
    patterns = [
        re.compile(".*?".join(map(re.escape, message.split("…"))))
        for entry in page()
        for message in entry.messages
        if len(message.replace("…", " ").split()) > 1
    ]

    assert len(vectors["refusals"]) >= 40
    for _, text in vectors["refusals"].values():
        assert any(pattern.search(text) for pattern in patterns), text


def test_no_entry_is_stale() -> None:
    needed = wanted()

    stale = [text for entry in page() for text in entry.messages if text not in needed]

    assert not stale


def test_no_exception_is_stale() -> None:
    texts = {message.text for message in raised()}

    assert NO_ENTRY.keys() <= texts
    assert not BUILT_ELSEWHERE.keys() & texts


def test_the_groups_are_those_of_the_contents() -> None:
    groups = list(dict.fromkeys(entry.group for entry in page()))

    assert groups == list(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_entries_are_sorted_and_say_what_to_do(group: str) -> None:
    entries = [entry for entry in page() if entry.group == group]
    order = [sort_key(entry.messages[0]) for entry in entries]

    assert order == sorted(order)
    for entry in entries:
        assert list(map(sort_key, entry.messages)) == sorted(map(sort_key, entry.messages))
        assert re.fullmatch(
            r"\n\*\*Cause\.\*\* \S.+\n\n\*\*What to do\.\*\* \S.+\n+", entry.text
        ), entry.messages


def test_the_words_of_aws_stand_in_their_group() -> None:
    aws = {entry.messages[0] for entry in page() if entry.group == "What AWS says"}

    assert {denial.text for denial in DENIALS} <= aws


def test_linked_pages_are_there() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", PAGE.read_text(encoding="utf-8")):
        assert (ROOT / target).is_file(), target
