"""RFC 7512 PKCS#11 URIs: text in, a value out, and back.

Pure: no file is read, no token asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.places import TOKEN, TOKEN_SCHEME, kind_of, plain_place

if TYPE_CHECKING:
    from collections.abc import Iterator


ObjectType: TypeAlias = Literal["public", "private", "cert", "secret-key", "data"]
_TYPES: Final = ("public", "private", "cert", "secret-key", "data")

# RFC 7512 section 2.3, pk11-res-avail: what may stand in a value unencoded beside the unreserved
# characters; pk11-path-res-avail adds "&" to it, pk11-query-res-avail "/", "?" and "|".
_RESERVED: Final = ":[]@!$'()*+,="
_PATH_RESERVED: Final = _RESERVED + "&"
_QUERY_RESERVED: Final = _RESERVED + "/?|"
# More than that is read: people write blanks, "/" and letters of their language as they are, and
# the attributes can still be told apart. A "%" begins two hexadecimal digits.
_VALUE: Final = re.compile(r"(?:[^%\x00-\x1f\x7f-\x9f\ud800-\udfff]|%[0-9A-Fa-f]{2})*")
# pk11-v-attr-nm-char = ALPHA / DIGIT / "-" / "_"; the standard names are made of the same.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_VENDORS: Final = "x-"
_OLD_NAMES: Final = {"object-type": "type", "objecttype": "type"}  # of drafts of RFC 7512
_MAX_SLOT_ID: Final = 2**64 - 1  # CK_SLOT_ID is an unsigned long
_invalid: Final = partial(ConfigurationError, code="pkcs11-uri-invalid", where="PKCS#11 URI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs11Uri:
    """The attributes of a PKCS#11 URI, decoded. None means absent: it matches everything.

    ``str()`` gives the URI again, in a fixed order and without ``pin-value``; neither it nor
    ``repr()`` ever shows a PIN.

    Attributes:
        token: label of the token.
        manufacturer: manufacturer of the token.
        serial: serial number of the token.
        model: model of the token.
        library_manufacturer: manufacturer of the PKCS#11 library.
        library_description: description of the PKCS#11 library.
        library_version: (major, minor).
        object: label of the object (CKA_LABEL).
        type: class of the object (CKA_CLASS).
        id: CKA_ID, bytes.
        slot_id: number of the slot.
        slot_description: description of the slot.
        slot_manufacturer: manufacturer of the slot.
        pin_value: the PIN itself; never shown.
        pin_source: where the PIN is: a path or a ``file:`` URI.
        module_path: path of the PKCS#11 library.
        module_name: its name, without folder, ``lib`` and suffix.
    """

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    library_manufacturer: str | None = None
    library_description: str | None = None
    library_version: tuple[int, int] | None = None
    object: str | None = None
    type: ObjectType | None = None
    id: bytes | None = None
    slot_id: int | None = None
    slot_description: str | None = None
    slot_manufacturer: str | None = None
    pin_value: str | None = field(default=None, repr=False)
    pin_source: str | None = None
    module_path: str | None = None
    module_name: str | None = None

    @property
    def has_pin(self) -> bool:
        """Whether it says the PIN, or where that is."""
        return self.pin_value is not None or self.pin_source is not None

    def __str__(self) -> str:
        values = {f.name.replace("_", "-"): getattr(self, f.name) for f in fields(self)}
        path = _build(values, _PATH_ATTRIBUTES, ";", _PATH_RESERVED)
        query = _build(values, _QUERY_ATTRIBUTES - {"pin-value"}, "&", _QUERY_RESERVED)
        return TOKEN_SCHEME + path + (f"?{query}" if query else "")


_PATH_ATTRIBUTES: Final = frozenset(
    f.name.replace("_", "-")
    for f in fields(Pkcs11Uri)
    if not f.name.startswith(("pin_", "module_"))
)
_QUERY_ATTRIBUTES: Final = frozenset({"pin-source", "pin-value", "module-name", "module-path"})


def parse_pkcs11_uri(text: str) -> Pkcs11Uri:
    """Read a PKCS#11 URI.

    Args:
        text: for example ``pkcs11:token=My%20token;object=web?pin-source=/etc/pin``.

    Returns:
        Its attributes, percent-decoded.

    Raises:
        ConfigurationError: it is not one, with the attribute, its position and what was expected.
            The message shows no value of ``pin-value``.
    """
    if kind_of(text) != TOKEN:
        raise _invalid("not a PKCS#11 URI", expected="a text that begins with pkcs11:")
    # RFC 7512 section 2.3: pk11-URI = "pkcs11:" pk11-path [ "?" pk11-query ]
    path, _, query = plain_place(text)[len(TOKEN_SCHEME) :].partition("?")
    values: dict[str, Any] = {}
    for item in _attributes(path, ";", len(TOKEN_SCHEME)):
        _take_path_attribute(item, values)
    for item in _attributes(query, "&", len(TOKEN_SCHEME) + len(path) + 1):
        _take_query_attribute(item, values)
    # RFC 7512 section 2.4: a URI with both pin-source and pin-value is refused as invalid.
    if "pin-value" in values and "pin-source" in values:
        raise _invalid(
            "both pin-value and pin-source are given",
            expected="one of them at most (RFC 7512 section 2.4)",
        )
    return Pkcs11Uri(**{name.replace("-", "_"): value for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One ``name=value`` of a URI, as written; `position` counts its characters from 1."""

    name: str
    value: str = field(repr=False)
    position: int

    def error(self, problem: str, expected: str | None = None) -> ConfigurationError:
        where = f"PKCS#11 URI, attribute {self.name!r} at character {self.position}"
        return _invalid(problem, where=where, expected=expected)


