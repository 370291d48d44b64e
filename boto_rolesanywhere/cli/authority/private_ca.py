"""``ca issue``, ``renew`` and ``revoke`` with ``--pca``: AWS Private CA is the CA."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.public_keys import algorithm_for
from boto_rolesanywhere.cli.account.administrator_options import (
    add_administrator,
    administrator_of,
)
from boto_rolesanywhere.cli.outcome import OK, PROGRAM
from boto_rolesanywhere.cli.refusals import both_given, without_effect
from boto_rolesanywhere.identity.opening import open_certificates
from boto_rolesanywhere.settings.arns import parse_arn

from .workload import serial_in

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from boto_rolesanywhere.account.private_ca import PrivateCa
    from boto_rolesanywhere.authority.authority import Wish

# What says which CA of one's own is meant, and what opens its key.
_OF_ONES_OWN: Final = ("ca", "passphrase_file", "passphrase_env")
_OF_AWS: Final = ("template", "admin_profile", "account_role")


def add_private_ca(parser: argparse.ArgumentParser, *, issues: bool) -> None:
    """Declare ``--pca`` and what belongs to it."""
    group = parser.add_argument_group("AWS Private CA, in the place of a CA in a folder")
    group.add_argument("--pca", metavar="ARN", help="of the CA")
    if issues:
        group.add_argument(
            "--template",
            metavar="NAME",
            help="default: EndEntityClientAuthCertificate/V1; a CA that another account shares may"
            " want EndEntityCertificate/V1",
        )
    add_administrator(parser, region=False)


def is_meant(arguments: argparse.Namespace) -> bool:
    """Whether AWS Private CA is the CA.

    Raises:
        ConfigurationError: a flag is for the other kind of CA.
    """
    meant = bool(arguments.pca)
    others = _OF_ONES_OWN if meant else _OF_AWS
    for name in others:
        if getattr(arguments, name, None):
            flag = f"--{name.replace('_', '-')}"
            raise (
                both_given("--pca", flag) if meant else without_effect(flag, "together with --pca")
            )
    return meant


def revoke(arguments: argparse.Namespace) -> int:
    """Revoke a certificate of AWS Private CA."""
    serial, _ = serial_in(arguments.certificate)
    revocation = _authority(arguments).revoke(serial, arguments.reason)
    state = f"is revoked, for the reason {arguments.reason}"
    sys.stdout.write(f"{serial:x} {state if revocation.new else 'was revoked before'}.\n")
    if revocation.is_listed:
        sys.stdout.write(
            "AWS Private CA writes it into its list within about half an hour. AWS refuses it when"
            " the trust anchor has that list:\n"
            f"  {PROGRAM} crl sync --trust-anchor ARN --from {arguments.pca}\n"
        )
    elif revocation.is_listed is not None:
        sys.stdout.write(
            "The CA writes no revocation lists, so Roles Anywhere goes on taking the certificate:"
            " configure a CRL for the CA.\n"
        )
    return OK


def _authority(arguments: argparse.Namespace) -> PrivateCa:
    from boto_rolesanywhere.account.private_ca import PrivateCa

    arguments.region = parse_arn("certificate-authority", arguments.pca, where="--pca").region
    return PrivateCa(
        administrator_of(arguments), arguments.pca, tell=lambda text: sys.stderr.write(f"{text}\n")
    )


class Issuer:
    """AWS Private CA, as what issues."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from boto_rolesanywhere.account.private_ca import TEMPLATE

        self._authority = _authority(arguments)
        self._template = arguments.template or TEMPLATE

    def latest(self, _name: str, path: Path) -> x509.Certificate:
        """The certificate in the file: AWS keeps no names."""
        return open_certificates(str(path)).certificates[0]

    def revocation_of(self, _certificate: x509.Certificate) -> str | None:
        """None: AWS Private CA does not say without a report, which takes minutes."""
        return None

    def certify(
        self,
        wish: Wish,
        public_key: CertificateIssuerPublicKeyTypes,
        request: Callable[[], bytes],
    ) -> tuple[x509.Certificate, ...]:
        """The certificate with its chain, for the request, which names the key.

        What Roles Anywhere would refuse is refused before AWS issues it, and asks money for it.
        """
        wish.require_subject()
        algorithm_for(public_key, where=wish.name)
        issued = self._authority.issue(request(), wish.lifetime, template=self._template)
        return issued.certificate, *issued.chain
