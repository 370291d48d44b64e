"""``ca init``, ``ca import`` and ``ca show``: an authority comes to be, and is looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from boto_rolesanywhere.authority.folder import (
    CERTIFICATE,
    ROOT,
    TRUST_ANCHOR,
    adopt,
    create_issuing,
    create_root,
)
from boto_rolesanywhere.authority.openssl_index import read_index, read_list_number
from boto_rolesanywhere.certificates.public_keys import describe_key
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.refusals import both_given, require_no_pin
from boto_rolesanywhere.cli.terminal import Page
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import name_text
from boto_rolesanywhere.settings.places import home_path, is_device

from .opening import (
    access_of,
    add_folder,
    add_passphrase,
    authority_of,
    folder_of,
    next_command,
    secret_of,
)
from .workload import add_key_type, writing

if TYPE_CHECKING:
    import argparse


def declare_init(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca init``."""
    parser.add_argument("--name", required=True, help="CN of the root, or a whole subject")
    parser.add_argument(
        "--intermediate", metavar="NAME", help="make an issuing CA below the root, too"
    )
    add_key_type(parser)
    parser.add_argument(
        "--key",
        metavar="PLACE",
        help="a key that exists, for the CA that issues: pkcs11: URI, TPM handle or file",
    )
    add_passphrase(parser, "what encrypts a new key, or opens one that exists")
    add_folder(parser)


def init(arguments: argparse.Namespace) -> int:
    """Make a CA."""
    folder, secret = folder_of(arguments), secret_of(arguments)
    if arguments.key and arguments.key_type and not arguments.intermediate:
        raise both_given("--key", "--key-type", "The key that exists has its type.")
    place = _kept_place(arguments.key) if arguments.key else None
    below = arguments.intermediate is not None
    names = [arguments.name, *([arguments.intermediate] if below else [])]
    create = create_issuing if below else create_root
    with writing(folder):
        authority = create(
            folder,
            *names,
            key_type=arguments.key_type or "P-256",
            passphrase=secret.reveal() if secret is not None else None,
            key_place=place,
            access=access_of(arguments),
        )
    end = authority.certificate.not_valid_after_utc
    sys.stdout.write(f"{folder / CERTIFICATE}: made, until {end:%Y-%m-%d}\n")
    if below:
        sys.stdout.write(
            f"{folder / ROOT}: the root. Move this folder to a place that is offline; the root is"
            " needed again only to revoke or replace the issuing CA.\n"
        )
    sys.stdout.write(
        f"{folder / TRUST_ANCHOR}: what AWS gets as the trust anchor\n"
        "Next, in this order or the other:\n"
        f"  {next_command(arguments, 'setup --role NAME')}\n"
        f"  {next_command(arguments, 'ca issue NAME')}\n"
    )
    return OK


def declare_import(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca import``."""
    parser.add_argument("index", metavar="INDEX", help="openssl's index.txt")
    parser.add_argument(
        "--newcerts", metavar="FOLDER", type=Path, help="default: newcerts beside the index"
    )
    parser.add_argument(
        "--certificate", metavar="FILE", help="the CA's certificate, if its folder is yet to make"
    )
    parser.add_argument("--key", metavar="PLACE", help="the CA's key, which stays where it is")
    add_passphrase(parser, "what opens the CA's key")
    add_folder(parser)


def import_(arguments: argparse.Namespace) -> int:
    """Take over what openssl has recorded."""
    index = home_path(arguments.index)
    records = tuple(read_index(index, arguments.newcerts))
    list_number = read_list_number(index.with_name("crlnumber"))
    if bool(arguments.certificate) != bool(arguments.key):
        raise ConfigurationError(
            "a new folder needs certificate and key",
            code="flags-exclusive",
            expected="both --certificate and --key, or neither",
        )
    if arguments.certificate:
        folder = folder_of(arguments)
        with writing(folder):
            authority = adopt(
                folder, arguments.certificate, _kept_place(arguments.key), access_of(arguments)
            )
    else:
        authority = authority_of(arguments)
    taken = authority.take_over(records, list_number)
    lines = [f"{authority.folder}: took over {taken.new} of {len(records)} certificates"]
    if known := len(records) - taken.new:
        lines[0] += f"; the other {known} were there"
        lines[0] += f", and {taken.revoked} of them are revoked now" if taken.revoked else ""
    if without := [record for record in records if record.der is None]:
        lines.append(
            f"Not found in {arguments.newcerts or index.parent / 'newcerts'}: {len(without)}. Such"
            " a certificate can be revoked, but not renewed"
        )
    sys.stdout.write(".\n".join(lines) + ".\n")
    return OK


def declare_show(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``ca show``."""
    add_folder(parser)


def show(arguments: argparse.Namespace) -> int:
    """Show a CA."""
    authority = authority_of(arguments)
    certificate, records = authority.certificate, authority.records()
    listed = authority.newest_list()
    revoked = sum(record.revoked_at is not None for record in records)
    page = Page.for_stream(sys.stdout)
    page.heading(name_text(certificate.subject))
    fields = [
        ("folder", str(authority.folder)),
        ("issuer", name_text(certificate.issuer)),
        ("serial number", f"{certificate.serial_number:x}"),
        ("key", describe_key(certificate.public_key())),
        ("until", f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"),
        ("trust anchor", str(authority.folder / TRUST_ANCHOR)),
        ("certificates", f"{len(records)} issued, {revoked} revoked"),
    ]
    if listed is not None and listed.next_update_utc is not None:
        fields.append(("revocation list", f"until {listed.next_update_utc:%Y-%m-%d %H:%M:%S} UTC"))
    page.fields(fields)
    page.write(sys.stdout)
    return OK


def _kept_place(text: str) -> str:
    """A place that the records may keep: without a PIN, and good from every folder."""
    instead = "--passphrase-file, --passphrase-env or pin-source=file:… in its place"
    require_no_pin(text, "--key", instead)
    return text if is_device(text) else str(home_path(text).absolute())
