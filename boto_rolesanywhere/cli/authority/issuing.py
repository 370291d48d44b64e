"""``ca issue``, ``ca request`` and ``ca renew``: certificates for workloads."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from boto_rolesanywhere.authority.authority import Wish
from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.issuer_key import as_issuer_key
from boto_rolesanywhere.authority.requests import alternative_names, make_request
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.refusals import both_given, without_effect
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.opening import Access, open_key
from boto_rolesanywhere.settings.profile_writer import require_changeable

from . import private_ca
from .opening import NEW_KEY, add_folder, add_passphrase, authority_of, next_command, secret_of
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
    write_files,
    write_issued,
    write_profile,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from boto_rolesanywhere.authority.keys import KeyType

_PAIR: Final = (".pem", ".key")


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
    by_aws, lifetime = private_ca.is_meant(arguments), timedelta(days=arguments.days)
    if arguments.csr:
        request, content = read_csr(arguments)
        name = require_file_name(arguments.name or Path(arguments.csr).stem)
        issuer = _issuer(arguments, by_aws=by_aws)
        (certificate_path,) = paths_of(arguments, name, ".pem", force=arguments.force)
        wish = Wish(name=name, subject=request.subject, san=request.san, lifetime=lifetime)
        issued = issuer.certify(wish, request.public_key, lambda: content)
        write_issued(issued, certificate_path)
        return OK
    name = require_file_name(arguments.name)
    if arguments.profile:
        require_changeable(arguments.profile)
    issuer = _issuer(arguments, by_aws=by_aws)
    paths = paths_of(arguments, name, *_PAIR, force=arguments.force)
    wish = Wish.named(name, subject=arguments.subject, san=arguments.san, lifetime=lifetime)
    _certify_new_key(arguments, issuer, wish, arguments.key_type or "P-256", paths)
    write_profile(arguments, *paths)
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
    key_path, request_path = paths_of(arguments, name, ".key", ".csr", force=arguments.force)
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
    by_aws, lifetime = private_ca.is_meant(arguments), timedelta(days=arguments.days)
    encrypting = arguments.key_passphrase_file or arguments.key_passphrase_env
    if arguments.reuse_key and encrypting and not by_aws:
        flags = "--key-passphrase-file or --key-passphrase-env"
        raise without_effect(flags, "a new key, without --reuse-key")
    issuer, name = _issuer(arguments, by_aws=by_aws), arguments.name
    old = issuer.latest(name, output_of(arguments, Path()) / f"{name}.pem")
    revocation = issuer.revocation_of(old)
    if arguments.reuse_key and revocation == "keyCompromise":
        raise ConfigurationError(
            "the certificate is revoked because its key is compromised",
            code="authority-value-unusable",
            where="--reuse-key",
            remedy="Leave it out: then a new key is made.",
        )
    paths = paths_of(arguments, require_file_name(name), *_PAIR, force=True)
    wish = Wish(name=name, subject=old.subject, san=alternative_names(old), lifetime=lifetime)
    if arguments.reuse_key:

        def request() -> bytes:
            kept = open_key(str(paths[1]), Access(secret_of(arguments, NEW_KEY)))
            return make_request(wish.subject, wish.san, as_issuer_key(kept))

        public_key = cast("CertificateIssuerPublicKeyTypes", old.public_key())  # it was issued
        write_issued(issuer.certify(wish, public_key, request), paths[0])
    else:
        _certify_new_key(arguments, issuer, wish, arguments.key_type or renewed_type(old), paths)
    again = f"ca revoke {old.serial_number:x} --reason superseded"
    state = f"The old certificate has the serial number {old.serial_number:x}"
    sys.stdout.write(
        f"{state}. Once nobody uses it:\n  {next_command(arguments, again)}\n"
        if revocation is None
        else f"{state}, and is revoked ({revocation}).\n"
    )
    return OK


def _certify_new_key(
    arguments: argparse.Namespace,
    issuer: _OwnCa | private_ca.Issuer,
    wish: Wish,
    key_type: KeyType,
    paths: list[Path],
) -> None:
    """Make a key, have it certified, and write certificate and key."""
    key, content = new_key(arguments, key_type, paths[1])
    issued = issuer.certify(
        wish, key.public_key(), lambda: make_request(wish.subject, wish.san, key)
    )
    write_issued(issued, paths[0], (paths[1], content))


def _issuer(arguments: argparse.Namespace, *, by_aws: bool) -> _OwnCa | private_ca.Issuer:
    return private_ca.Issuer(arguments) if by_aws else _OwnCa(arguments)


class _OwnCa:
    """A CA in a folder, as what issues."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._authority = authority_of(arguments)

    def latest(self, name: str, _path: Path) -> x509.Certificate:
        """The newest certificate of that name, whatever is in the file."""
        return self._authority.latest(name)

    def revocation_of(self, certificate: x509.Certificate) -> str | None:
        """The reason for which it is revoked; None if it is not."""
        record = self._authority.find(certificate.serial_number)
        if record is None or record.revoked_at is None:
            return None
        return record.reason or "unspecified"

    def certify(
        self,
        wish: Wish,
        public_key: CertificateIssuerPublicKeyTypes,
        _request: Callable[[], bytes],
    ) -> tuple[x509.Certificate, ...]:
        """The certificate with its chain; no request is needed, which a kept key would sign."""
        certificate = self._authority.certify(wish, public_key)
        if certificate.not_valid_after_utc == self._authority.certificate.not_valid_after_utc:
            note = "The CA's own certificate ends then, so no certificate holds longer."
            sys.stderr.write(f"{note}\n")
        return certificate, *self._authority.chain
