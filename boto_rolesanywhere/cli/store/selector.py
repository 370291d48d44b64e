"""``--cert-selector``: its grammar, which is that of AWS's helper, and the certificates it matches.

`certificate_store` looks for the certificates.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.certificates.reading import serial_number
from boto_rolesanywhere.cli.refusals import unreadable
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
_invalid: Final = partial(ConfigurationError, code="selector-invalid")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which certificates match. An attribute that is None restricts nothing.

    Attributes:
        subject: the subject, in one of the forms that people paste: see `is_called`.
        issuer: the issuer, in one of the same forms.
        serial: the serial number.
    """

    subject: str | None = None
    issuer: str | None = None
    serial: int | None = None

    def matches(self, certificate: x509.Certificate) -> bool:
        """Whether `certificate` matches."""
        return (
            (self.subject is None or is_called(certificate.subject, self.subject))
            and (self.issuer is None or is_called(certificate.issuer, self.issuer))
            and self.serial in (None, serial_number(certificate))
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
            raise _invalid(
                f"{key!r} is not a key of a selector",
                where=where,
                expected=f"one of {', '.join(_KEYS)}",
            )
        if key in values:
            raise _invalid(f"{key} is given twice", where=where, expected="each key once")
        values[key] = value
    serial = values.get(_SERIAL)
    if serial is not None and not _HEX.fullmatch(serial):
        raise _invalid(
            f"{serial!r} is not a serial number",
            where=where,
            expected="hexadecimal digits, such as 15D19632",
        )
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
        raise _invalid(f"{text[at:]!r} is not understood", where=_WHERE, expected=_EXAMPLE)
    return pairs


def _read_json(path: str) -> list[tuple[str, str]]:
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise unreadable(error, path, f"a file like {_JSON_EXAMPLE}") from None
    except (ValueError, RecursionError):
        raise _invalid("it is not JSON", where=path, expected=_JSON_EXAMPLE) from None
    entries = content if isinstance(content, list) else []
    pairs = [
        (entry.get("Key"), entry.get("Value")) if isinstance(entry, dict) else (None, None)
        for entry in entries
    ]
    if not pairs or not all(isinstance(text, str) for pair in pairs for text in pair):
        raise _invalid("it is not a list of Key and Value", where=path, expected=_JSON_EXAMPLE)
    return cast("list[tuple[str, str]]", pairs)


def is_called(name: x509.Name, text: str) -> bool:
    """Whether `text` is the whole `name`, in either order and with or without blanks.

    The forms are those of AWS's helper, of `inspect` and all messages (RFC 4514, the last part of
    the name first), and of openssl (``CN = web``, ``subject=``, ``/O=Example/CN=web``).
    """
    parts = [rdn.rfc4514_string() for rdn in name.rdns]
    forms = (as_helper_shows(name), ",".join(reversed(parts)), ",".join(parts))
    wanted = _bare(text)
    return wanted == "/" + "/".join(parts) or wanted in map(_bare, forms)


def _bare(text: str) -> str:
    """A name without what does not belong to it: openssl's label, blanks around its signs."""
    text = re.sub(r"^(subject|issuer)=", "", text.strip())
    return re.sub(r"\s*(?<!\\)([,+=])\s*", r"\1", text)
