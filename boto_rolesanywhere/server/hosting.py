"""A role put behind its keeper: from credentials to what the protocols serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.credentials.keeper import Keeper

from .role import ServedRole

if TYPE_CHECKING:
    from boto_rolesanywhere.credentials.refreshing import SessionCredentials
    from boto_rolesanywhere.settings.arns import Arn


def host(name: str | None, role: Arn, credentials: SessionCredentials) -> tuple[ServedRole, Keeper]:
    """What is served of `role`, and what keeps it good once it is started.

    Args:
        name: what it is called in paths; the role's own name, without its path, if None.
        role: its ARN.
        credentials: for the role.
    """
    called = name or role.resource.rpartition("/")[2]
    keeper = Keeper(called, credentials)
    return ServedRole(called, str(role), role.account, keeper), keeper
