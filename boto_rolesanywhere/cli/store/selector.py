"""``--cert-selector``: its grammar, which is that of AWS's helper, and which certificates it means.

Where certificates are looked for is in `certificate_store`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from boto_rolesanywhere.errors import ConfigurationError

from .helper_names import as_helper_shows

if TYPE_CHECKING:
    from cryptography import x509

_WHERE: Final = "--cert-selector"
_FILE: Final = "file://"
_SUBJECT: Final = "x509Subject"
_ISSUER: Final = "x509Issuer"
_SERIAL: Final = "x509Serial"
_KEYS: Final = (_SUBJECT, _ISSUER, _SERIAL)
# The helper's own pattern: a value goes on to the next "Key=", so that it may hold blanks.
_PAIR: Final = re.compile(r"\s*Key=(.+?),Value=(.+?)\s*(?=Key=|\Z)")
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_EXAMPLE: Final = "'Key=x509Subject,Value=CN=web Key=x509Issuer,Value=CN=CA'"
_JSON_EXAMPLE: Final = '[{"Key": "x509Subject", "Value": "CN=web"}]'


@dataclass(frozen=True, slots=True)
class Selector:
    """Which certificate is meant. What is None restricts nothing.

    Attributes:
        subject: the subject, as `as_helper_shows` gives it, or as in RFC 4514.
        issuer: the issuer, likewise.
        serial: the serial number.
    """

    subject: str | None = None
    issuer: str | None = None
    serial: int | None = None

    def matches(self, certificate: x509.Certificate) -> bool:
        """Whether `certificate` is meant."""
        return (
            (self.subject is None or self.subject in _forms(certificate.subject))
            and (self.issuer is None or self.issuer in _forms(certificate.issuer))
            and self.serial in (None, certificate.serial_number)
        )


def parse_selector(text: str) -> Selector:
    """Read a selector.

    Args:
        text: ``Key=…,Value=…`` pairs with blanks between them, or ``file://`` and the path of a
            JSON file. Each of x509Subject, x509Issuer and x509Serial (hexadecimal) once at most.

    Raises:
        ConfigurationError: it is neither, or a key is unknown or stands there twice.
    """
    if text.startswith(_FILE):
        path = text.removeprefix(_FILE)
        pairs = _read_json(path)
        where = path
    else:
        pairs, where = _read_pairs(text), _WHERE
    values: dict[str, str] = {}
    for key, value in pairs:
        if key not in _KEYS:
            _refuse(f"{key!r} is no key", where, f"one of {', '.join(_KEYS)}")
        if key in values:
            _refuse(f"{key} is given twice", where, "each key once")
        values[key] = value
    serial = values.get(_SERIAL)
    if serial is not None and not _HEX.fullmatch(serial):
        _refuse(f"{serial!r} is no serial number", where, "hexadecimal digits, such as 15D19632")
    return Selector(
        values.get(_SUBJECT), values.get(_ISSUER), None if serial is None else int(serial, 16)
    )


def _read_pairs(text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    at = 0
    while match := _PAIR.match(text, at):
        pairs.append((match[1], match[2]))
        at = match.end()
    if at != len(text) or not pairs:
        _refuse(f"{text[at:]!r} is not understood", _WHERE, _EXAMPLE)
    return pairs


def _read_json(path: str) -> list[tuple[str, str]]:
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        _refuse(f"it cannot be read ({error.strerror})", path, f"a file like {_JSON_EXAMPLE}")
    except (ValueError, RecursionError):
        _refuse("it is not JSON", path, _JSON_EXAMPLE)
    pairs = content if isinstance(content, list) else [None]
    texts = [_pair(one) for one in pairs]
    if not texts or None in texts:
        _refuse("it holds something else than keys and values", path, _JSON_EXAMPLE)
    return [one for one in texts if one is not None]


def _pair(one: object) -> tuple[str, str] | None:
    if not isinstance(one, dict):
        return None
    key, value = one.get("Key"), one.get("Value")
    return (key, value) if isinstance(key, str) and isinstance(value, str) else None


def _forms(name: x509.Name) -> tuple[str, str]:
    return as_helper_shows(name), name.rfc4514_string()


def _refuse(what: str, where: str, expected: str) -> NoReturn:
    raise ConfigurationError(what, where=where, expected=expected)
