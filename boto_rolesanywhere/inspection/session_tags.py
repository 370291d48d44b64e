"""What AWS makes of a certificate: session tags, SourceIdentity and session name.

The rules are those of the IAM Roles Anywhere User Guide, "Trust policy",
"Certificate attribute mapping" and "Source identity rules"; what they leave open is marked so.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from cryptography import x509

from boto_rolesanywhere.certificates.reading import quietly, serial_number
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import ATTRIBUTE_NAMES, name_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# STS, Tag: key up to 128 characters, value up to 256 of [\p{L}\p{Z}\p{N}_.:/=+\-@].
_MAX_KEY: Final = 128
_MAX_VALUE: Final = 256
_PUNCTUATION: Final = "_.:/=+-@"
_CATEGORIES: Final = "LZN"
# AWS STS API Reference, AssumeRole, SourceIdentity: the pattern [\w+=,.@-]*
_NOT_IN_SOURCE_IDENTITY: Final = re.compile(r"[^A-Za-z0-9_+=,.@-]")

_CN: Final = "2.5.4.3"
_MAX_PREFIXED_CN: Final = 61
_MAX_CN: Final = 64

# The names that AWS shows: the User Guide's examples, and UID in the API's PutAttributeMapping.
_DOCUMENTED: Final = {
    oid for oid, name in ATTRIBUTE_NAMES.items() if name in ("CN", "C", "L", "ST", "O", "OU", "UID")
}
_FIELDS: Final = ("x509Subject", "x509Issuer", "x509SAN")
_invalid: Final = partial(
    ConfigurationError,
    code="content-unrecognised",
    expected="what `aws rolesanywhere get-profile` prints",
)


@dataclass(frozen=True, slots=True)
class SessionTag:
    """One session tag that comes from the certificate.

    Attributes:
        key: without ``aws:PrincipalTag/``, for example ``x509Subject/CN``.
        value: values of repeated attributes joined with ``/``.
        dropped: why the session does not have it after all; None if it has it.
        documented: False if AWS does not document the tag's name.
    """

    key: str
    value: str
    dropped: str | None = None
    documented: bool = True


@dataclass(frozen=True, slots=True)
class AttributeMappings:
    """The mapping rules of a profile.

    Attributes:
        rules: pairs of certificate field and specifier, for example ``("x509Subject", "CN")``.
    """

    rules: frozenset[tuple[str, str]]

    def maps(self, field: str, specifier: str) -> bool:
        """Whether ``field/specifier`` becomes a tag, for example ``x509SAN`` and ``Name/CN``."""
        start = "Name/" if field == "x509SAN" else ""
        covered = specifier.startswith(start) and (field, f"{start}*") in self.rules
        return covered or (field, specifier) in self.rules

    @classmethod
    def parse(cls, text: str | bytes, *, where: str = "attribute mappings") -> AttributeMappings:
        """Read the JSON that ``aws rolesanywhere get-profile`` prints, or its list alone."""
        try:
            document: object = json.loads(text)
        except (ValueError, RecursionError):
            raise _invalid("it is not JSON", where=where) from None
        for key in ("profile", "attributeMappings"):
            if isinstance(document, dict):
                document = document.get(key, document)
        if not isinstance(document, list):
            raise _invalid("there is no list attributeMappings", where=where)
        return cls(frozenset(rule for entry in document for rule in _rules_in(entry, where)))


def session_tags(
    certificate: x509.Certificate, mappings: AttributeMappings | None = None
) -> tuple[SessionTag, ...]:
    """The session tags of a certificate, dropped ones included."""
    found = [
        *_name_tags("x509Subject", "", names_of(certificate, "subject")),
        *_name_tags("x509Issuer", "", names_of(certificate, "issuer")),
    ]
    for kind, value in alternative_names(certificate)[0].items():
        if isinstance(value, x509.Name):
            found.extend(_name_tags("x509SAN", "Name/", _attributes(value)))
        else:
            found.append((SessionTag(f"x509SAN/{kind}", str(value)), kind))
    return tuple(_judge(tag, specifier, mappings) for tag, specifier in found)


def tags_of_name(field: str, name: x509.Name, prefix: str = "") -> tuple[SessionTag, ...]:
    """The session tags of a name alone, dropped ones included.

    Args:
        field: ``x509Subject``, ``x509Issuer`` or ``x509SAN``.
        name: whose attributes become tags.
        prefix: ``Name/`` for a subject alternative name.
    """
    found = _name_tags(field, prefix, _attributes(name))
    return tuple(_judge(tag, specifier, None) for tag, specifier in found)


def tag_of(key: str, value: str) -> SessionTag:
    """A session tag of that key, or why there is none."""
    return _judge(SessionTag(key, value), "", None)


def source_identity(certificate: x509.Certificate) -> str:
    """The SourceIdentity, by the User Guide's "Source identity rules".

    A CN of up to 61 characters gets the prefix ``CN=``, a CN of 62 to 64 none. Without a CN it is
    ``ID=`` and the serial number in hex, padded to an even length. AWS has no rule for several CNs
    or a longer CN (`source_identity_doubt`): the first CN counts here, and a longer CN as none.
    """
    names = [value for oid, value in names_of(certificate, "subject") if oid == _CN]
    if not names or not 0 < len(names[0]) <= _MAX_CN:
        return f"ID={serial_hex(certificate)}"
    return names[0] if len(names[0]) > _MAX_PREFIXED_CN else f"CN={names[0]}"


def source_identity_doubt(certificate: x509.Certificate) -> str | None:
    """Why AWS may choose another SourceIdentity; None if the documented rules settle it."""
    names = [value for oid, value in names_of(certificate, "subject") if oid == _CN]
    if len(names) > 1:
        return "AWS does not document it for several CNs"
    if names and len(names[0]) > _MAX_CN:
        return f"AWS does not document it for a CN of more than {_MAX_CN} characters"
    refused = _NOT_IN_SOURCE_IDENTITY.findall(names[0]) if names else []
    if refused:
        listed = " ".join(map(repr, dict.fromkeys(refused)))
        return f"AWS does not document it for a CN like this: STS takes no {listed} in it"
    return None


def serial_hex(certificate: x509.Certificate) -> str:
    """The serial number in hex, two digits a byte; by default it is the role session name."""
    digits = f"{abs(serial_number(certificate)):x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def names_of(certificate: x509.Certificate, field: str) -> tuple[tuple[str, str], ...]:
    """The attributes of ``subject`` or ``issuer`` in the certificate's order: OID and value."""
    try:
        return tuple(_attributes(quietly(lambda: getattr(certificate, field))))
    except (ValueError, TypeError):
        raise CertificateError(
            f"the certificate's {field} cannot be read",
            code="certificate-unreadable",
            remedy="Have the certificate issued anew.",
        ) from None


