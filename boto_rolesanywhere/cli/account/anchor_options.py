"""What the commands about a trust anchor share: which one it is, and who looks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import parse_arn

from .administrator_options import add_administrator, administrator_of

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.administrator import Administrator

_FLAG = "--trust-anchor"


def add_anchor(parser: argparse.ArgumentParser) -> None:
    """Declare ``--trust-anchor`` and the options of the administrator."""
    parser.add_argument(_FLAG, required=True, metavar="ARN", help="of the trust anchor, or alias")
    add_administrator(parser)


def anchor_administrator(arguments: argparse.Namespace) -> Administrator:
    """The administrator, in the trust anchor's Region.

    Raises:
        ConfigurationError: the ARN is none, or ``--region`` says another Region.
    """
    region = parse_arn("trust-anchor", arguments.trust_anchor, where=_FLAG).region
    if arguments.region not in (None, region):
        raise ConfigurationError(
            f"the trust anchor is in Region {region!r}, and --region says {arguments.region!r}",
            code="arns-disagree",
            where=_FLAG,
            remedy="Leave --region out.",
        )
    arguments.region = region
    return administrator_of(arguments)
