"""``setup --emit``: the setup as code. No AWS call is made, and no credentials are looked for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.emit.in_code import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, Target, notes
from boto_rolesanywhere.cli.options import matching
from boto_rolesanywhere.cli.outcome import PROGRAM
from boto_rolesanywhere.cli.refusals import both_given
from boto_rolesanywhere.errors import ConfigurationError

from .administrator_options import administrator_of
from .profile_lines import profile_lines, section_text
from .wishes import wanted_of

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.wanted import Wanted

FORMS: Final = ("terraform", "cloudformation", "policy", "cli")
_CODE: Final = {"terraform": "Terraform", "cloudformation": "CloudFormation"}


def add_emit(parser: argparse.ArgumentParser) -> None:
    """Declare ``--emit`` and ``--account``."""
    group = parser.add_argument_group("as code")
    group.add_argument(
        "--emit",
        choices=FORMS,
        help="print the setup as code, or the policy that its administrator needs, and ask nothing"
        " of AWS",
    )
    group.add_argument(
        "--account",
        metavar="ID",
        type=matching("[0-9]{12}", "be twelve digits"),
        help="with --emit policy, the account's twelve digits; default: any",
    )


def emitted(arguments: argparse.Namespace) -> tuple[str, tuple[str, ...]]:
    """What ``--emit`` prints, and what its language cannot say.

    Raises:
        RolesAnywhereError: a file cannot be read, or AWS would refuse something.
    """
    for name in ("plan", "json", "print_profile"):
        if getattr(arguments, name):
            raise both_given("--emit", f"--{name.replace('_', '-')}")
    region = _region(arguments)
    wanted = wanted_of(arguments, region or "")
    target = Target(
        config=_config(arguments.profile or arguments.role, region),
        region=region,
        account=arguments.account,
        partition=_partition(region),
    )
    language = _CODE.get(arguments.emit)
    text = _text(arguments, wanted, target)
    return text, notes(wanted, language) if language else ()


def _text(arguments: argparse.Namespace, wanted: Wanted, target: Target) -> str:
    from boto_rolesanywhere.account.emit import (
        administrator_policy,
        cloudformation,
        commands,
        terraform,
    )

    if arguments.emit == "policy":
        detaches = arguments.detach_others
        return administrator_policy.administrator_policy(wanted, target, detaches=detaches)
    forms = {
        "terraform": terraform.terraform,
        "cloudformation": cloudformation.cloudformation,
        "cli": commands.commands,
    }
    return forms[arguments.emit](wanted, target)


def _config(profile: str, region: str | None) -> str:
    """The profile for ``~/.aws/config``, for whichever machine it will be on."""
    lines = profile_lines(profile, (ANCHOR_ARN, PROFILE_ARN, ROLE_ARN), region or "")
    command = [PROGRAM, "credential-process", "--config-profile", profile]
    lines["credential_process"] = shlex.join(command)
    return section_text(profile, {key: value for key, value in lines.items() if value})


def _region(arguments: argparse.Namespace) -> str | None:
    """Where it will be made; None if only whoever runs the code will know it."""
    try:
        return administrator_of(arguments).region
    except ConfigurationError as error:
        # The tags that the commands set have the Region in them.
        if error.code != "region-missing" or arguments.emit == "cli":
            raise
        return None


def _partition(region: str | None) -> str:
    from botocore.session import Session

    return Session().get_partition_for_region(region) if region else "aws"
