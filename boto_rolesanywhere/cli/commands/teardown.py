"""``teardown``: removes what `setup` made, after showing it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.account.administrator_options import add_administrator, administrator_of
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.cli.terminal import write_json
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import printable

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.teardown import Removals

_DESCRIPTION: Final = """\
Remove what setup made, known by its tags, and nothing else: profile, role, and the trust anchor
with the revocation lists that `crl sync` imported, unless another role trusts it. What goes is
shown first, and you are asked. Profiles of ~/.aws/config and the CA stay."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere teardown --role app1 --plan
  boto-rolesanywhere teardown --role app1
  boto-rolesanywhere teardown --all --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--role", metavar="NAME", help="what setup made for this role")
    add_switch(
        group,
        "--all",
        "everything that setup made in this account and Region, also what half a run has left",
    )
    add_switch(parser, "--plan", "show it, and remove nothing")
    add_switch(parser, "--yes", "do not ask; needed without a terminal")
    add_switch(parser, "--json", "print what goes as JSON")
    add_administrator(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, remove."""
    from boto_rolesanywhere.account.teardown import all_removals, removals_for_role, remove

    administrator = administrator_of(arguments)
    if arguments.all:
        removals = all_removals(administrator, _tell)
    else:
        removals = removals_for_role(administrator, arguments.role, _tell)
    _show(removals, as_json=arguments.json)
    if arguments.plan or not removals.items:
        return OK
    if not arguments.yes and not _agreed():
        return FAILED
    remove(administrator, removals, _tell)
    return OK


def _tell(text: str) -> None:
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def _show(removals: Removals, *, as_json: bool) -> None:
    if as_json:
        items = [asdict(item) for item in removals.items]
        write_json({"removals": items, "notes": removals.notes})
        return
    for item in removals.items:
        change = "" if item.goes else f": {item.changes[-1].text}"
        sys.stdout.write(printable(f"{item.kind} {item.name}: {item.arn}{change}") + "\n")
    if not removals.items:
        sys.stdout.write("There is nothing that setup made.\n")
    for note in removals.notes:
        sys.stdout.write(printable(note) + "\n")
    sys.stdout.flush()


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "there is no terminal to ask at",
            code="confirmation-missing",
            expected="--yes, to remove what --plan shows",
        )
    sys.stderr.write("Remove all of this? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer in {"y", "yes"}:
        return True
    sys.stderr.write("Nothing was removed.\n")
    return False
