"""Taking over what ``openssl ca`` has recorded: its ``index.txt`` and the folder ``newcerts``.

The form of a line is that of OpenSSL's ca(1), "The database file": six fields between tabs: state
(V, R, E), end, revocation with its reason, serial number, file name, subject.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import name_text, read_name

from .records import Record
from .revocation import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIELDS: Final = 6
# A subject on one line, as /O=example/CN=app1: where a part begins, and what is escaped in it.
_PART: Final = re.compile(r"(?<!\\)/(?=[A-Za-z][A-Za-z0-9.]*=)")
_ESCAPED: Final = re.compile(rb"\\(?:x([0-9A-F]{2})|(.))")
# Reasons are written without regard to case, and a hold or a compromise carries data of its own.
_REASONS: Final = {name.lower(): name for name in REASONS} | {
    "holdinstruction": "certificateHold",
    "keytime": "keyCompromise",
    "cakeytime": "cACompromise",
    "removefromcrl": "unspecified",  # openssl keeps such an entry in its lists: it is revoked
}


def read_index(index: Path, certificates: Path | None = None) -> Iterator[Record]:
    """Every certificate in an ``index.txt``, in its order.

    Args:
        index: the file.
        certificates: the folder ``newcerts``; that beside the index by default. A certificate that
            is not there is taken over by its line alone.

    Raises:
        ConfigurationError: the file cannot be read, or a line has another form.
    """
    folder = certificates or index.parent / "newcerts"
    try:
        lines = index.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"it cannot be read ({getattr(error, 'strerror', None) or error})",
            code="file-unreadable",
            where=str(index),
            expected="the index.txt of `openssl ca`",
        ) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _record(line, folder)
            except (ValueError, LookupError):
                raise ConfigurationError(
                    "the line is not one of openssl's",
                    code="content-unrecognised",
                    where=f"{index}, line {number}",
                    expected="state, end, revocation, serial number, file and subject, with tabs"
                    " between them",
                ) from None


def read_list_number(path: Path) -> int:
    """The number of the newest list, from openssl's file with the number of the next; 0 without it.

    Raises:
        ConfigurationError: the file has another form.
    """
    try:
        return int(path.read_text(encoding="utf-8").strip(), 16) - 1
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"it cannot be read ({getattr(error, 'strerror', None) or error})",
            code="file-unreadable",
            where=str(path),
            expected="a number in hexadecimal digits",
        ) from None


def _record(line: str, folder: Path) -> Record:
    fields = line.split("\t")
    if len(fields) != _FIELDS:
        raise ValueError(line)
    state, end, revocation, serial, _, subject = fields
    certificate = _certificate(folder / f"{serial}.pem")
    revoked_at, reason = _revocation(revocation) if state == "R" else (None, None)
    name, subject = _names(_subject(subject) if certificate is None else certificate.subject)
    return Record(
        serial_number=int(serial, 16),
        name=name,
        subject=subject,
        not_after=certificate.not_valid_after_utc if certificate else _time(end),
        der=certificate.public_bytes(Encoding.DER) if certificate else None,
        revoked_at=revoked_at,
        reason=reason,
    )


def _names(subject: x509.Name | str) -> tuple[str, str]:
    """The name to record a certificate under, its CN if it has one, and its subject."""
    if isinstance(subject, str):
        return subject, subject
    common_names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = name_text(subject)
    return str(common_names[0].value) if common_names else text, text


def _subject(line: str) -> x509.Name | str:
    """A subject that openssl wrote on one line; the line itself where it cannot be taken apart."""
    try:
        before, *parts = _PART.split(line)
        if before or not parts:
            return line
        pairs = [_unescaped(part).partition("=") for part in parts]
        text = ",".join(f"{kind}={_escaped(value)}" for kind, _, value in reversed(pairs))
        return read_name(text)
    except ValueError:  # a kind without a name there, or bytes that are no text
        return line


def _unescaped(part: str) -> str:
    def byte(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1] else found[2]

    return _ESCAPED.sub(byte, part.encode()).decode()


def _escaped(value: str) -> str:
    # RFC 4514, section 2.4
    inner = re.sub(r'([\\,+"<>;=])', r"\\\1", value)
    return re.sub(r"^[# ]|(?<!\\) $", lambda found: f"\\{found[0]}", inner)


def _certificate(path: Path) -> x509.Certificate | None:
    # openssl writes the certificate as text above the PEM.
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _revocation(text: str) -> tuple[datetime, str | None]:
    time, _, reason = text.partition(",")
    word = reason.partition(",")[0].lower()
    return _time(time), _REASONS[word] if word else None


def _time(text: str) -> datetime:
    # RFC 5280, section 4.1.2.5.1: two digits of a year from 50 on are of the 20th century, which is
    # not how strptime reads them.
    if len(text) == len("YYMMDDHHMMSSZ"):
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
