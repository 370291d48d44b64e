"""What the same setup is in code: what its language cannot say, and what only `setup` needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.account.tags import OURS
from boto_rolesanywhere.account.wanted import CERTIFICATE_FIELDS, DEFAULT_MAPPINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boto_rolesanywhere.account.wanted import CertificateField, Wanted, WantedAnchor


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The user's tags, without those by which `setup` and `teardown` know what `setup` made."""
    return {key: value for key, value in tags.items() if key not in OURS}


def source_type(anchor: WantedAnchor) -> str:
    """How AWS calls where the trust anchor's CA is."""
    return str(anchor.source["sourceType"])


def mappings_in_full(
    mappings: Mapping[CertificateField, Sequence[str]],
) -> dict[CertificateField, Sequence[str]]:
    """All that is mapped, AWS's default for the fields of which nothing is said."""
    whole = {field: mappings.get(field, DEFAULT_MAPPINGS[field]) for field in CERTIFICATE_FIELDS}
    return {field: specifiers for field, specifiers in whole.items() if specifiers}


def notes(wanted: Wanted, language: str) -> tuple[str, ...]:
    """What `language` has no word for, a sentence each, with the command that does it instead."""
    found = [
        f"{language} cannot give aliases. The three ARNs are among the outputs.",
    ]
    if wanted.anchor.crl_distribution_points is not None:
        on = "" if wanted.anchor.crl_distribution_points else "no-"
        found.append(
            f"{language} cannot say whether CRL distribution points are asked. Afterwards:"
            " aws rolesanywhere update-trust-anchor --trust-anchor-id ID"
            f" --{on}crl-dp-revocation-enabled"
        )
    if wanted.profile.trusted_identity is not None:
        found.append(
            f"{language} cannot configure trusted identity propagation. Afterwards: aws"
            " rolesanywhere update-profile --profile-id ID --tip-configuration …"
        )
    return tuple(found)