def attribute_name(oid: str) -> str:
    """The short name of an attribute in a tag's key; the OID itself if it has none."""
    # A guess beyond those documented: AWS says only that it maps "recognizable" ones.
    return ATTRIBUTE_NAMES.get(oid, oid)


def alternative_names(
    certificate: x509.Certificate,
) -> tuple[dict[str, object], tuple[tuple[str, str], ...]]:
    """The subject alternative names by whether they become tags.

    Returns:
        Of each of DNS, URI and directory name the first, by its kind; and the others, as text such
        as ``DNS:b.example`` with why they are not used.
    """
    kinds = {x509.DNSName: "DNS", x509.UniformResourceIdentifier: "URI", x509.DirectoryName: "Name"}
    used: dict[str, object] = {}
    unused = []
    for name in _general_names(certificate):
        kind = kinds.get(type(name))
        if kind is None:
            unused.append((_shown(name), "AWS maps DNS, URI and directory names only"))
        elif kind in used:
            unused.append((f"{kind}:{_shown(name)}", f"AWS maps the first {kind} only"))
        else:
            used[kind] = name.value
    return used, tuple(unused)


def _general_names(certificate: x509.Certificate) -> Iterable[x509.GeneralName]:
    try:
        extensions = quietly(lambda: certificate.extensions)
        return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    except (ValueError, x509.UnsupportedGeneralNameType, x509.DuplicateExtension):
        raise CertificateError(
            "the certificate's extensions cannot be read",
            code="certificate-unreadable",
            remedy="Have the certificate issued anew.",
        ) from None


def _shown(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return name_text(name.value)
    if isinstance(name, x509.DNSName | x509.UniformResourceIdentifier):
        return name.value
    kind = {"RFC822Name": "email", "IPAddress": "IP", "RegisteredID": "RID"}
    title = kind.get(type(name).__name__, type(name).__name__)
    value = getattr(name.value, "dotted_string", name.value)
    return title if isinstance(name, x509.OtherName) else f"{title}:{value}"


def _attributes(name: x509.Name) -> Iterator[tuple[str, str]]:
    for attribute in name:
        value = attribute.value
        yield attribute.oid.dotted_string, value if isinstance(value, str) else value.hex()


def _name_tags(
    field: str, prefix: str, attributes: Iterable[tuple[str, str]]
) -> Iterator[tuple[SessionTag, str]]:
    """One tag an attribute type, in the order of first appearance; repeated ones are joined."""
    joined: dict[str, list[str]] = {}
    for oid, value in attributes:
        joined.setdefault(oid, []).append(value)
    for oid, values in joined.items():
        specifier = f"{prefix}{attribute_name(oid)}"
        tag = SessionTag(f"{field}/{specifier}", "/".join(values), documented=oid in _DOCUMENTED)
        yield tag, specifier


def _judge(tag: SessionTag, specifier: str, mappings: AttributeMappings | None) -> SessionTag:
    field, why = tag.key.partition("/")[0], _unfit(tag.value)
    if mappings is not None and not mappings.maps(field, specifier):
        why = "the profile's attribute mappings leave it out"
    elif len(tag.key) > _MAX_KEY:
        why = f"its key has {len(tag.key)} characters, and STS takes up to {_MAX_KEY}"
    return SessionTag(tag.key, tag.value, why, tag.documented)


def _unfit(value: str) -> str | None:
    if len(value) > _MAX_VALUE:
        return f"its value has {len(value)} characters, and STS takes up to {_MAX_VALUE}"
    refused = [char for char in dict.fromkeys(value) if not _fits(char)]
    if not refused:
        return None
    return (
        f"STS refuses {' '.join(map(repr, refused))} in a value (AWS documents that the tag is left"
        " out; users have seen the session denied)"
    )


def _fits(char: str) -> bool:
    return char in _PUNCTUATION or unicodedata.category(char)[0] in _CATEGORIES


def _rules_in(entry: object, where: str) -> Iterator[tuple[str, str]]:
    field = entry.get("certificateField") if isinstance(entry, dict) else None
    rules = entry.get("mappingRules") if isinstance(entry, dict) else None
    if field not in _FIELDS or not isinstance(rules, list):
        raise _invalid("an entry lacks certificateField or mappingRules", where=where)
    for rule in rules:
        specifier = rule.get("specifier") if isinstance(rule, dict) else None
        if not isinstance(specifier, str):
            raise _invalid("a mapping rule has no specifier", where=where)
        # "Both Name and Name/ are equivalent to Name/*", says the User Guide.
        yield str(field), "Name/*" if specifier in ("Name", "Name/") else specifier
