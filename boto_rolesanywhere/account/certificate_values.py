"""What of a certificate a trust policy asks for: ``CN`` or ``SAN/DNS``, and its value.

Pure over what `inspection` worked out; nothing opens a file or asks AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boto_rolesanywhere.inspection.session_tags import SessionTag

_FIELDS: Final = {"subject": "x509Subject", "issuer": "x509Issuer", "san": "x509SAN"}
_EXPECTED: Final = "names such as CN, OU, Issuer/CN, SAN/DNS, SAN/URI or SAN/Name/CN"


def values_of(tags: Sequence[SessionTag], names: str, *, where: str) -> dict[str, str]:
    """The certificate's session tags of these names, with their values.

    Args:
        tags: of the certificate, dropped ones included.
        names: separated by commas. A name without a field is the subject's. The case of names does
            not matter, nor whether ``x509`` stands before a field.
        where: the flag that they came from, for errors.

    Raises:
        ConfigurationError: a name is no name, the certificate has nothing of it, or AWS makes no
            session tag of the value.
    """
    found = [_tag(tags, _key(name.strip(), where), where) for name in names.split(",")]
    return {tag.key: tag.value for tag in found}


def _key(name: str, where: str) -> str:
    field, slash, rest = name.partition("/")
    if not slash:
        field, rest = "Subject", name
    known = _FIELDS.get(field.lower().removeprefix("x509"))
    if not known or not rest:
        raise ConfigurationError(
            f"{name!r} is nothing of a certificate",
            code="trust-condition-unusable",
            where=where,
            expected=_EXPECTED,
        )
    return f"{known}/{rest}"


def _tag(tags: Sequence[SessionTag], key: str, where: str) -> SessionTag:
    found = next((tag for tag in tags if tag.key.lower() == key.lower()), None)
    if found is not None and found.dropped is None:
        return found
    problem = f"the certificate has no {key}"
    if found is not None:
        problem = f"AWS makes no session tag {found.key} of this value: {found.dropped}"
    usable = [_name(tag.key) for tag in tags if tag.dropped is None]
    raise ConfigurationError(
        problem,
        code="trust-condition-unusable",
        where=where,
        expected=f"one of {', '.join(usable)}" if usable else None,
    )


def _name(key: str) -> str:
    """As `values_of` takes it."""
    return key.removeprefix("x509Subject/").removeprefix("x509")
