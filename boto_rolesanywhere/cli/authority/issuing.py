"""``ca issue``, ``ca request`` and ``ca renew``: certificates for workloads."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from boto_rolesanywhere.authority.authority import Wish
from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.requests import alternative_names, make_request
from boto_rolesanywhere.cli.flags import add_switch
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.refusals import both_given, without_effect

from . import private_ca
from .opening import add_folder, add_passphrase, authority_of, next_command
from .workload import (
    add_days,
    add_key_passphrase,
    add_key_type,
    add_output,
    add_subject,
    new_key,
    output_of,
    paths_of,
    read_csr,
    renewed_type,
    require_file_name,
    require_free,
    require_profile_name,
    required_name,
    write_files,
    write_issued,
    write_profile,
)

if TYPE_CHECKING:
    import argparse

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from boto_rolesanywhere.authority.authority import Authority


def declare_issue(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca issue``."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="CN, and the files' name")
    parser.add_argument("--csr", metavar="FILE", help="a request, whose key stays where it is")
    add_subject(parser)
    add_days(parser)
    parser.add_argument(
        "--profile", metavar="NAME", help="write the files' paths into this profile"
    )
    add_key_passphrase(parser)
    add_passphrase(parser, "the passphrase or PIN of the CA's key")
    add_output(parser, "the current folder")
    add_folder(parser)
    private_ca.add_private_ca(parser, issues=True)


def issue(arguments: argparse.Namespace) -> int:
    """Issue a certificate, with a new key or for a request."""
    if private_ca.is_meant(arguments):
        return private_ca.issue(arguments)
    if arguments.csr:
        return _issue_for_request(arguments)
    name = required_name(arguments.name)
    if arguments.profile:
        require_profile_name(arguments.profile)
    authority = authority_of(arguments)
    certificate_path, key_path = paths_of(arguments, name, force=arguments.force)
    wish = Wish.named(
        name,
        subject=arguments.subject,
        san=arguments.san,
        lifetime=timedelta(days=arguments.days),
    )
    key, content = new_key(arguments, arguments.key_type or "P-256", key_path)
    _certify(authority, wish, key.public_key(), certificate_path, (key_path, content))
    write_profile(arguments, certificate_path, key_path)
    return OK


def _issue_for_request(arguments: argparse.Namespace) -> int:
    request, _ = read_csr(arguments)
    name = required_name(arguments.name or Path(arguments.csr).stem)
    authority = authority_of(arguments)
    certificate_path, _ = paths_of(arguments, name, force=arguments.force, key=False)
    wish = Wish(
        name=name,
        subject=request.subject,
        san=request.san,
        lifetime=timedelta(days=arguments.days),
    )
    _certify(authority, wish, request.public_key, certificate_path)
    return OK


def declare_request(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca request``."""
    parser.add_argument("name", metavar="NAME", help="CN, and the files' name")
    add_subject(parser)
    add_key_passphrase(parser)
    add_output(parser, "the current folder")


def request(arguments: argparse.Namespace) -> int:
    """Make a key and a request, on the workload's machine."""
    name = require_file_name(arguments.name)
    folder = output_of(arguments, Path())
    key_path, request_path = folder / f"{name}.key", folder / f"{name}.csr"
    require_free((key_path, request_path), force=arguments.force)
    key, key_content = new_key(arguments, arguments.key_type or "P-256", key_path)
    subject = name_of(name, arguments.subject)
    content = make_request(subject, general_names(arguments.san), key)
    write_files({key_path: key_content, request_path: content})
    sys.stdout.write(
        f"{key_path}: the private key, which stays here\n"
        f"{request_path}: take it to the CA's machine, and there:\n"
        f"  boto-rolesanywhere ca issue --csr {shlex.quote(request_path.name)}\n"
    )
    return OK


def declare_renew(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca renew``."""
    parser.add_argument("name", metavar="NAME", help="as it was issued under")
    add_switch(parser, "--reuse-key", "certify the same key again")
    add_key_type(parser, default="as before")
    add_days(parser)
    add_key_passphrase(parser)
    add_passphrase(parser, "the passphrase or PIN of the CA's key")
    parser.add_argument(
        "--out", metavar="FOLDER", help="where the files are replaced; default: the current folder"
    )
    add_folder(parser)
    private_ca.add_private_ca(parser, issues=True)


def renew(arguments: argparse.Namespace) -> int:
    """Issue again, with the subject and the alternative names of the newest certificate."""
    if arguments.reuse_key and arguments.key_type:
        raise both_given("--reuse-key", "--key-type")
    if private_ca.is_meant(arguments):
        return private_ca.renew(arguments)
    if arguments.reuse_key and (arguments.key_passphrase_file or arguments.key_passphrase_env):
        flags = "--key-passphrase-file or --key-passphrase-env"
        raise without_effect(flags, "a new key, without --reuse-key")
    authority = authority_of(arguments)
    old = authority.latest(arguments.name)
    certificate_path, key_path = paths_of(arguments, require_file_name(arguments.name), force=True)
    wish = Wish(
        name=arguments.name,
        subject=old.subject,
        san=alternative_names(old),
        lifetime=timedelta(days=arguments.days),
    )
    if arguments.reuse_key:
        _certify(authority, wish, old.public_key(), certificate_path)  # type: ignore[arg-type]  # we issued it
    else:
        key, content = new_key(arguments, arguments.key_type or renewed_type(old), key_path)
        _certify(authority, wish, key.public_key(), certificate_path, (key_path, content))
    sys.stdout.write(
        f"The old certificate has the serial number {old.serial_number:x}. Once nobody uses it:\n"
        f"  {next_command(arguments, f'ca revoke {old.serial_number:x} --reason superseded')}\n"
    )
    return OK


def _certify(
    authority: Authority,
    wish: Wish,
    public_key: CertificateIssuerPublicKeyTypes,
    path: Path,
    key_file: tuple[Path, bytes] | None = None,
) -> None:
    """Certify a key, and write the certificate with its chain; the key's file too, if it is new."""
    certificate = authority.certify(wish, public_key)
    write_issued((certificate, *authority.chain), path, key_file)
    _tell_bound(certificate, authority)


def _tell_bound(certificate: x509.Certificate, authority: Authority) -> None:
    if certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc:
        sys.stderr.write("The CA's own certificate ends then, so no certificate holds longer.\n")
