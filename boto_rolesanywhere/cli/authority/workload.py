"""What ``ca`` reads and writes for a workload: request, certificate, key, profile, names."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.authority.issued import certificates_pem, key_pem
from boto_rolesanywhere.authority.keys import KeyType, generate_key, key_type_of
from boto_rolesanywhere.authority.pair import replace_pair, write_file
from boto_rolesanywhere.authority.requests import read_request
from boto_rolesanywhere.cli.options import add_repeated, add_switch, whole
from boto_rolesanywhere.cli.passed_over import warn_if_passed_over
from boto_rolesanywhere.cli.refusals import both_given, unreadable
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.opening import open_certificates
from boto_rolesanywhere.settings.distinguished_names import name_text
from boto_rolesanywhere.settings.names import (
    CERTIFICATE,
    PASSPHRASE_ENV,
    PASSPHRASE_FILE,
    PRIVATE_KEY,
)
from boto_rolesanywhere.settings.places import home_path
from boto_rolesanywhere.settings.profile_writer import change_profile

from .opening import NEW_KEY, add_passphrase, secret_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from cryptography import x509

    from boto_rolesanywhere.authority.keys import PrivateKey
    from boto_rolesanywhere.authority.requests import Request

days: Final = whole("days", 1, 36500)
# As a file's name it hides nothing, leaves no folder, and is no flag to the next command.
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")

_SERIAL: Final = re.compile(r"(0[xX])?[0-9a-fA-F]+(:[0-9a-fA-F]+)*")


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Declare ``--subject``, ``--san`` and ``--key-type``."""
    parser.add_argument("--subject", help="in place of CN=NAME, such as CN=app1,OU=it,O=example")
    add_repeated(
        parser, "--san", "KIND:NAME", "DNS:…, URI:…, IP:…, email:… or dirName:…; may be repeated"
    )
    add_key_type(parser)


def add_key_type(parser: argparse.ArgumentParser, default: KeyType | str = "P-256") -> None:
    """Declare ``--key-type``."""
    kinds = get_args(KeyType)
    parser.add_argument(
        "--key-type",
        choices=kinds,
        metavar="TYPE",
        help=f"of a new key: {', '.join(kinds)}; default: {default}",
    )


def add_days(
    parser: argparse.ArgumentParser,
    default: int = 90,
    purpose: str = "how long it holds, at most as long as the CA",
) -> None:
    """Declare ``--days``."""
    text = f"{purpose}; default: %(default)s"
    parser.add_argument("--days", type=days, default=default, metavar="NUMBER", help=text)


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare ``--out`` and ``--force``."""
    parser.add_argument("--out", metavar="FOLDER", help=f"where files go; default: {default}")
    add_switch(parser, "--force", "overwrite files that are there")


def paths_of(
    arguments: argparse.Namespace,
    name: str,
    *suffixes: str,
    force: bool,
) -> list[Path]:
    """Where the files of that name go, before anything is issued; the folder is made.

    Args:
        arguments: of the command.
        name: of the files.
        suffixes: of the files.
        force: whether files that are there may be replaced.

    Raises:
        ConfigurationError: a file is there, or the folder cannot be written.
    """
    folder = output_of(arguments, Path())
    paths = [folder / f"{name}{suffix}" for suffix in suffixes]
    for path in () if force else paths:
        if os.path.lexists(path):
            raise ConfigurationError(
                "it is there already",
                code="authority-file-taken",
                where=str(path),
                remedy="Name another folder with --out, or add --force.",
            )
    with writing(folder):
        make_private_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    return paths


def read_csr(arguments: argparse.Namespace) -> tuple[Request, bytes]:
    """The request that ``--csr`` names, and its file's content.

    Raises:
        ConfigurationError: it cannot be read, or a flag contradicts it.
        CertificateError: it is none.
    """
    of_a_new_key = ("key_type", "key_passphrase_file", "key_passphrase_env")
    for flag in ("subject", "san", "profile", *of_a_new_key):
        if getattr(arguments, flag):
            remedy = "Key, subject and names are those of the request."
            raise both_given("--csr", f"--{flag.replace('_', '-')}", remedy)
    path = Path(arguments.csr)
    content = read_file(path)
    return read_request(content, str(path)), content


def serial_in(text: str) -> tuple[int, x509.Certificate | None]:
    """The serial number that was typed, or the certificate in the file, and its serial number.

    Args:
        text: hexadecimal digits, also with colons, or a path.

    Raises:
        ConfigurationError: it is neither.
        CertificateError: the file holds no certificate.
    """
    if Path(text).exists():
        certificate = open_certificates(text).certificates[0]
        return certificate.serial_number, certificate
    if _SERIAL.fullmatch(text):
        return int(text.replace(":", ""), 16), None
    raise ConfigurationError(
        f"{text!r} is no serial number and no file",
        code="authority-certificate-unknown",
        expected="a serial number in hexadecimal digits, or the certificate's file",
    )


def renewed_type(certificate: x509.Certificate) -> KeyType:
    """The type of its key, for the next one; P-256 for a key that cannot be made here."""
    try:
        return key_type_of(certificate.public_key())
    except ConfigurationError:
        return "P-256"


def add_key_passphrase(parser: argparse.ArgumentParser) -> None:
    """Declare where the passphrase of the workload's new key is."""
    add_passphrase(parser, "what encrypts the new key; default: it is not encrypted", NEW_KEY)


