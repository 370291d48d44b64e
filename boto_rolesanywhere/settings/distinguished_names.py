"""Distinguished names as text: as people write them, and as RFC 4514 does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509

# By OID, the names that OpenSSL and RFC 4514 have for what stands in subjects.
ATTRIBUTE_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_OIDS: Final = {name.lower(): oid for oid, name in ATTRIBUTE_NAMES.items()}
# RFC 5280, appendix A.1: PrintableString or IA5String, which other characters would break.
_ASCII: Final = ("C", "serialNumber", "dnQualifier", "DC", "emailAddress")
# Where a part begins: at the start, or after a comma or plus that is not escaped.
_TYPE: Final = r"(^|(?<!\\)(?:\\\\)*[,+])\s*([A-Za-z][A-Za-z0-9-]*|[0-9][0-9.]*)\s*=\s*"


def read_name(text: str) -> x509.Name:
    """A name as in RFC 4514, such as ``CN=app1,OU=it``; also ``cn = app1, ou = it``.

    Raises:
        ValueError: it is none; with the reason, where there is more to say.
    """
    from cryptography import x509

    by_oid = re.sub(_TYPE, lambda part: f"{part[1]}{_oid(part[2])}=", text)
    name = x509.Name.from_rfc4514_string(by_oid)
    for attribute in name:
        kind = ATTRIBUTE_NAMES.get(attribute.oid.dotted_string)
        if kind in _ASCII and not str(attribute.value).isascii():
            raise ValueError(f"{kind} takes ASCII characters alone")
    return name


def _oid(name: str) -> str:
    if name[0].isdigit():
        return name
    if name.lower() not in _OIDS:
        raise ValueError(f"there is no attribute {name}; an OID such as 2.5.4.3 names any")
    return _OIDS[name.lower()]


def name_text(name: x509.Name) -> str:
    """The name as in RFC 4514, with the attributes' usual names where that has none."""
    from cryptography import x509

    return name.rfc4514_string(
        {x509.ObjectIdentifier(oid): short for oid, short in ATTRIBUTE_NAMES.items()}
    )
