"""``revoke``: takes a certificate back, from the CA to AWS, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.account.administrator_options import add_anchor, anchor_administrator
from boto_rolesanywhere.cli.authority.opening import add_folder, add_passphrase
from boto_rolesanywhere.cli.authority.revoking import add_reason
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.terminal import write_json

if TYPE_CHECKING:
    import argparse

_DESCRIPTION: Final = """\
Take a certificate back: the CA revokes it and signs a new list, and AWS gets the list. From
about a second later AWS refuses the certificate. Sessions that it has got before go on until
they end: the policy that ends them at once is printed, and attached to the roles that
--end-sessions names.

It may be run again at any time: what is done already is not done twice."""
_EPILOG: Final = """\
exit status:
  0  AWS has an enabled list that names the certificate
  1  something failed; what was done until then is printed
  2  wrong usage
  3  the certificate is revoked, but the CA has written no list that names it yet, or one
     that cannot be used: run it again, or `crl sync`
  4  the certificate is revoked, but lists at AWS are in the way

examples:
  boto-rolesanywhere revoke app1.pem --reason keyCompromise --trust-anchor ARN
  boto-rolesanywhere revoke app1.pem --trust-anchor ARN --end-sessions app1-role
  boto-rolesanywhere revoke app1.pem --trust-anchor ARN \\
    --pca arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/ID"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("certificate", metavar="FILE|SERIAL", help="what to revoke")
    add_reason(parser)
    add_repeated(
        parser,
        "--end-sessions",
        "ROLE",
        "attach the policy that ends sessions to this role, by its name or ARN; may be"
        " repeated, as for the further roles of a chain",
    )
    add_switch(parser, "--adopt", "take over a list of the same CA that is there")
    authority = parser.add_mutually_exclusive_group()
    add_folder(authority)
    authority.add_argument(
        "--pca", metavar="ARN", help="a CA in AWS Private CA, in the place of one in a folder"
    )
    add_passphrase(parser, "the passphrase or PIN of the key of a CA in a folder")
    add_switch(parser, "--json", "for programs")
    add_anchor(parser)


def run(arguments: argparse.Namespace) -> int:
    """Revoke, synchronise, and end sessions."""
    from boto_rolesanywhere.cli.account.revoking import Revoking

    revoking = Revoking(arguments, anchor_administrator(arguments))
    try:
        return revoking.run()
    finally:
        if arguments.json:
            write_json(revoking.document)
