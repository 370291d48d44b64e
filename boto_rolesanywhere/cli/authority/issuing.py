"""``ca issue``, ``ca request`` and ``ca renew``: certificates for workloads."""

from __future__ import annotations

import argparse
import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from boto_rolesanywhere.authority.authority import Wish
from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.issued import certificates_pem, key_pem
from boto_rolesanywhere.authority.keys import KeyType, generate_key, key_type_of
from boto_rolesanywhere.authority.requests import alternative_names, make_request, read_request
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.names import CERTIFICATE, PRIVATE_KEY
from boto_rolesanywhere.settings.profile_writer import change_profile

from .opening import (
    add_folder,
    add_output,
    add_passphrase,
    authority_of,
    next_command,
    output_of,
    read_file,
    require_file_name,
    require_free,
    require_profile_name,
    require_writable,
    write_files,
    write_pair,
)

if TYPE_CHECKING:
    from cryptography import x509

    from boto_rolesanywhere.authority.authority import Authority

_DAYS: Final = range(1, 36501)


def declare_issue(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca issue``."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="CN, and the files' name")
    parser.add_argument("--csr", metavar="FILE", help="a request, whose key stays where it is")
    _add_subject(parser)
    _add_days(parser)
    parser.add_argument(
        "--profile", metavar="NAME", help="write the files' paths into this profile"
    )
    add_passphrase(parser, "the passphrase or PIN of the CA's key")
    add_output(parser, "the current folder")
    add_folder(parser)


def issue(arguments: argparse.Namespace) -> int:
    """Issue a certificate, with a new key or for a request."""
    if arguments.csr:
        return _issue_for_request(arguments)
    name = _required_name(arguments.name)
    if arguments.profile:
        require_profile_name(arguments.profile)
    authority = authority_of(arguments)
    certificate_path, key_path = _paths(arguments, name, force=arguments.force)
    wish = Wish.named(
        name,
        subject=arguments.subject,
        san=arguments.san,
        lifetime=timedelta(days=arguments.days),
    )
    issued = authority.issue(wish, key_type=arguments.key_type or "P-256")
    write_pair(certificate_path, issued.bundle_pem, key_path, issued.private_key_pem)
    _tell(issued.certificate, certificate_path)
    _tell_bound(issued.certificate, authority)
    if arguments.profile:
        _write_profile(arguments.profile, certificate_path, key_path)
    return OK


def _issue_for_request(arguments: argparse.Namespace) -> int:
    for flag in ("subject", "san", "key_type", "profile"):
        if getattr(arguments, flag):
            raise ConfigurationError(
                f"--csr and --{flag.replace('_', '-')} were both given, and exclude each other",
                code="flags-exclusive",
                remedy="The request says it.",
            )
    path = Path(arguments.csr)
    request = read_request(read_file(path), str(path))
    name = _required_name(arguments.name or path.stem)
    authority = authority_of(arguments)
    certificate_path, _ = _paths(arguments, name, force=arguments.force, key=False)
    wish = Wish(
        name=name,
        subject=request.subject,
        san=request.san,
        lifetime=timedelta(days=arguments.days),
    )
    certificate = authority.certify(wish, request.public_key)
    _write_certificate(authority, certificate, certificate_path)
    _tell_bound(certificate, authority)
    return OK


def declare_request(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca request``."""
    parser.add_argument("name", metavar="NAME", help="CN, and the files' name")
    _add_subject(parser)
    add_output(parser, "the current folder")


def request(arguments: argparse.Namespace) -> int:
    """Make a key and a request, on the workload's machine."""
    name = require_file_name(arguments.name)
    folder = output_of(arguments, Path())
    key_path, request_path = folder / f"{name}.key", folder / f"{name}.csr"
    require_free((key_path, request_path), force=arguments.force)
    key = generate_key(arguments.key_type or "P-256")
    subject = name_of(name, arguments.subject)
    content = make_request(subject, general_names(arguments.san), key)
    write_files({key_path: key_pem(key), request_path: content})
    sys.stdout.write(
        f"{key_path}: the private key, which stays here\n"
        f"{request_path}: take it to the CA's machine, and there:\n"
        f"  boto-rolesanywhere ca issue --csr {shlex.quote(request_path.name)}\n"
    )
    return OK


def declare_renew(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca renew``."""
    parser.add_argument("name", metavar="NAME", help="as it was issued under")
    parser.add_argument("--reuse-key", action="store_true", help="certify the same key again")
    parser.add_argument("--key-type", choices=get_args(KeyType), help="default: as before")
    _add_days(parser)
    add_passphrase(parser, "the passphrase or PIN of the CA's key")
    parser.add_argument(
        "--out", metavar="FOLDER", help="where the files are replaced; default: the current folder"
    )
    add_folder(parser)


def renew(arguments: argparse.Namespace) -> int:
    """Issue again, with the subject and the alternative names of the newest certificate."""
    if arguments.reuse_key and arguments.key_type:
        raise ConfigurationError(
            "--reuse-key and --key-type were both given, and exclude each other",
            code="flags-exclusive",
        )
    authority = authority_of(arguments)
    old = authority.latest(arguments.name)
    certificate_path, key_path = _paths(arguments, require_file_name(arguments.name), force=True)
    wish = Wish(
        name=arguments.name,
        subject=old.subject,
        san=alternative_names(old),
        lifetime=timedelta(days=arguments.days),
    )
    if arguments.reuse_key:
        certificate = authority.certify(wish, old.public_key())  # type: ignore[arg-type]  # we issued it
        _write_certificate(authority, certificate, certificate_path)
    else:
        issued = authority.issue(wish, key_type=arguments.key_type or _key_type_of(old))
        write_pair(certificate_path, issued.bundle_pem, key_path, issued.private_key_pem)
        _tell(issued.certificate, certificate_path)
    sys.stdout.write(
        f"The old certificate has the serial number {old.serial_number:x}. Once nobody uses it:\n"
        f"  {next_command(arguments, f'revoke {old.serial_number:x} --reason superseded')}\n"
    )
    return OK


def _key_type_of(certificate: x509.Certificate) -> KeyType:
    """The type of its key; P-256 for a key that cannot be made here."""
    try:
        return key_type_of(certificate.public_key())
    except ConfigurationError:
        return "P-256"


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--subject", help="in place of CN=NAME, such as CN=app1,OU=it,O=example")
    parser.add_argument(
        "--san",
        metavar="KIND:NAME",
        action="append",
        default=[],
        help="DNS:…, URI:…, IP:…, email:… or dirName:…; may be repeated",
    )
    parser.add_argument("--key-type", choices=get_args(KeyType), help="default: P-256")


def _add_days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--days",
        type=days,
        default=90,
        metavar="NUMBER",
        help="how long it holds, at most as long as the CA; default: %(default)s",
    )


def days(text: str) -> int:
    """A number of days on the command line."""
    if not text.isascii() or not text.isdigit() or int(text) not in _DAYS:
        raise argparse.ArgumentTypeError("it must be a number of days from 1 to 36500")
    return int(text)


def _required_name(name: str | None) -> str:
    if not name:
        raise ConfigurationError(
            "neither a name nor a request was given",
            code="authority-name-missing",
            expected="ca issue NAME, or ca issue --csr FILE",
        )
    return require_file_name(name)


def _paths(
    arguments: argparse.Namespace, name: str, *, force: bool, key: bool = True
) -> tuple[Path, Path]:
    folder = output_of(arguments, Path())
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    require_free(paths if key else paths[:1], force=force)
    require_writable(folder)
    return paths


def _write_certificate(authority: Authority, certificate: x509.Certificate, path: Path) -> None:
    write_files({path: certificates_pem((certificate, *authority.chain))})
    _tell(certificate, path)


def _tell(certificate: x509.Certificate, path: Path) -> None:
    end = certificate.not_valid_after_utc
    sys.stdout.write(
        f"{path}: {certificate.subject.rfc4514_string()}, until {end:%Y-%m-%d}, serial number"
        f" {certificate.serial_number:x}\n"
    )


def _tell_bound(certificate: x509.Certificate, authority: Authority) -> None:
    if certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc:
        sys.stderr.write("The CA's own certificate ends then, so no certificate holds longer.\n")


def _write_profile(profile: str, certificate: Path, key: Path) -> None:
    values = {CERTIFICATE.config_key: str(certificate), PRIVATE_KEY.config_key: str(key)}
    path, title = change_profile(profile, values)
    sys.stdout.write(f"{path}: wrote certificate and key into [{title}]\n")
