"""``ca revoke``, ``ca crl`` and ``ca list``: what holds, and what no longer does."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.authority.pair import alone_in
from boto_rolesanywhere.authority.revocation import REASONS
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK, PROGRAM
from boto_rolesanywhere.cli.terminal import Page, write_json
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import name_text

from . import private_ca
from .opening import add_folder, add_passphrase, authority_of
from .workload import add_days, output_of, serial_in, write_files, writing

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from boto_rolesanywhere.authority.authority import Authority
    from boto_rolesanywhere.authority.records import Record


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Declare ``--reason``."""
    text = f"default: unspecified; one of {', '.join(REASONS)}"
    parser.add_argument(
        "--reason", choices=REASONS, default="unspecified", metavar="REASON", help=text
    )


def declare_revoke(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca revoke``."""
    parser.add_argument("certificate", metavar="SERIAL|FILE", help="what to revoke")
    add_reason(parser)
    add_folder(parser)
    private_ca.add_private_ca(parser, issues=False)


def revoke(arguments: argparse.Namespace) -> int:
    """Mark a certificate as revoked."""
    if private_ca.is_meant(arguments):
        return private_ca.revoke(arguments)
    authority = authority_of(arguments)
    serial = serial_of(arguments.certificate, authority)
    before = authority.find(serial)
    record = authority.revoke(serial, arguments.reason)
    state = "is revoked, for the reason"
    if before is not None and before.revoked_at is not None:
        state = f"has been revoked since {before.revoked_at:%Y-%m-%d %H:%M} UTC, for the reason"
    sys.stdout.write(
        f"{record.serial_number:x} ({record.subject}) {state} {record.reason or 'unspecified'}.\n"
        "AWS refuses it when the trust anchor has a list with it:\n"
        f"  {PROGRAM} crl sync --trust-anchor ARN --from {shlex.quote(str(authority.folder))}\n"
    )
    return OK


def serial_of(text: str, authority: Authority) -> int:
    """The serial number that was typed, or that of the certificate in the file.

    Raises:
        ConfigurationError: the CA has not issued that certificate.
    """
    serial, certificate = serial_in(text)
    if certificate is not None and certificate.issuer != authority.certificate.subject:
        raise ConfigurationError(
            f"the CA has issued no certificate {serial:x}",
            code="authority-certificate-unknown",
            where=text,
            remedy=f"Its issuer is {name_text(certificate.issuer)}; name that CA's folder"
            " with --ca.",
        )
    return serial


def declare_crl(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca crl``."""
    add_days(parser, 7, "until the next list is due")
    add_passphrase(parser, "the passphrase or PIN of the CA's key")
    parser.add_argument("--out", metavar="FOLDER", help="where files go; default: the CA's folder")
    add_folder(parser)


def crl(arguments: argparse.Namespace) -> int:
    """Sign a revocation list and write it."""
    authority = authority_of(arguments)
    signed = authority.sign_list(timedelta(days=arguments.days))
    folder = output_of(arguments, authority.folder)
    pem, der = folder / "ca-crl.pem", folder / "ca-crl.der"
    with writing(folder):
        make_private_folder(folder)
        with alone_in(folder):
            # Another process may have signed a newer list meanwhile, which must not be replaced.
            newest = authority.newest_list()
            signed = signed if newest is None else newest  # a list without entries is false
            contents = {pem: signed.public_bytes(Encoding.PEM)}
            write_files({**contents, der: signed.public_bytes(Encoding.DER)})
    number = signed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    sys.stdout.write(
        f"{pem}: list number {number}, revoked certificates: {len(signed)}, next update"
        f" {signed.next_update_utc:%Y-%m-%d %H:%M:%S} UTC\n{der}: the same list in DER\n"
    )
    if not len(signed):
        sys.stdout.write("AWS refuses to import a list without entries; there is no need to.\n")
    return OK


def declare_list(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca list``."""
    add_switch(parser, "--json", "for programs")
    add_folder(parser)


def list_(arguments: argparse.Namespace) -> int:
    """List what was issued, the oldest first."""
    authority = authority_of(arguments)
    records = authority.records()
    if arguments.json:
        write_json([_document(record) for record in records])
        return OK
    page, now = Page.for_stream(sys.stdout), authority.clock()
    width = max((len(record.name) for record in records), default=0)
    for record in records:
        page.marked(
            "fail" if record.revoked_at else "warn" if record.not_after < now else "ok",
            record.name,
            f"{record.subject}, {_state(record, now)}, serial number {record.serial_number:x}",
            column=width,
        )
    if not records:
        page.note("nothing was issued yet", indent=0)
    page.write(sys.stdout)
    return OK


def _state(record: Record, now: datetime) -> str:
    if record.revoked_at:
        reason = f" ({record.reason})" if record.reason else ""
        return f"revoked {record.revoked_at:%Y-%m-%d}{reason}"
    word = "ended" if record.not_after < now else "until"
    return f"{word} {record.not_after:%Y-%m-%d}"


def _document(record: Record) -> dict[str, str | None]:
    return {
        "serialNumber": f"{record.serial_number:x}",
        "name": record.name,
        "subject": record.subject,
        "notAfter": record.not_after.isoformat(),
        "revokedAt": record.revoked_at.isoformat() if record.revoked_at else None,
        "reason": record.reason,
    }