def _attributes(component: str, separator: str, offset: int) -> Iterator[_Attribute]:
    """The attributes of one component. One separator too many does no harm."""
    position = offset
    for part in component.split(separator):
        position += len(separator)
        start, position = position, position + len(part)
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name = _plain_name(name.strip())
        value = value if name == "pin-value" else value.strip()
        if not equals or not _NAME.fullmatch(name):
            # The part itself is not shown: it may be a PIN that was not percent-encoded.
            raise _invalid(
                f"no attribute at character {start}",
                expected=f"name=value; a {separator!r} within a value is written "
                f"{quote(separator, safe='')}",
            )
        item = _Attribute(name, value, start)
        _check_characters(item)
        yield item


def _plain_name(name: str) -> str:
    # In a grammar (RFC 5234, section 2.3) the names have no case.
    lower = _OLD_NAMES.get(name.lower(), name.lower())
    known = lower in _PATH_ATTRIBUTES | _QUERY_ATTRIBUTES or lower.startswith(_VENDORS)
    return lower if known else name


def _check_characters(item: _Attribute) -> None:
    match = _VALUE.match(item.value)
    end = match.end() if match else 0
    if end == len(item.value):
        return
    at = item.position + len(item.name) + 1 + end
    character = item.value[end]
    if item.name == "pin-value":
        raise item.error(
            f"a character that may not stand there at character {at}",
            "the character percent-encoded",
        )
    if character == "%":
        raise item.error(f"a bare '%' at character {at}", "% and two hex digits; '%' itself is %25")
    encoded = quote(character, safe="", errors="backslashreplace")
    raise item.error(
        f"{character!r} at character {at} may not stand there", f"{encoded} in its place"
    )


def _take_path_attribute(item: _Attribute, values: dict[str, Any]) -> None:
    # RFC 7512 section 2.5: an unrecognised path attribute leaves nothing to match; leaving it out
    # instead would widen what the URI names, to another key perhaps. A vendor's own restricts
    # nothing that PKCS #11 knows: AWS's helper and others pass over it.
    if item.name.startswith(_VENDORS):
        return
    if item.name not in _PATH_ATTRIBUTES:
        if item.name in _QUERY_ATTRIBUTES:
            raise item.error("it stands in the path", "the attribute after a '?'")
        raise item.error("unknown", f"one of {', '.join(sorted(_PATH_ATTRIBUTES))}")
    _put(item, _path_value(item), values)


def _take_query_attribute(item: _Attribute, values: dict[str, Any]) -> None:
    if item.name in _PATH_ATTRIBUTES:
        raise item.error("it stands after the '?'", "the attribute before the '?', after a ';'")
    # RFC 7512 section 2.5: an unrecognised query attribute is ignored.
    if item.name not in _QUERY_ATTRIBUTES:
        return
    value = _text(item)
    # RFC 7512 section 2.4: a module's name, not its path.
    if item.name == "module-name" and ("/" in value or "\\" in value):
        raise item.error("a path", "a name without folder; a path belongs in module-path")
    _put(item, value, values)


def _put(item: _Attribute, value: object, values: dict[str, Any]) -> None:
    # RFC 7512 section 2.3: no attribute may stand there twice but an unrecognised one of the query.
    if item.name in values:
        raise item.error("the URI has this attribute twice", "one value")
    values[item.name] = value


def _path_value(item: _Attribute) -> str | bytes | int | tuple[int, int] | None:
    match item.name:
        case "id":
            return unquote_to_bytes(item.value)
        case "type":
            # pk11-type = "type" "=" *1( … ): it may be empty, and then restricts nothing.
            type_ = item.value.lower()
            if type_ and type_ not in _TYPES:
                raise item.error(repr(item.value), f"one of {', '.join(_TYPES)}")
            return type_ or None
        case "slot-id":
            # pk11-slot-id = "slot-id" "=" 1*DIGIT
            if not re.fullmatch(r"[0-9]{1,20}", item.value) or int(item.value) > _MAX_SLOT_ID:
                raise item.error(repr(item.value), f"a whole number up to {_MAX_SLOT_ID}")
            return int(item.value)
        case "library-version":
            return _version(item)
        case _:
            return _text(item)


def _version(item: _Attribute) -> tuple[int, int]:
    # pk11-lib-ver = "library-version" "=" 1*DIGIT [ "." 1*DIGIT ]; both are one byte (CK_VERSION),
    # and the minor one is 0 if it is left out.
    match = re.fullmatch(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?", item.value)
    version = (int(match[1]), int(match[2] or 0)) if match else (256, 0)
    if max(version) > 255:  # noqa: PLR2004  # a byte
        raise item.error(repr(item.value), "M or M.N, each from 0 to 255")
    return version


def _text(item: _Attribute) -> str:
    try:
        text = unquote_to_bytes(item.value).decode("utf-8")
    except UnicodeDecodeError:
        # `from None`: the exception carries the bytes, which may be a PIN's.
        raise item.error("not UTF-8", "percent-encoded UTF-8; bytes stand in id= only") from None
    if "\0" in text:
        raise item.error("it holds a NUL character", "text without it")
    return text


def _build(values: dict[str, Any], names: frozenset[str], separator: str, safe: str) -> str:
    parts = [
        f"{name}={_written(value, safe)}"
        for name, value in values.items()
        if name in names and value is not None
    ]
    return separator.join(parts)


def _written(value: str | bytes | int | tuple[int, int], safe: str) -> str:
    if isinstance(value, bytes):
        # RFC 7512 section 2.3: the whole of id should be percent-encoded.
        return "".join(f"%{byte:02X}" for byte in value)
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return quote(str(value), safe=safe)
