"""Any text is a PKCS#11 URI or gets our error, and what was built is read again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.pkcs11.pin import pin_source_path
from boto_rolesanywhere.identity.pkcs11.uri import Pkcs11Uri, parse_pkcs11_uri

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
MODULE_NAMES = TEXTS.filter(lambda text: not {"/", "\\"} & set(text))
BYTES = st.integers(0, 255)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "id": st.binary(),
    "type": st.sampled_from(["public", "private", "cert", "secret-key", "data"]),
    "library_version": st.tuples(BYTES, BYTES),
    "slot_id": st.integers(0, 2**64 - 1),
    "module_name": MODULE_NAMES,
}
NAMES = [field.name for field in fields(Pkcs11Uri)]
URIS = (
    st.fixed_dictionaries({}, optional={name: VALUES.get(name, TEXTS) for name in NAMES})
    .filter(lambda values: not {"pin_value", "pin_source"} <= set(values))
    .map(lambda values: Pkcs11Uri(**values))  # type: ignore[arg-type]  # each of its field's type
)
# Close to the grammar, so that errors deep in it are met.
SIGNS = ["pkcs11:", "=", ";", "?", "&", "%", "%ff", "%C3%A9", "%00", "/", " ", "é", "\udc80", "\0"]
PIECES = st.sampled_from(
    [*(name.replace("_", "-") for name in NAMES), *SIGNS, "x-vendor", "1", "1.2", "cert"]
)


@given(st.text() | (st.text() | st.lists(PIECES).map("".join)).map("pkcs11:{}".format))
@example("pkcs11:slot-id=" + "1" * 5000)
def test_any_text_gives_a_value_or_our_error(text: str) -> None:
    try:
        uri = parse_pkcs11_uri(text)
    except ConfigurationError:
        return
    assert parse_pkcs11_uri(str(uri)) == replace(uri, pin_value=None)


@given(URIS)
def test_what_is_written_is_read_again(uri: Pkcs11Uri) -> None:
    assert parse_pkcs11_uri(str(uri)) == replace(uri, pin_value=None)


@given(URIS, st.randoms(use_true_random=False), st.booleans())
def test_order_and_encoding_do_not_matter(uri: Pkcs11Uri, random: object, everything: bool) -> None:
    written = {"path": [], "query": []}  # type: dict[str, list[str]]
    for name in NAMES:
        value = getattr(uri, name)
        if value is None:
            continue
        part = "query" if name.startswith(("pin_", "module_")) else "path"
        written[part].append(f"{name.replace('_', '-')}={encoded(name, value, everything)}")
    for parts in written.values():
        random.shuffle(parts)  # type: ignore[attr-defined]  # a random.Random
    query = "&".join(written["query"])
    assert parse_pkcs11_uri(f"pkcs11:{';'.join(written['path'])}?{query}") == uri


def encoded(name: str, value: object, everything: bool) -> str:
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    if isinstance(value, int) or name == "type":
        return str(value)
    raw = value if isinstance(value, bytes) else str(value).encode()
    return "".join(f"%{byte:02x}" for byte in raw) if everything else quote(raw, safe="")


@given(st.text("0123456789", min_size=6), st.text())
def test_a_pin_is_never_shown(pin: str, rest: str) -> None:
    pin = f"<{pin}>"  # as nothing else in a message reads
    for text in (f"pkcs11:?pin-value={pin}{rest}", f"pkcs11:?pin-value={quote(pin)}&{quote(rest)}"):
        try:
            shown = repr(parse_pkcs11_uri(text)) + str(parse_pkcs11_uri(text))
        except ConfigurationError as error:
            shown = f"{error} {error!r} {vars(error)}"
        assert pin not in shown


@given(st.text() | st.text().map("file:{}".format))
def test_any_pin_source_is_a_path_or_our_error(source: str) -> None:
    try:
        path = pin_source_path(source)
    except ConfigurationError:
        return
    named = unquote(urlsplit(source).path) if source.lower().startswith("file:") else source
    assert path == Path(named) or named.startswith("~")
    assert not source.startswith("|")


def test_nothing_is_known_of_an_empty_uri() -> None:
    uri = parse_pkcs11_uri("pkcs11:")
    assert [getattr(uri, name) for name in NAMES] == [None] * len(NAMES)
    with pytest.raises(ConfigurationError):
        parse_pkcs11_uri("")
