"""The options that say who makes changes in AWS, and where: for every command that does so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.administrator import Administrator


def add_administrator(parser: argparse.ArgumentParser, *, region: bool = True) -> None:
    """Declare ``--admin-profile``, ``--account-role`` and, unless an ARN says it, ``--region``."""
    group = parser.add_argument_group("the administrator")
    group.add_argument(
        "--admin-profile",
        metavar="NAME",
        help="the AWS profile with the administrator's credentials; default: as the AWS CLI finds"
        " them",
    )
    if region:
        group.add_argument("--region", help="default: that of the environment or of the profile")
    group.add_argument(
        "--account-role", metavar="ARN", help="a role to assume first, as in another account"
    )


def administrator_of(arguments: argparse.Namespace) -> Administrator:
    """The administrator that the options name.

    Raises:
        ConfigurationError: there is no such profile, or the role's ARN is none.
    """
    from boto_rolesanywhere.account.administrator import Administrator

    return Administrator(
        profile=arguments.admin_profile,
        region=arguments.region,
        account_role=arguments.account_role,
    )
