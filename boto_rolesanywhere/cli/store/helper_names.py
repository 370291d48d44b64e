"""A certificate's subject or issuer as text, in the form in which AWS's helper shows and takes it.

The helper is written in Go, whose `pkix.Name.String` gives roughly RFC 2253: the known attributes
in a fixed order, whatever theirs in the certificate is, then the others.
"""

from __future__ import annotations

from string import ascii_letters, digits
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der

if TYPE_CHECKING:
    from cryptography import x509

# Go's crypto/x509/pkix: the attributes that it has names for, in the order of its text.
_NAMES: Final = {
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.3": "CN",
    "2.5.4.11": "OU",
    "2.5.4.10": "O",
    "2.5.4.17": "POSTALCODE",
    "2.5.4.9": "STREET",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.6": "C",
}
# Go keeps one value of these, the last.
_SINGLE: Final = {"CN", "SERIALNUMBER"}
_PRINTABLE: Final = frozenset(f"{ascii_letters}{digits} '()+,-./:=?")
_PRINTABLE_STRING: Final = 0x13
_UTF8_STRING: Final = 0x0C


def as_helper_shows(name: x509.Name) -> str:
    """`name`, for example ``CN=web-1,OU=app,O=Example,C=DE``."""
    known: dict[str, list[str]] = {title: [] for title in _NAMES.values()}
    others: list[str] = []
    for attribute in name:
        oid = attribute.oid.dotted_string
        if oid in _NAMES:
            title = _NAMES[oid]
            known[title].append(attribute.rfc4514_string({attribute.oid: title}))
        else:
            value = attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
            others.insert(0, f"{oid}=#{_string_der(value).hex()}")
    parts = [
        "+".join(values[-1:] if title in _SINGLE else values)
        for title, values in known.items()
        if values
    ]
    return ",".join((*parts, *others))


def _string_der(value: str) -> bytes:
    """The DER of a string as Go encodes it: a PrintableString where that can be, else UTF-8."""
    content = value.encode()
    tag = _PRINTABLE_STRING if _PRINTABLE.issuperset(value) else _UTF8_STRING
    return der.encode(tag, content)
