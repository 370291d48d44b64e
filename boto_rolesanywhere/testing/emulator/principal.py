"""What a certificate turns into: principal tags, SourceIdentity, session name, subject ARN.

Pure functions of a certificate. The rules are those of the User Guide's "trust model" pages.
"""

from __future__ import annotations

import unicodedata
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_X500, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography import x509

_PREFIXED_CN: Final = 61  # up to here "CN=" stands before it; a SourceIdentity holds 64
_MAX_CN: Final = 64
_MAX_TAG_VALUE: Final = 256
_TAG_SIGNS: Final = frozenset("_.:/=+-@")
_PACKED_BYTES: Final = 2048


def serial_hex(certificate: x509.Certificate) -> str:
    """The serial number in hexadecimal, padded to an even length."""
    text = format(certificate.serial_number, "x")
    return text.zfill(len(text) + len(text) % 2)


@lru_cache(maxsize=256)
def source_identity(certificate: x509.Certificate) -> str:
    """The SourceIdentity: from the subject's CN, or else from the serial number."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    common_name = str(names[0].value) if names else ""
    if not common_name or len(common_name) > _MAX_CN:
        return f"ID={serial_hex(certificate)}"
    return f"CN={common_name}" if len(common_name) <= _PREFIXED_CN else common_name


@lru_cache(maxsize=256)
def subject_arn(certificate: x509.Certificate, partition: str, region: str, account: str) -> str:
    """The ARN of the subject. The same subject always has the same, as at the service."""
    name = certificate.subject.rfc4514_string()
    return f"arn:{partition}:rolesanywhere:{region}:{account}:subject/{uuid5(NAMESPACE_X500, name)}"


def principal_tags(
    certificate: x509.Certificate, mappings: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """The session tags, such as ``x509Subject/CN``, as far as the profile maps them.

    Repeated attributes are joined by a slash; of alternative names the first of each type counts.
    Values that STS does not allow in a tag are dropped without a word.
    """
    return {
        f"{group}/{name}": value
        for group, name, value in _tag_candidates(certificate)
        if _is_mapped(name, mappings.get(group, ()))
    }


@lru_cache(maxsize=256)  # clients send the same certificate again and again
def _tag_candidates(certificate: x509.Certificate) -> tuple[tuple[str, str, str], ...]:
    groups = {
        "x509Subject": _attributes(certificate.subject),
        "x509Issuer": _attributes(certificate.issuer),
        "x509SAN": _alternative_names(certificate),
    }
    return tuple(
        (group, name, value)
        for group, attributes in groups.items()
        for name, value in attributes.items()
        if _is_tag_value(value)
    )


def packed_size(tags: Mapping[str, str]) -> int:
    """How much of the space for tags is used, in per cent. How STS packs them is not published."""
    text = "\n".join(f"{key}={value}" for key, value in tags.items())
    return min(100, -(-len(zlib.compress(text.encode())) * 100 // _PACKED_BYTES))


def _attributes(name: x509.Name) -> dict[str, str]:
    joined: dict[str, str] = {}
    for attribute in name:
        key = attribute.rfc4514_attribute_name
        value = str(attribute.value)
        joined[key] = f"{joined[key]}/{value}" if key in joined else value
    return joined


def _alternative_names(certificate: x509.Certificate) -> dict[str, str]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return {}
    found: dict[str, str] = {}
    for kind, key in ((x509.DNSName, "DNS"), (x509.UniformResourceIdentifier, "URI")):
        found.update((key, str(value)) for value in names.get_values_for_type(kind)[:1])
    for name in names.get_values_for_type(x509.DirectoryName)[:1]:
        found.update((f"Name/{key}", value) for key, value in _attributes(name).items())
    return found


def _is_mapped(name: str, specifiers: Iterable[str]) -> bool:
    return any(
        specifier in ("*", name) or (specifier.endswith("/*") and name.startswith(specifier[:-1]))
        for specifier in specifiers
    )


def _is_tag_value(value: str) -> bool:
    # STS: [\p{L}\p{Z}\p{N}_.:/=+\-@]*, at most 256 characters
    return len(value) <= _MAX_TAG_VALUE and all(
        sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in value
    )
