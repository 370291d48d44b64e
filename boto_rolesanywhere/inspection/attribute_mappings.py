"""A profile's attribute mappings: which parts of a certificate become session tags.

IAM Roles Anywhere User Guide, "Certificate attribute mapping". Text in, a value out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS: Final = ("x509Subject", "x509Issuer", "x509SAN")
_invalid: Final = partial(
    ConfigurationError,
    code="content-unrecognised",
    expected="what `aws rolesanywhere get-profile` prints",
)


@dataclass(frozen=True, slots=True)
class AttributeMappings:
    """The mapping rules of a profile.

    Attributes:
        rules: pairs of certificate field and specifier, for example ``("x509Subject", "CN")``.
    """

    rules: frozenset[tuple[str, str]]

    def maps(self, field: str, specifier: str) -> bool:
        """Whether ``field/specifier`` becomes a tag, for example ``x509SAN`` and ``Name/CN``."""
        wildcard = "*" if field != "x509SAN" else "Name/*"
        if (field, specifier) in self.rules:
            return True
        covered = field != "x509SAN" or specifier.startswith("Name/")
        return covered and (field, wildcard) in self.rules

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
        return cls(frozenset(rule for entry in document for rule in _rules(entry, where)))


def _rules(entry: object, where: str) -> Iterator[tuple[str, str]]:
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
