"""``setup``: trust anchor, role and profile in an AWS account, and the profile that uses them."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.cli.account.administrator_options import add_administrator, administrator_of
from boto_rolesanywhere.cli.account.emitting import add_emit, emitted
from boto_rolesanywhere.cli.account.profile_lines import profile_lines, section_text, write_lines
from boto_rolesanywhere.cli.account.wishes import add_wishes, wanted_of
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK, PROGRAM, complain
from boto_rolesanywhere.cli.refusals import both_given
from boto_rolesanywhere.cli.terminal import write_json
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import printable
from boto_rolesanywhere.settings.names import CERTIFICATE
from boto_rolesanywhere.settings.profile_reader import read_profile
from boto_rolesanywhere.settings.profile_writer import require_changeable

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.administrator import Administrator
    from boto_rolesanywhere.account.setup import Setup

_DESCRIPTION: Final = """\
Make what AWS needs for your certificates: the trust anchor, a role that only these certificates
can assume, and the IAM Roles Anywhere profile; then write a profile into ~/.aws/config.

It runs with an administrator's ordinary AWS credentials. Run it again to change something: what
it made is known by its tag and alias, only what differs is changed, and what no option names
stays as it is."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere ca init --name "Example CA"
  boto-rolesanywhere setup --role app1 --profile onprem \\
    --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
  boto-rolesanywhere ca issue app1 --profile onprem
  aws s3 ls --profile onprem

  boto-rolesanywhere setup --ca ca.pem --role app1 --plan
  boto-rolesanywhere setup --ca ca.pem --role fleet --subject OU=it --print-profile
  boto-rolesanywhere setup --ca ca.pem --role app1 --emit terraform > app1.tf

teardown removes what setup made."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_switch(parser, "--plan", "say what would be done, and do nothing")
    add_switch(parser, "--json", "print what there is as JSON")
    group = parser.add_argument_group("the profile of ~/.aws/config")
    group.add_argument("--profile", metavar="NAME", help="to write; other lines of it stay")
    add_switch(group, "--print-profile", "print it instead")
    add_wishes(parser)
    group = parser.add_argument_group("what was there before")
    add_switch(
        group,
        "--adopt-role",
        "take over a role of this name that setup did not make; its trust policy is replaced",
    )
    add_switch(
        group, "--detach-others", "detach the role's managed policies that are not named here"
    )
    add_administrator(parser)
    add_emit(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make what differs, and write the profile."""
    if arguments.emit:
        return _emit(arguments)
    from boto_rolesanywhere.account.setup import Setup

    if arguments.profile and arguments.profile == arguments.admin_profile:
        remedy = "They name one profile; the workload needs one of its own."
        raise both_given("--profile", "--admin-profile", remedy)
    writes = bool(arguments.profile) and not arguments.print_profile
    if writes:
        require_changeable(arguments.profile)
    administrator = administrator_of(arguments)
    wanted = wanted_of(arguments, administrator.region)
    # What a plan says is its result.
    stream = sys.stdout if arguments.plan and not arguments.json else sys.stderr
    setup = Setup(
        administrator,
        wanted,
        plan=arguments.plan,
        adopt_role=arguments.adopt_role,
        detach_others=arguments.detach_others,
        tell=lambda text: print(printable(text), file=stream, flush=True),
    )
    try:
        arns = setup.run()
    except RolesAnywhereError as error:
        _tell_what_exists(setup)
        if arguments.json:
            _print_json(arguments, administrator, setup, {"error": error.code})
        raise
    profile = arguments.profile or arguments.role
    lines = profile_lines(profile, arns, administrator.region)
    if not arguments.json and not arguments.plan:
        _print(arguments, setup, lines, writes=writes)
    elif arguments.plan and arguments.json:
        _print_json(arguments, administrator, setup, {"configFile": None})
    elif arguments.json:
        written: dict[str, Any] = {"profile": {"name": profile, "lines": lines}, "configFile": None}
        try:
            written["configFile"] = str(write_lines(profile, lines)[0]) if writes else None
        except RolesAnywhereError as error:
            _print_json(arguments, administrator, setup, {**written, "error": error.code})
            raise
        _print_json(arguments, administrator, setup, written)
    return OK


def _emit(arguments: argparse.Namespace) -> int:
    text, left_out = emitted(arguments)
    sys.stdout.write(text)
    for note in left_out:
        complain(note)
    return OK


def _tell_what_exists(setup: Setup) -> None:
    """Say what a failed run leaves, before the error itself is reported."""
    there = [f"{part.kind} {part.arn}" for part in setup.parts if part.exists]
    if there:
        sys.stderr.write(f"So far there are: {', '.join(there)}.\n")
        sys.stderr.write("Run the command again when the reason is gone: it goes on from there.\n")


def _print(
    arguments: argparse.Namespace, setup: Setup, lines: dict[str, str], *, writes: bool
) -> None:
    for part in setup.parts:
        sys.stdout.write(f"{part.kind}: {part.arn}\n")
    profile = arguments.profile or arguments.role
    if not writes:
        sys.stdout.write(f"\n{section_text(profile, lines)}")
        return
    try:
        path, title, replaced = write_lines(profile, lines)
    except RolesAnywhereError:  # the lines made so far are not lost
        sys.stdout.write(f"\n{section_text(profile, lines)}")
        raise
    sys.stdout.write(f"{path}: [{title}] has their ARNs\n")
    for key, value in replaced.items():
        sys.stdout.write(f"  {key} was {printable(value)}\n")
    sys.stdout.write(f"{_next(profile, arguments.role)}\n")


def _next(profile: str, role: str) -> str:
    name = shlex.quote(profile)
    if CERTIFICATE.config_key in (read_profile(profile, os.environ) or {}):
        return f"Try it: aws sts get-caller-identity --profile {name}"
    return f"Next: {PROGRAM} ca issue {shlex.quote(role)} --profile {name}"


def _print_json(
    arguments: argparse.Namespace,
    administrator: Administrator,
    setup: Setup,
    more: dict[str, Any],
) -> None:
    answer = {
        "region": administrator.region,
        "plan": arguments.plan,
        "complete": "error" not in more,
        "parts": [part.to_json() for part in setup.parts],
        "notes": setup.notes,
        **more,
    }
    write_json(answer)
