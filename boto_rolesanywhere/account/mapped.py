"""Whether a profile maps what its role's trust policy and trusted identity propagation ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.session_tags import AttributeMappings

from .wanted import CERTIFICATE_FIELDS, DEFAULT_MAPPINGS, TrustedIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .wanted import Wanted


def require_mapped(wanted: Wanted, profile: Mapping[str, Any] | None = None) -> None:
    """Refuse mappings that leave out what a session needs.

    Args:
        wanted: what will be there.
        profile: that is there already, as AWS lists it.

    Raises:
        ConfigurationError: something is not mapped.
    """
    mappings: Mapping[Any, Sequence[str]] = DEFAULT_MAPPINGS
    needed = {key for tags in wanted.role.certificates for key in tags}
    identity = wanted.profile.trusted_identity
    if isinstance(identity, TrustedIdentity):
        needed.add(identity.source)
    if profile is not None:
        mappings = dict.fromkeys(CERTIFICATE_FIELDS, ()) | {
            mapping["certificateField"]: [rule["specifier"] for rule in mapping["mappingRules"]]
            for mapping in profile.get("attributeMappings") or ()
        }
        there = profile.get("tipConfiguration") or {}
        source = there.get("subjectSource")
        if identity is None and there.get("status") == "ENABLED" and source:
            needed.add(source)
    mappings = {**mappings, **wanted.profile.mappings}
    pairs = ((field, name) for field, names in mappings.items() for name in names)
    rules = AttributeMappings(frozenset(pairs))
    for key in sorted(needed):
        field, _, specifier = key.partition("/")
        if not rules.maps(field, specifier):
            raise ConfigurationError(
                f"{key} is not mapped, so no session would have it, and nobody would be let in",
                code="trust-condition-unusable",
                where="--map" if profile is None else profile["profileArn"],
                expected=f"{specifier} among the names of {field}, as --map sets them",
            )
