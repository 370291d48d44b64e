"""The options that say who makes changes in AWS, and at which trust anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import parse_arn

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.administrator import Administrator

_ANCHOR: Final = "--trust-anchor"


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


def add_anchor(parser: argparse.ArgumentParser) -> None:
    """Declare ``--trust-anchor`` and the options of the administrator."""
    parser.add_argument(_ANCHOR, required=True, metavar="ARN", help="of the trust anchor, or alias")
    add_administrator(parser)


def anchor_administrator(arguments: argparse.Namespace) -> Administrator:
    """The administrator, in the trust anchor's Region.

    Raises:
        ConfigurationError: the ARN is none, or ``--region`` says another Region.
    """
    region = parse_arn("trust-anchor", arguments.trust_anchor, where=_ANCHOR).region
    if arguments.region not in (None, region):
        raise ConfigurationError(
            f"the trust anchor is in Region {region!r}, and --region says {arguments.region!r}",
            code="arns-disagree",
            where=_ANCHOR,
            remedy="Leave --region out.",
        )
    arguments.region = region
    return administrator_of(arguments)
