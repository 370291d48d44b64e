"""``ca``: a certificate authority of one's own. `cli/authority/` has its actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.authority import issuing, making, revoking
from boto_rolesanywhere.cli.authority.opening import CAS_KEY, NEW_KEY, naming_flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_DESCRIPTION: Final = """\
A certificate authority in a folder of yours: for one machine or a hundred, without openssl.
What AWS asks of each certificate holds for all that are issued. Every certificate, serial
number and revocation is recorded before anybody sees it."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere ca init --name "Example CA"
  boto-rolesanywhere ca issue app1 --profile onprem
  boto-rolesanywhere ca revoke app1.pem --reason keyCompromise
  boto-rolesanywhere ca crl

Each action explains itself: boto-rolesanywhere ca ACTION --help"""


@dataclass(frozen=True, slots=True)
class _Action:
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    summary: str
    example: str


_ACTIONS: Final = {
    "init": _Action(
        making.declare_init,
        making.init,
        "make a CA: a root, or a root with an issuing CA below it",
        'init --name "Example Root" --intermediate "Example Issuing CA"',
    ),
    "issue": _Action(
        issuing.declare_issue,
        issuing.issue,
        "issue a certificate, with a new key (NAME.pem, NAME.key) or for a request",
        "issue app1 --san DNS:app1.example.com --profile onprem",
    ),
    "request": _Action(
        issuing.declare_request,
        issuing.request,
        "make a key and a request on the workload's machine; only the request travels",
        "request app1 --out /etc/pki",
    ),
    "renew": _Action(
        issuing.declare_renew,
        issuing.renew,
        "issue again under the same name, and replace NAME.pem and NAME.key",
        "renew app1",
    ),
    "revoke": _Action(
        revoking.declare_revoke,
        revoking.revoke,
        "revoke a certificate, by its serial number or its file",
        "revoke app1.pem --reason keyCompromise",
    ),
    "crl": _Action(
        revoking.declare_crl,
        revoking.crl,
        "sign a revocation list, and write it as ca-crl.pem and ca-crl.der",
        "crl --out /var/www/pki",
    ),
    "list": _Action(
        revoking.declare_list,
        revoking.list_,
        "list what was issued: who, until when, whether it is revoked",
        "list --json",
    ),
    "show": _Action(
        making.declare_show, making.show, "show the CA itself", "show --ca /srv/pki/ca"
    ),
    "import": _Action(
        making.declare_import,
        making.import_,
        "take over the CA and the records of `openssl ca`",
        "import demoCA/index.txt --certificate demoCA/cacert.pem --key demoCA/private/cakey.pem",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    for name, action in _ACTIONS.items():
        of_action = actions.add_parser(
            name,
            help=action.summary,
            description=action.summary[0].upper() + action.summary[1:] + ".",
            epilog=f"example:\n  boto-rolesanywhere ca {action.example}",
            allow_abbrev=False,
        )
        action.declare(of_action)
        of_action.set_defaults(action=action.run)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    with naming_flags(NEW_KEY if getattr(arguments, "pca", None) else CAS_KEY):
        status: int = arguments.action(arguments)
    return status