def new_key(
    arguments: argparse.Namespace, key_type: KeyType, path: Path
) -> tuple[PrivateKey, bytes]:
    """A new key for a workload, and what its file will hold.

    Raises:
        ConfigurationError: it would replace a key that is encrypted, and would not be itself.
        PassphraseError: the passphrase cannot encrypt it.
    """
    secret = secret_of(arguments, NEW_KEY)
    if secret is None and path.exists() and b"ENCRYPTED" in read_file(path):
        raise ConfigurationError(
            "it is encrypted, and the new key would not be",
            code="passphrase-missing",
            where=str(path),
            remedy=f"Name the new key's passphrase with --{NEW_KEY}-file or --{NEW_KEY}-env.",
        )
    key = generate_key(key_type)
    return key, key_pem(key, secret.reveal() if secret is not None else None)


def output_of(arguments: argparse.Namespace, default: Path) -> Path:
    """Where files go, absolute."""
    return home_path(arguments.out).absolute() if arguments.out else default.absolute()


def require_file_name(name: str | None) -> str:
    """A name that files can be called by.

    Raises:
        ConfigurationError: there is none, or files cannot be called by it.
    """
    if name is None:
        raise ConfigurationError(
            "neither a name nor a request was given",
            code="command-line-invalid",
            expected="ca issue NAME, or ca issue --csr FILE",
        )
    if not _FILE_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a file",
            code="authority-value-unusable",
            expected="letters, digits, dots and hyphens, as in app1.example.com",
            remedy="NAME is for the files; --subject takes any distinguished name, such as"
            " CN=Müller,O=example.",
        )
    return name


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write each file in one step, with mode 0600; folders that are missing get mode 0700.

    Raises:
        ConfigurationError: one cannot be written.
    """
    for path, content in files.items():
        with writing(path):
            write_file(path, content)


def write_issued(
    certificates: tuple[x509.Certificate, ...],
    path: Path,
    key_file: tuple[Path, bytes] | None = None,
) -> None:
    """Write a certificate with its chain, and its new key if it has one; and say so.

    Args:
        certificates: the end-entity certificate first.
        path: of their file.
        key_file: the path of the key's file, and what it will hold.

    Raises:
        ConfigurationError: a file cannot be written.
    """
    content = certificates_pem(certificates)
    with writing(path):
        if key_file is None:
            write_file(path, content)
        else:
            replace_pair(path, content, *key_file)
    first = certificates[0]
    sys.stdout.write(
        f"{path}: {name_text(first.subject)}, until {first.not_valid_after_utc:%Y-%m-%d},"
        f" serial number {first.serial_number:x}\n"
    )


def write_profile(arguments: argparse.Namespace, certificate: Path, key: Path) -> None:
    """Write the paths into the profile that ``--profile`` names, if it is given.

    Raises:
        ConfigurationError: it cannot be written.
    """
    if not arguments.profile:
        return
    secret = arguments.key_passphrase_file
    values = {
        CERTIFICATE.config_key: str(certificate),
        PRIVATE_KEY.config_key: str(key),
        PASSPHRASE_FILE.config_key: str(home_path(secret).absolute()) if secret else None,
        PASSPHRASE_ENV.config_key: arguments.key_passphrase_env,
    }
    path, title = change_profile(arguments.profile, values)
    sys.stdout.write(f"{path}: wrote certificate and key into [{title}]\n")
    warn_if_passed_over(arguments.profile)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals into words."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be written ({error.strerror})",
            code="file-unwritable",
            # A name without a folder is that of the temporary file.
            where=error.filename if Path(error.filename or "").is_absolute() else str(path),
        ) from None


def read_file(path: Path) -> bytes:
    """The content of a file.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return home_path(path).read_bytes()
    except OSError as error:
        raise unreadable(error, str(path)) from None
