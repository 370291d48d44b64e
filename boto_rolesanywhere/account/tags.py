"""The tags by which `setup` knows again what it made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What it was made as: a trust anchor's or a profile's alias, a role's name.
SETUP: Final = "boto-rolesanywhere:setup"
# On roles, profiles and revocation lists: the alias of the trust anchor that they belong to.
ANCHOR: Final = "boto-rolesanywhere:trust-anchor"
# On roles, which have no Region of their own.
REGION: Final = "boto-rolesanywhere:region"
# On roles that were there before: `teardown` leaves them.
ADOPTED: Final = "boto-rolesanywhere:adopted"
# On revocation lists that `crl sync` imported or adopted, and so keeps up to date.
SYNCHRONISED: Final = "boto-rolesanywhere:crl-sync"
OURS: Final = (SETUP, ANCHOR, REGION, ADOPTED)


def iam_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the shape that IAM takes."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def from_iam(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags from the shape that IAM gives."""
    return {tag["Key"]: tag["Value"] for tag in listed}


def rolesanywhere_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the shape that IAM Roles Anywhere takes."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def from_rolesanywhere(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags from the shape that IAM Roles Anywhere gives."""
    return {tag["key"]: tag["value"] for tag in listed}
