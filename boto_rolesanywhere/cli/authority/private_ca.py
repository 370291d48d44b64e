"""``ca issue``, ``renew`` and ``revoke`` with ``--pca``: AWS Private CA is the CA."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.issuer_key import as_issuer_key
from boto_rolesanywhere.authority.requests import alternative_names, make_request
from boto_rolesanywhere.cli.account.administrator_options import (
    add_administrator,
    administrator_of,
)
from boto_rolesanywhere.cli.outcome import OK, PROGRAM
from boto_rolesanywhere.cli.refusals import both_given, without_effect
from boto_rolesanywhere.identity.opening import Access, open_certificates, open_key
from boto_rolesanywhere.settings.arns import parse_arn

from .opening import NEW_KEY, secret_of
from .workload import (
    new_key,
    paths_of,
    read_csr,
    renewed_type,
    require_file_name,
    require_profile_name,
    required_name,
    serial_in,
    write_issued,
    write_profile,
)

if TYPE_CHECKING:
    import argparse

    from cryptography import x509

    from boto_rolesanywhere.account.private_ca import PrivateCa

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


def issue(arguments: argparse.Namespace) -> int:
    """Have a certificate issued, for a new key or for a request."""
    if arguments.csr:
        _, content = read_csr(arguments)
        name = required_name(arguments.name or Path(arguments.csr).stem)
        certificate_path, _ = paths_of(arguments, name, force=arguments.force, key=False)
        write_issued(_issued(arguments, content), certificate_path)
        return OK
    name = required_name(arguments.name)
    if arguments.profile:
        require_profile_name(arguments.profile)
    certificate_path, key_path = paths_of(arguments, name, force=arguments.force)
    key, content = new_key(arguments, arguments.key_type or "P-256", key_path)
    subject = name_of(name, arguments.subject)
    request = make_request(subject, general_names(arguments.san), key)
    write_issued(_issued(arguments, request), certificate_path, (key_path, content))
    write_profile(arguments, certificate_path, key_path)
    return OK


def renew(arguments: argparse.Namespace) -> int:
    """Have the certificate in NAME.pem issued again, with a new key or with that in NAME.key."""
    certificate_path, key_path = paths_of(arguments, require_file_name(arguments.name), force=True)
    old = open_certificates(str(certificate_path)).certificates[0]
    names = alternative_names(old)
    if arguments.reuse_key:
        access = Access(secret_of(arguments, NEW_KEY))
        request = make_request(old.subject, names, as_issuer_key(open_key(str(key_path), access)))
        write_issued(_issued(arguments, request), certificate_path)
    else:
        key, content = new_key(arguments, arguments.key_type or renewed_type(old), key_path)
        request = make_request(old.subject, names, key)
        write_issued(_issued(arguments, request), certificate_path, (key_path, content))
    again = f"ca revoke {old.serial_number:x} --reason superseded --pca {arguments.pca}"
    sys.stdout.write(
        f"The old certificate has the serial number {old.serial_number:x}. Once nobody uses it:\n"
        f"  {PROGRAM} {again}\n"
    )
    return OK


def revoke(arguments: argparse.Namespace) -> int:
    """Revoke a certificate of AWS Private CA."""
    serial = serial_in(arguments.certificate)
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


def _issued(arguments: argparse.Namespace, request: bytes) -> tuple[x509.Certificate, ...]:
    from boto_rolesanywhere.account.private_ca import TEMPLATE

    lifetime = timedelta(days=arguments.days)
    template = arguments.template or TEMPLATE
    issued = _authority(arguments).issue(request, lifetime, template=template)
    return issued.certificate, *issued.chain
