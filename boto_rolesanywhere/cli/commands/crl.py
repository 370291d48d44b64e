"""``crl``: revocation lists at AWS. `cli/account/` has its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.account import crl_status, crl_sync

if TYPE_CHECKING:
    import argparse

_DESCRIPTION: Final = """\
Revocation lists of a trust anchor: bring them there from the CA, and look at what is there.
AWS refuses a certificate within about a second once an enabled list names it; sessions that
it has got before go on until they end."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere crl sync --trust-anchor ARN --from ~/.boto-rolesanywhere/ca
  boto-rolesanywhere crl sync --trust-anchor ARN --from http://pki.example.com/ca.crl --watch
  boto-rolesanywhere crl status --trust-anchor ARN workload.pem

Each action explains itself: boto-rolesanywhere crl ACTION --help"""
_SYNC: Final = """\
Bring the lists of CAs to a trust anchor. A list is taken if a CA of the trust anchor, or one
below it, has signed it, and if it is complete, current and small enough. One that is there
is updated in place; the first is imported and enabled. A list that AWS has already is not
sent again, an older one is never put over a newer one, and a list that somebody else
imported is left alone.

A CA of `ca` signs a new list when the last one gets old or lacks a revocation."""
_SYNC_EPILOG: Final = """\
exit status:
  0  all is in order, or there is nothing to import
  1  a source, or AWS, was not reached or refused the call; try again
  2  wrong usage
  3  a source's list cannot be used: of another CA, in parts, out of date, too large
  4  lists that are there are in the way

examples:
  boto-rolesanywhere crl sync --trust-anchor ARN --from /srv/pki/ca.crl
  boto-rolesanywhere crl sync --trust-anchor ARN --from s3://pki-lists/root.crl cdp:app1.pem
  boto-rolesanywhere crl sync --trust-anchor ARN --watch --every 5 \\
    --from arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/ID"""
_LOOK: Final = "show a trust anchor's lists; look a certificate up"
_STATUS: Final = """\
Show the lists that were imported for a trust anchor: number, entries, next update, age,
whether they are enabled; and whether a certificate is on one of them."""
_STATUS_EPILOG: Final = """\
exit status:
  0  the lists are in order, and the certificate is on none
  1  AWS was not reached or refused the call
  2  wrong usage
  3  a list is out of date, disabled or unreadable, or the trust anchor is disabled
  5  the certificate is revoked

examples:
  boto-rolesanywhere crl status --trust-anchor ARN
  boto-rolesanywhere crl status --trust-anchor ARN 5f3a09c2 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    for name, module, summary, description, epilog in (
        ("sync", crl_sync, "bring the lists of CAs to a trust anchor", _SYNC, _SYNC_EPILOG),
        ("status", crl_status, _LOOK, _STATUS, _STATUS_EPILOG),
    ):
        action = actions.add_parser(
            name, help=summary, description=description, epilog=epilog, allow_abbrev=False
        )
        module.add_arguments(action)
        action.set_defaults(action=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    status: int = arguments.action(arguments)
    return status
