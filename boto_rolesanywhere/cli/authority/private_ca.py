"""``ca issue``, ``renew`` and ``revoke`` with ``--pca``: AWS Private CA is the CA."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.issued import certificates_pem, key_pem
from boto_rolesanywhere.authority.issuer_key import as_issuer_key
from boto_rolesanywhere.authority.keys import generate_key
from boto_rolesanywhere.authority.requests import alternative_names, make_request
from boto_rolesanywhere.cli.account.administrator_options import (
    add_administrator,
    administrator_of,
)
from boto_rolesanywhere.cli.outcome import OK, PROGRAM
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.opening import open_certificates, open_key
from boto_rolesanywhere.settings.arns import parse_private_ca_arn

from .workload import (
    paths_of,
    read_csr,
    renewed_type,
    require_file_name,
    require_profile_name,
    required_name,
    serial_in,
    tell,
    write_files,
    write_pair,
    write_profile,
)

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.private_ca import IssuedByAws, PrivateCa

# What says which CA of one's own is meant, and what opens its key.
_OF_ONES_OWN: Final = ("ca", "passphrase_file", "passphrase_env")
_OF_AWS: Final = ("template", "admin_profile", "account_role", "region")


def add_private_ca(parser: argparse.ArgumentParser, *, issues: bool) -> None:
    """Declare ``--pca`` and what belongs to it."""
    parser.add_argument(
        "--pca", metavar="ARN", help="a CA in AWS Private CA, in the place of one in a folder"
    )
    if issues:
        parser.add_argument(
            "--template",
            metavar="NAME",
            help="of AWS Private CA; default: EndEntityClientAuthCertificate/V1. A CA that another"
            " account shares may want EndEntityCertificate/V1",
        )
    add_administrator(parser)


def is_meant(arguments: argparse.Namespace) -> bool:
    """Whether AWS Private CA is the CA.

    Raises:
        ConfigurationError: a flag is for the other kind of CA.
    """
    meant = bool(arguments.pca)
    others = _OF_ONES_OWN if meant else _OF_AWS
    wrong = [name for name in others if getattr(arguments, name, None)]
    if wrong and meant:
        raise ConfigurationError(
            f"--pca and {_flag(wrong[0])} were both given, and exclude each other",
            code="flags-exclusive",
        )
    if wrong:
        raise ConfigurationError(
            "it has no effect here",
            code="flags-exclusive",
            where=_flag(wrong[0]),
            expected="together with --pca",
        )
    return meant


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def issue(arguments: argparse.Namespace) -> int:
    """Have a certificate issued, for a new key or for a request."""
    if arguments.csr:
        _, content = read_csr(arguments)
        name = required_name(arguments.name or Path(arguments.csr).stem)
        certificate_path, _ = paths_of(arguments, name, force=arguments.force, key=False)
        _write(_issued(arguments, content), certificate_path)
        return OK
    name = required_name(arguments.name)
    if arguments.profile:
        require_profile_name(arguments.profile)
    certificate_path, key_path = paths_of(arguments, name, force=arguments.force)
    key = generate_key(arguments.key_type or "P-256")
    subject = name_of(name, arguments.subject)
    request = make_request(subject, general_names(arguments.san), key)
    _write(_issued(arguments, request), certificate_path, key_path, key_pem(key))
    if arguments.profile:
        write_profile(arguments.profile, certificate_path, key_path)
    return OK


def renew(arguments: argparse.Namespace) -> int:
    """Have the certificate in NAME.pem issued again, with a new key or with that in NAME.key."""
    certificate_path, key_path = paths_of(arguments, require_file_name(arguments.name), force=True)
    old = open_certificates(str(certificate_path)).certificates[0]
    names = alternative_names(old)
    if arguments.reuse_key:
        request = make_request(old.subject, names, as_issuer_key(open_key(str(key_path))))
        _write(_issued(arguments, request), certificate_path)
    else:
        key = generate_key(arguments.key_type or renewed_type(old))
        request = make_request(old.subject, names, key)
        _write(_issued(arguments, request), certificate_path, key_path, key_pem(key))
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
            "AWS Private CA writes it into its list within about half an hour. Roles Anywhere"
            " refuses it when that list has been imported.\n"
        )
    elif revocation.is_listed is not None:
        sys.stdout.write(
            "The CA writes no revocation lists, so Roles Anywhere goes on taking the certificate:"
            " configure a CRL for the CA, and import it.\n"
        )
    return OK


def _authority(arguments: argparse.Namespace) -> PrivateCa:
    from boto_rolesanywhere.account.private_ca import PrivateCa

    region = parse_private_ca_arn(arguments.pca, where="--pca").region
    if arguments.region not in (None, region):
        raise ConfigurationError(
            f"the CA is in {region!r}, and --region says {arguments.region!r}",
            code="arns-disagree",
            where="--pca",
            remedy="Leave --region out.",
        )
    arguments.region = region
    return PrivateCa(
        administrator_of(arguments), arguments.pca, tell=lambda text: sys.stderr.write(f"{text}\n")
    )


def _issued(arguments: argparse.Namespace, request: bytes) -> IssuedByAws:
    from boto_rolesanywhere.account.private_ca import TEMPLATE

    lifetime = timedelta(days=arguments.days)
    template = arguments.template or TEMPLATE
    return _authority(arguments).issue(request, lifetime, template=template)


def _write(
    issued: IssuedByAws, certificate_path: Path, key_path: Path | None = None, key: bytes = b""
) -> None:
    content = certificates_pem((issued.certificate, *issued.chain))
    if key_path is None:
        write_files({certificate_path: content})
    else:
        write_pair(certificate_path, content, key_path, key)
    tell(issued.certificate, certificate_path)
